"""What every collecting tool is asked."""

from pydantic import BaseModel, ConfigDict

from perfsuite.artifacts import RunId

Moment = str | int | float


class CollectRequest(BaseModel):
    """Whom to ask about, and when. A run knows its environment and its time under load."""

    model_config = ConfigDict(frozen=True)

    environment: str | None = None
    run_id: RunId | None = None
    from_time: Moment | None = None
    to_time: Moment | None = None
