"""`analysis/log_analysis.json`: what logs and failures say, grouped by what is the same in them."""

from typing import Literal

from pydantic import Field

from perfsuite.artifacts.analyses import Analysis
from perfsuite.artifacts.run_id import RunId
from perfsuite.artifacts.schemas import Stored, UtcTime

LogKind = Literal["jmeter_log", "service_log", "sample_errors"]


class LogSource(Stored):
    """A file of logs, or the failures among the samples."""

    kind: LogKind
    path: str
    entries: int
    without_time: int = 0
    by_level: dict[str, int] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


class LogOnset(Stored):
    """When a group began within the run, and under what load."""

    at_s: float
    users: float | None = None
    arrivals_per_s: float | None = None
    share_of_most_users: float | None = None
    error_rate_before: float | None = None
    error_rate_after: float | None = None
    relation: Literal[
        "before_errors", "with_errors", "after_errors", "no_error_onset", "before_the_run", "after_the_run"
    ]  # fmt: skip
    lead_s: float | None = None
    """How long before the error rate rose; below 0 it came after."""


class LogGroup(Stored):
    """Entries that say the same."""

    id: str
    kind: LogKind
    level: str
    service: str
    template: str
    count: int
    example: str
    first_seen: UtcTime | None = None
    last_seen: UtcTime | None = None
    onset: LogOnset | None = None
    root_cause: str | None = None
    frames: tuple[str, ...] = ()
    labels: dict[str, int] = Field(default_factory=dict)
    per_minute_before: float | None = None
    """Before and after the error rate rose."""
    per_minute_after: float | None = None
    baseline_count: int | None = None
    is_new: bool | None = None
    """Not in the baseline run; null where none was given."""


class LogAnalysis(Analysis):
    """The groups, the most serious first."""

    window_start: UtcTime | None = None
    window_s: float | None = None
    baseline_run_id: RunId | None = None
    error_onset_s: float | None = None
    sources: tuple[LogSource, ...] = ()
    entries: int = 0
    groups: tuple[LogGroup, ...] = ()
    groups_left_out: int = 0
