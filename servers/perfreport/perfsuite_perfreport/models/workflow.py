"""`workflows/{workflow_id}.json`, which stands beside the run folders, and what the tools about workflows answer."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from perfsuite.artifacts import Artifact, JsonArtifact, RunId
from perfsuite.artifacts.schemas import Document, RunRequest

Outcome = Literal["Success", "Partial Success", "Failed"]
ConfluenceMode = Literal["cloud", "onprem"]


class Workflow(Document):
    """Runs that are worked on one after the other, and what was asked for all of them."""

    workflow_id: RunId
    run_ids: tuple[RunId, ...]
    request: RunRequest = RunRequest()
    state: Literal["open"] | Outcome = "open"
    """As `get_workflow_summary` found it last."""


# A folder for workflows reads and writes as that of a run does, so the id stands where a run's would.
WORKFLOW = JsonArtifact("workflow", "{run_id}.json", ("start_workflow",), "the runs of a workflow", Workflow)
SUMMARY = Artifact("workflow_summary", "{run_id}.md", ("get_workflow_summary",), "the summary of a workflow")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class StartedWorkflow(_Answer):
    """What was opened."""

    workflow_id: str
    file: str
    new_runs: list[str]
    notes: list[str]
    next_step: str


class RunProgress(_Answer):
    """How far a run is."""

    run_id: str
    complete: bool
    stages: dict[str, str]
    problems: list[str]
    notes: list[str] = []
    next_tool: str | None
    why: str


class WorkflowStatus(_Answer):
    """How far a workflow is, and what to do next."""

    workflow_id: str
    complete: bool
    runs: list[RunProgress]
    total: int
    has_more: bool
    next_step: str


class Metrics(_Answer):
    """The numbers that stand side by side. Rates are 0 to 1."""

    window: str
    samples: int
    success_rate: float | None
    mean_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    peak_per_s: float | None
    error_rate: float | None


class RunOutcome(_Answer):
    """What came of a run."""

    run_id: str
    outcome: Outcome
    reason: str
    sla: str
    metrics: Metrics | None
    page_url: str | None = None


class WorkflowSummary(_Answer):
    """The end of a workflow."""

    workflow_id: str
    outcome: Outcome
    runs: list[RunOutcome]
    total: int
    has_more: bool
    file: str
    markdown: str = Field(description="cut where it is long; the file has all")
