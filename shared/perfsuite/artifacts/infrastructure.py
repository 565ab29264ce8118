"""`analysis/infrastructure_analysis.json`: hosts, services and containers while the test ran."""

from typing import Literal

from pydantic import Field

from perfsuite.artifacts.analyses import Analysis
from perfsuite.artifacts.schemas import Stored, UtcTime

Scope = Literal["host", "container"]


class Trend(Stored):
    """Whether a metric rises or falls: Theil and Sen's line, Kendall's test with the effective sample size."""

    verdict: Literal["rising", "falling", "none", "not_tested"]
    reason: str
    change: float | None = None
    """Over the whole window, in the unit of the metric."""
    change_low: float | None = None
    change_high: float | None = None
    per_hour: float | None = None
    p_value: float | None = None
    n: int = 0
    n_effective: float | None = None


class Reading(Stored):
    """A metric in a window."""

    readings: int
    missing: int
    average: float
    p95: float
    minimum: float
    maximum: float
    """The highest value within an interval, where that was collected; else the highest average of one."""
    maximum_at_s: float
    above_threshold_s: float | None = None
    longest_above_s: float | None = None
    """The longest time without a break above the threshold."""
    above_from_s: float | None = None


class Metric(Stored):
    """A metric of a resource: in the whole run, and in its steady state."""

    metric: str
    unit: str
    interval_s: float
    threshold: float | None = None
    headroom: float | None = None
    """What is left to the limit or the request at the 95th percentile, in percent of it; below 0 it is passed."""
    headroom_to: Literal["limit", "request"] | None = None
    whole: Reading
    steady: Reading | None = None
    trend: Trend


class NotRated(Stored):
    """A resource whose use cannot be put in percent, and what was measured of it."""

    metric: str
    reason: str
    raw_metric: str | None = None
    unit: str | None = None
    average: float | None = None
    p95: float | None = None
    maximum: float | None = None


class Resource(Stored):
    """A host or a container."""

    id: str
    scope: Scope
    name: str
    host: str
    service: str
    """The filter under which it was asked for; empty for hosts."""
    environment: str
    metrics: tuple[Metric, ...] = ()
    not_rated: tuple[NotRated, ...] = ()
    throttled_pct: float | None = None
    """Of the periods of its processor quota, on average."""
    restarts: int | None = None
    leak: Literal["suspected", "not_seen", "not_evaluable"] = "not_evaluable"
    leak_reason: str


class ServiceMetric(Stored):
    """A metric over all containers of a service; the mean alone would hide the one that is worst."""

    metric: str
    unit: str
    mean: float
    worst: float
    worst_container: str


class Service(Stored):
    """The containers that were asked for by one filter."""

    name: str
    environment: str
    containers: int
    restarts: int | None = None
    metrics: tuple[ServiceMetric, ...] = ()


class InfrastructureAnalysis(Analysis):
    """Every resource that metrics were collected of."""

    window_start: UtcTime | None = None
    window_s: float | None = None
    steady_from_s: float | None = None
    steady_to_s: float | None = None
    hosts: int = 0
    containers: int = 0
    resources: tuple[Resource, ...] = ()
    services: tuple[Service, ...] = ()
    unusable_files: dict[str, str] = Field(default_factory=dict)
