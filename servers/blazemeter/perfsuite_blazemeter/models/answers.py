"""What the tools answer."""

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

Phase = Literal["starting", "running", "ending", "ended", "archived"]


class Answer(BaseModel):
    """A whole answer."""

    model_config = ConfigDict(frozen=True)


class Part(Answer):
    """A part of an answer."""


R = TypeVar("R", bound=Part)


class Listing(Answer, Generic[R]):
    """A part of a list. `total` is null where BlazeMeter does not say it."""

    rows: list[R]
    total: int | None
    has_more: bool
    next_start: int | None = None
    notes: list[str] = []


class WorkspaceRow(Part):
    """A workspace and the account it belongs to."""

    id: int
    name: str | None
    account_id: int | None
    account: str | None


class ProjectRow(Part):
    """A project."""

    id: int
    name: str | None
    workspace_id: int | None
    tests: int | None


class LoadTestRow(Part):
    """A test, and the load that it puts on."""

    id: int
    name: str | None
    project_id: int | None
    type: str | None
    load: list[str]
    updated_at: str | None


class RunRow(Part):
    """A run. Its `master_id` is its `run_id` everywhere; how far an unfinished one is, `check_test_status` says."""

    master_id: int
    name: str | None
    test_id: int | None
    project_id: int | None
    phase: Literal["unfinished", "ended", "archived"]
    report_status: str | None
    users: int | None
    created_at: str | None
    ended_at: str | None


class WorkspaceList(Listing[WorkspaceRow]):
    """Workspaces."""


class ProjectList(Listing[ProjectRow]):
    """Projects."""


class LoadTestList(Listing[LoadTestRow]):
    """Tests."""


class RunList(Listing[RunRow]):
    """Runs, the newest first, of the window that was asked for."""

    scope: str
    window: str | None = None


class RunStatus(Answer):
    """Where a run stands."""

    master_id: int
    name: str | None
    phase: Phase
    status: str | None
    progress: int | None
    engines_pct: dict[str, float | None] = {}
    users: int | None
    created_at: str | None
    ended_at: str | None
    report_status: str | None
    problems: list[str] = []
    notes: list[str] = []
    next_step: str


class StartedRun(Answer):
    """A run that was started."""

    master_id: int
    run_id: str
    test: str
    notes: list[str] = []
    next_step: str


class StoppedRun(Answer):
    """What was done to end a run."""

    master_id: int
    done: Literal["stopped", "terminated", "nothing"]
    phase: Phase
    next_step: str


class PublicReport(Answer):
    """A link that lets anybody read the report of a run."""

    master_id: int
    url: str
    notes: list[str] = []


class RunResults(Answer):
    """What BlazeMeter says about a run."""

    run_id: str
    master_id: int
    state: Phase
    name: str | None
    test: dict[str, Any]
    project: dict[str, Any]
    workspace: dict[str, Any]
    windows: dict[str, Any]
    max_users: int | None
    locations: list[str]
    numbers: dict[str, Any]
    verdict: dict[str, Any]
    notes: list[str]
    file: str
    next_step: str


class ErrorGroup(Part):
    """Samples that failed in the same way."""

    response_code: str | None
    message: str | None
    count: int


class AssertionGroup(Part):
    """Assertions that failed in the same way."""

    name: str | None
    message: str | None
    count: int


class LabelErrors(Part):
    """The errors of one label. Assertions and errors may be the same samples; urls are the errors by address."""

    label: str
    errors: list[ErrorGroup] = []
    assertions: list[AssertionGroup] = []
    urls: list[dict[str, Any]] = []
    embedded_resources: list[ErrorGroup] = []
    not_counted: dict[str, int] = {}


class ErrorReport(Answer):
    """The errors of a run by label. No count stands in it twice."""

    master_id: int
    samples: int | None
    failed_samples: int | None
    errors_listed: int | None
    assertion_failures_listed: int | None
    labels: list[LabelErrors]
    total: int
    has_more: bool
    next_start: int | None = None
    notes: list[str]
