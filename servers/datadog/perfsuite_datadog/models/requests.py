"""What every collecting tool is asked."""

from pydantic import BaseModel, ConfigDict


class CollectRequest(BaseModel):
    """Whom to ask about, and when. Empty is what was not given: a run knows its environment and its time under load."""

    model_config = ConfigDict(frozen=True)

    environment: str = ""
    run_id: str = ""
    from_time: str = ""
    to_time: str = ""


class KpiRequest(CollectRequest):
    """`queries` names keys of custom_queries.yaml; none means all."""

    queries: tuple[str, ...] = ()
