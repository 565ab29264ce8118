"""The answer of `get_analysis_status`."""

from pydantic import BaseModel, ConfigDict, Field


class AnalysisState(BaseModel):
    """One analysis of a run."""

    model_config = ConfigDict(frozen=True)

    tool: str
    file: str
    state: str = Field(description="not_started, running, done, failed, interrupted, stale or partial")
    status: str | None = Field(description="what its file says of itself")
    findings: int | None
    reasons: list[str]


class AnalysisStatus(BaseModel):
    """How far the analyses of a run are."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    has_samples: bool
    analyses: list[AnalysisState]
    next_step: str
