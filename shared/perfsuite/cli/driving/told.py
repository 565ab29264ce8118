"""What came of it: for every run its stages, steps and calls, and what the exit code says."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from perfsuite.cli import exits

Ending = Literal["done", "kept", "skipped", "failed", "interrupted", "not_reached"]
"""`kept` was done before, `not_reached` is what came after a stage that failed."""


class CallTold(BaseModel):
    """Calls of one tool: how many there were, and how many characters an agent would have read."""

    server: str
    tool: str
    times: int
    seconds: float
    characters: int
    images: int


class StepTold(BaseModel):
    """A step as the ledger has it; the time is that of its last run."""

    step: str
    title: str
    state: str
    tool: str
    seconds: float | None
    reasons: list[str]


class StageTold(BaseModel):
    """A stage, and how it ended this time."""

    stage: str
    title: str
    ending: Ending
    seconds: float = 0
    why: str = ""
    steps: list[StepTold] = Field(default_factory=list)
    calls: list[CallTold] = Field(default_factory=list)


class RunTold(BaseModel):
    """A run. `verdict` is that of its report, `sla` that of its analysis; null where there is none."""

    run_id: str
    source: str | None = None
    folder: str = ""
    ending: Literal["done", "failed", "interrupted", "not_reached"] = "not_reached"
    why: str = ""
    outcome: str | None = None
    verdict: str | None = None
    reason: str | None = None
    sla: str | None = None
    page_url: str | None = None
    stages: list[StageTold] = Field(default_factory=list)
    files: list[str] = Field(default_factory=list, description="in the folder")


class Told(BaseModel):
    """The whole."""

    workflow_id: str | None = None
    started_at: datetime
    seconds: float = 0
    exit_code: int = exits.INTERNAL
    meaning: str = ""
    interrupted: bool = False
    runs: list[RunTold] = Field(default_factory=list)
    calls: list[CallTold] = Field(default_factory=list, description="those that belong to no stage")
    notes: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    summary_file: str | None = None
    summary: str | None = None
    resume: str | None = Field(default=None, description="the command that goes on; null where all is done")

    @property
    def characters(self) -> int:
        """What an agent would have read of answers in all."""
        stages = [stage for run in self.runs for stage in run.stages]
        return sum(call.characters for calls in (self.calls, *(one.calls for one in stages)) for call in calls)

    def judge(self) -> None:
        """Say by the exit code what the whole came to: the gravest of its runs."""
        codes = {exits.INTERRUPTED} if self.interrupted else set(map(_code, self.runs))
        self.exit_code = next((code for code in exits.GRAVEST_FIRST if code in codes), exits.DONE)
        self.meaning = exits.MEANINGS[self.exit_code]


def _code(run: RunTold) -> int:
    """A broken limit stands, whatever else went wrong; and what was not asked for cannot be missing."""
    if run.verdict == "FAIL" or (run.verdict is None and run.sla == "fail"):
        return exits.LIMIT_BROKEN
    if run.ending != "done":
        return exits.STAGE_FAILED
    if run.verdict == "INCONCLUSIVE" or (run.verdict is None and _was(run.stages, "perfreport")):
        return exits.INCONCLUSIVE
    return exits.DONE


def _was(stages: Iterable[StageTold], name: str) -> bool:
    return any(stage.stage == name for stage in stages)
