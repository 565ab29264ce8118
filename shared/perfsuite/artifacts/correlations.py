"""`analysis/correlation_analysis.json`: what moved with the response times, and how much the system could take."""

from typing import Literal

from pydantic import Field

from perfsuite.artifacts.analyses import Analysis
from perfsuite.artifacts.schemas import Stored, UtcTime

PairVerdict = Literal["moves_with", "insufficient_evidence", "not_testable"]


class Pair(Stored):
    """A response of the test and a metric of a resource."""

    id: str
    response: str
    """Such as `mean_ms of GET /cart`."""
    label: str
    measure: Literal["mean_ms", "error_rate"]
    resource: str
    metric: str
    verdict: PairVerdict
    text: str
    raw: float | None = None
    """Spearman's correlation before the load is taken out."""
    partial: float | None = None
    """The same given the load, at the lag found."""
    lag_s: float | None = None
    """How long the metric moves before the response; below 0 it follows."""
    lag_is_certain: bool = False
    interval_s: float
    n: int
    n_effective: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    by: Literal["levels", "changes"] | None = None
    """Whether levels, or what is new in each interval, say so."""
    kendall: float | None = None


class Grid(Stored):
    """Moments at which metrics of one interval and the samples were put side by side."""

    interval_s: float
    first_at: UtcTime
    buckets: int
    window: Literal["steady state", "whole run"]
    metrics: int
    given: tuple[str, ...]
    """The load that was taken out."""
    notes: tuple[str, ...] = ()


class ClockCheck(Stored):
    """Whether the clocks of the generator and of the service agree."""

    verdict: Literal["agree", "apart", "not_evaluable"]
    reason: str
    skew_s: float | None = None
    correlation: float | None = None


class Level(Stored):
    """What happened at one level of concurrency."""

    users: float
    seconds: float
    throughput_per_s: float
    mean_ms: float
    p95_ms: float | None
    error_rate: float
    in_service: float
    """Requests at a time, by Little's law."""
    think_time_s: float
    """What users spend outside of requests, by the same law."""


class ScalabilityFit(Stored):
    """The Universal Scalability Law, X = lambda N / (1 + alpha (N - 1) + beta N (N - 1))."""

    verdict: Literal["valid", "not_valid"]
    reason: str
    lambda_per_s: float | None = None
    alpha: float | None = None
    alpha_low: float | None = None
    alpha_high: float | None = None
    beta: float | None = None
    beta_low: float | None = None
    beta_high: float | None = None
    peak_users: float | None = None
    peak_users_low: float | None = None
    peak_users_high: float | None = None
    peak_per_s: float | None = None
    r_squared: float | None = None


class Knee(Stored):
    """Where throughput ceases to grow with the users."""

    verdict: Literal["plateau", "bend", "none", "paced", "not_evaluable"]
    reason: str
    users: float | None = None
    users_low: float | None = None
    users_high: float | None = None
    throughput_per_s: float | None = None
    reached_at_s: float | None = None
    slope_ratio: float | None = None
    bic_gain: float | None = None
    p95_ratio: float | None = None


class LittlesLaw(Stored):
    """Whether users, throughput and response times fit together."""

    verdict: Literal["consistent", "paced", "inconsistent", "not_evaluable"]
    reason: str
    think_time_s: float | None = None


class Capacity(Stored):
    """Throughput and response times against concurrency."""

    verdict: Literal["evaluated", "not_evaluable"]
    reason: str
    levels: tuple[Level, ...] = ()
    fit: ScalabilityFit | None = None
    knee: Knee | None = None
    little: LittlesLaw | None = None


class CorrelationAnalysis(Analysis):
    """All pairs that were tested, the most certain first."""

    answer: Literal["moves_with", "insufficient_evidence", "not_evaluable"] = "not_evaluable"
    window_start: UtcTime | None = None
    window_s: float | None = None
    grids: tuple[Grid, ...] = ()
    clock: ClockCheck | None = None
    pairs_tested: int = 0
    pairs: tuple[Pair, ...] = ()
    pairs_left_out: int = 0
    """Tested, not significant, and beyond what the file holds."""
    untestable: dict[str, str] = Field(default_factory=dict)
    """Metrics that could not be tested, and why."""
    capacity: Capacity | None = None
