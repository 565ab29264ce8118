"""What every analysis of a run says in its file, and the models of the analyses of its samples.

Nothing here depends on when or where it was computed: the same inputs give the same bytes. Times are UTC, or seconds
after the start of the first sample (`*_s`).
"""

from typing import Literal

from pydantic import Field

from perfsuite.artifacts.run_id import RunId
from perfsuite.artifacts.schemas import Document, Sha256, Stored, UtcTime

Status = Literal["complete", "partial", "not_available"]
Severity = Literal["info", "minor", "major", "critical"]
Value = str | int | float | bool | None


class Input(Stored):
    """A file that the analysis read. `path` is relative to the run folder, or a name where it lies outside."""

    path: str
    sha256: Sha256


class Method(Stored):
    """How something was computed."""

    name: str
    parameters: dict[str, Value] = Field(default_factory=dict)


class Finding(Stored):
    """Something that a report should say. Its id stays the same when the analysis is repeated."""

    id: str
    kind: str
    severity: Severity
    subject: str
    """The label, host or file that it is about; empty where it is about the run."""
    text: str
    evidence: dict[str, Value] = Field(default_factory=dict)


class Analysis(Document):
    """What every analysis of a run has in common."""

    run_id: RunId
    status: Status
    reasons: tuple[str, ...] = ()
    """Why it is not complete, and what that costs."""
    inputs: tuple[Input, ...] = ()
    methods: tuple[Method, ...] = ()
    percentile_method: str | None = None
    findings: tuple[Finding, ...] = ()


class Numbers(Stored):
    """Statistics of a label, or of all, in a window. A percentile with too few samples is null and `withheld`."""

    samples: int
    errors: int
    error_rate: float | None
    mean_ms: float | None
    min_ms: float | None
    max_ms: float | None
    stdev_ms: float | None
    percentiles_ms: dict[str, float | None]
    withheld: tuple[str, ...] = ()
    success_percentiles_ms: dict[str, float | None] = Field(default_factory=dict)
    """Of successes alone, within the resolution of a histogram: failures may be quick, or wait for a time-out."""
    throughput_per_s: float | None
    apdex: float | None
    apdex_rating: str | None = None
    received_kb_per_s: float | None = None


class Bin(Stored):
    """A bin of a distribution."""

    from_ms: float
    to_ms: float
    samples: int


class LabelNumbers(Stored):
    """A label in the whole run and in its steady state."""

    label: str
    kind: str
    whole: Numbers
    steady: Numbers | None = None
    distribution: tuple[Bin, ...] = ()


class Phase(Stored):
    """A stretch of the run, and why it is one."""

    name: Literal["ramp_up", "warm_up", "steady", "ramp_down"]
    from_s: float
    to_s: float
    reason: str


class Drift(Stored):
    """Whether response times rise or fall within the steady state."""

    verdict: Literal["steady", "drift", "not_tested"]
    reason: str
    change: float | None = None
    """Over the whole window, as a share of the median."""
    change_low: float | None = None
    change_high: float | None = None
    start_ms: float | None = None
    end_ms: float | None = None
    """At both ends of the line, or before and after the jump."""
    p_value: float | None = None
    n: int = 0
    n_effective: float | None = None
    step_at_s: float | None = None
    """Where they jump, if a jump describes it better than a line."""


class Phases(Stored):
    """How the run went: ramp, steady state, ramp-down."""

    has_steady_state: bool
    reason: str
    steady_from_s: float | None = None
    steady_to_s: float | None = None
    excluded_s: float = 0.0
    phases: tuple[Phase, ...] = ()
    drift: Drift


class TimeBucket(Stored):
    """A stretch of time: hits count starts, all else ends."""

    from_s: float
    seconds: float
    hits: int
    completed: int
    errors: int
    users: int | None
    mean_ms: float | None
    percentiles_ms: dict[str, float | None]


class LabelOverTime(Stored):
    """A label over time, from histograms: percentiles are within their resolution."""

    label: str
    kind: str
    completed: tuple[int, ...]
    errors: tuple[int, ...]
    p50_ms: tuple[float | None, ...]
    p95_ms: tuple[float | None, ...]


class OverTime(Stored):
    """The course of the run, overall and of the labels with most samples."""

    bucket_s: float
    buckets: tuple[TimeBucket, ...]
    label_bucket_s: float | None = None
    labels: tuple[LabelOverTime, ...] = ()


class Peak(Stored):
    """The most completed requests per second over any bucket of this width."""

    completed_per_s: float
    from_s: float
    width_s: float


class ErrorCause(Stored):
    """Failures with one cause, as far as code and message tell."""

    id: str
    response_code: str
    message: str
    count: int
    share_of_errors: float
    labels: dict[str, int]
    first_seen: UtcTime
    last_seen: UtcTime
    example: str


class CodeCount(Stored):
    """How often a response code came back."""

    response_code: str
    samples: int
    errors: int


class SlaCheck(Stored):
    """One limit, held against what was measured."""

    id: str
    subject: str
    """The label, or `ALL`."""
    kind: str
    metric: str
    """p95_ms, error_rate_pct, throughput_per_s."""
    verdict: Literal["pass", "warn", "fail", "not_evaluated"]
    reason: str
    limit: float
    actual: float | None = None
    low: float | None = None
    high: float | None = None
    """The 95 % confidence interval of `actual`."""
    margin: float | None = None
    """The share of the limit that is left; below 0 it is broken."""
    samples: int
    rule: str
    """Where the limit comes from."""
    rule_reason: str | None = None


class SlaReport(Stored):
    """The verdicts of slas.yaml. Without the file nothing was evaluated, which is not a pass."""

    verdict: Literal["pass", "warn", "fail", "not_evaluated"]
    reason: str
    profile: str | None = None
    checks: tuple[SlaCheck, ...] = ()
    unmatched_patterns: tuple[str, ...] = ()


class QualityNote(Stored):
    """Something about the data that a reader of the numbers must know."""

    kind: str
    severity: Severity
    text: str
    details: dict[str, Value] = Field(default_factory=dict)


class GeneratorHealth(Stored):
    """Whether the machine that made the load kept up."""

    verdict: Literal["healthy", "saturated", "unknown"]
    reason: str
    readings: int = 0
    saturated_readings: int = 0
    advice: str = ""
    """What to do about it."""
    typical: dict[str, float] = Field(default_factory=dict)
    """Medians of the saturated readings; of all, where none was saturated."""
    worst: dict[str, float] = Field(default_factory=dict)
    """One reading: that which came nearest to a limit, or was furthest beyond one."""
    worst_at_s: float | None = None
    saturated_from_s: float | None = None


class PerformanceAnalysis(Analysis):
    """`analysis/performance_analysis.json`: the samples of a run."""

    window_start: UtcTime | None = None
    window_s: float | None = None
    counting: str = "samplers only in totals; transactions and parts of samples are listed by their kind"
    phases: Phases | None = None
    overall: LabelNumbers | None = None
    labels: tuple[LabelNumbers, ...] = ()
    labels_folded: int = 0
    """Labels beyond those listed, which stand together as one."""
    apdex_satisfied_ms: float | None = None
    apdex_tolerated_ms: float | None = None
    over_time: OverTime | None = None
    peak: Peak | None = None
    errors: tuple[ErrorCause, ...] = ()
    response_codes: tuple[CodeCount, ...] = ()
    sla: SlaReport | None = None
    quality: tuple[QualityNote, ...] = ()
    generator: GeneratorHealth | None = None
