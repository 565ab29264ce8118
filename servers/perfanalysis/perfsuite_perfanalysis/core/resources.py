"""Hosts and containers in numbers: use, room, throttling, restarts, trends, leaks."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from perfsuite.artifacts.infrastructure import Metric, NotRated, Reading, Resource, Service, ServiceMetric, Trend
from perfsuite_perfanalysis.core import series, thresholds
from perfsuite_perfanalysis.core.identity import finding_id, shown
from perfsuite_perfanalysis.core.readings import MetricSeries, Subject
from perfsuite_perfanalysis.core.series import Floats

SIGNIFICANT: Final = 0.01
LEAST_CHANGE: Final = 0.05
"""Of the level of a metric, or in percentage points divided by a hundred: less is no trend worth a word."""
SOAK_S: Final = 1_800.0
LEAK_POINTS: Final = 5.0
"""Percentage points by which memory must fill, over the window, to be suspected of a leak."""
_HEADROOM: Final = {
    thresholds.CPU: "limit",
    thresholds.MEMORY: "limit",
    thresholds.CPU_REQUEST: "request",
    thresholds.MEMORY_REQUEST: "request",
}
_MEMORY_BYTES: Final = ("kubernetes.memory.working_set", "kubernetes.memory.usage", "jvm.heap_memory")


@dataclass(frozen=True)
class Windows:
    """The run, and its steady state where there is one, in seconds after the first sample."""

    run_s: float
    steady: tuple[float, float] | None

    @property
    def level(self) -> tuple[float, float]:
        """Where the load is constant, if anywhere."""
        return self.steady or (0.0, self.run_s)


def resource_of(subject: Subject, found: Mapping[str, MetricSeries], windows: Windows) -> Resource | None:
    """Everything about one host or container; None where no reading lies in the run."""
    whole = {name: one.within(0.0, windows.run_s) for name, one in found.items()}
    metrics = tuple(_metric(one, _peaks_of(name, whole), windows) for name, one in whole.items() if len(one.known))
    not_rated = tuple(_not_rated(subject, whole))
    if not metrics and not not_rated:
        return None
    leak, reason = _leak(whole, {one.metric: one for one in metrics}, windows)
    throttled = next((one.whole.average for one in metrics if one.metric == thresholds.THROTTLED), None)
    return Resource(
        id=finding_id("resource", subject.scope, subject.environment, subject.service, subject.host, subject.name),
        scope=subject.scope,
        name=shown(subject.name),
        host=shown(subject.host),
        service=shown(subject.service),
        environment=shown(subject.environment),
        metrics=metrics,
        not_rated=not_rated,
        throttled_pct=throttled,
        restarts=_restarts(whole.get(thresholds.RESTARTS)),
        leak=leak,
        leak_reason=reason,
    )


def trend_of(values: Floats, interval_s: float) -> Trend:
    """The trend of a metric within a window, tested."""
    found = series.trend(values)
    if found is None:
        return Trend(verdict="not_tested", reason=f"There are fewer than {series.FEWEST} readings.")
    span_s = max(interval_s, (len(values) - 1) * interval_s)
    matters = abs(found.change) >= LEAST_CHANGE * max(abs(found.median), 1e-12)
    is_certain = found.p_value < SIGNIFICANT and found.change_low * found.change_high > 0
    verdict = "none" if not (matters and is_certain) else "rising" if found.change > 0 else "falling"
    how = f"p = {found.p_value:.2g} with {found.n_effective:.0f} independent readings of {found.n}"
    return Trend.model_validate(
        {
            "verdict": verdict,
            "reason": f"Changes by {found.change:.4g} over {span_s:.0f} s, {how}.",
            "change": found.change,
            "change_low": found.change_low,
            "change_high": found.change_high,
            "per_hour": found.change / span_s * 3600,
            "p_value": found.p_value,
            "n": found.n,
            "n_effective": found.n_effective,
        }
    )


def above(one: MetricSeries, threshold: float) -> tuple[float, float, float | None]:
    """Seconds at or above a threshold, the longest of them without a break, and when those began.

    A reading that is missing ends a stretch: nobody knows what happened then.
    """
    high = np.nan_to_num(one.evenly(), nan=-np.inf) >= threshold
    edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]])))
    if not len(edges):
        return 0.0, 0.0, None
    starts, ends = edges[::2], edges[1::2]
    best = int(np.argmax(ends - starts))
    seconds = [float(count) * one.interval_s for count in (high.sum(), ends[best] - starts[best])]
    return seconds[0], seconds[1], float(one.at_s[0] + starts[best] * one.interval_s)


def services_of(resources: Iterable[Resource]) -> tuple[Service, ...]:
    """The containers of each service together."""
    together: dict[tuple[str, str], list[Resource]] = {}
    for one in resources:
        if one.scope == "container":
            together.setdefault((one.environment, one.service), []).append(one)
    return tuple(_service(name, environment, parts) for (environment, name), parts in sorted(together.items()))


def _peaks_of(name: str, whole: Mapping[str, MetricSeries]) -> MetricSeries | None:
    """The highest values within the intervals of a metric, where they were collected: averages hide peaks."""
    return next((whole[peak] for peak in (f"{name}_max", f"{name}.max") if peak in whole), None)


def _metric(one: MetricSeries, peaks: MetricSeries | None, windows: Windows) -> Metric:
    threshold = thresholds.threshold_of(one.metric, one.unit)
    steady = one.within(*windows.steady) if windows.steady else None
    whole = _with_peak(_reading(one, threshold), peaks)
    inside = _reading(steady, threshold) if steady is not None and len(steady.known) else None
    if inside is not None and peaks is not None and windows.steady:
        inside = _with_peak(inside, peaks.within(*windows.steady))
    headroom_to = _HEADROOM.get(one.metric)
    level = one.within(*windows.level)
    return Metric.model_validate(
        {
            "metric": shown(one.metric),
            "unit": shown(one.unit),
            "interval_s": one.interval_s,
            "threshold": threshold,
            "headroom": 100.0 - (inside or whole).p95 if headroom_to else None,
            "headroom_to": headroom_to,
            "whole": whole,
            "steady": inside,
            "trend": trend_of(level.evenly(), one.interval_s),
        }
    )


def _reading(one: MetricSeries, threshold: float | None) -> Reading:
    known = one.known
    place = int(np.nanargmax(one.values))
    over = above(one, threshold) if threshold is not None else None
    return Reading(
        readings=len(known),
        missing=len(one.evenly()) - len(known),
        average=float(known.mean()),
        p95=float(np.percentile(known, 95)),
        minimum=float(known.min()),
        maximum=float(known.max()),
        maximum_at_s=float(one.at_s[place]),
        above_threshold_s=over[0] if over else None,
        longest_above_s=over[1] if over else None,
        above_from_s=over[2] if over else None,
    )


def _with_peak(seen: Reading, peaks: MetricSeries | None) -> Reading:
    if peaks is None or not len(peaks.known) or float(peaks.known.max()) <= seen.maximum:
        return seen
    place = int(np.nanargmax(peaks.values))
    return seen.model_copy(update={"maximum": float(peaks.values[place]), "maximum_at_s": float(peaks.at_s[place])})


def _not_rated(subject: Subject, found: Mapping[str, MetricSeries]) -> Iterator[NotRated]:
    if subject.scope != "container":
        return
    for metric, (raw, usual) in thresholds.RATED.items():
        rated, measured = found.get(metric), found.get(raw)
        if rated is not None and len(rated.known):
            continue
        if measured is None or not len(measured.known):
            continue
        known = measured.known
        yield NotRated(
            metric=metric,
            reason=shown(rated.note) if rated is not None and rated.note else usual,
            raw_metric=raw,
            unit=shown(measured.unit),
            average=float(known.mean()),
            p95=float(np.percentile(known, 95)),
            maximum=float(known.max()),
        )


def _restarts(found: MetricSeries | None) -> int | None:
    """How often the counter rose within the run: that it stands at three may be years old."""
    if found is None or not len(found.known):
        return None
    return int(np.maximum(np.diff(found.known), 0).sum())


def _leak(whole: Mapping[str, MetricSeries], metrics: Mapping[str, Metric], windows: Windows) -> tuple[str, str]:
    name = next((name for name in (thresholds.MEMORY, *_MEMORY_BYTES) if name in metrics), None)
    if name is None:
        return "not_evaluable", "No metric of its memory was collected."
    from_s, to_s = windows.level
    if windows.steady is None:
        return "not_evaluable", "The load has no steady state, and memory follows the load."
    if to_s - from_s < SOAK_S:
        return "not_evaluable", f"{to_s - from_s:.0f} s of constant load are too short; {SOAK_S:.0f} s are needed."
    trend = metrics[name].trend
    if trend.verdict != "rising" or trend.change is None:
        return "not_seen", f"{name} does not rise under constant load. {trend.reason}"
    if name == thresholds.MEMORY and trend.change < LEAK_POINTS:
        return "not_seen", f"{name} rises by {trend.change:.1f} points only. {trend.reason}"
    if not _keeps_rising(whole[name].within(from_s, to_s)):
        return "not_seen", f"{name} rose and then stayed: a cache that filled looks like that. {trend.reason}"
    return "suspected", f"{name} rises under constant load. {trend.reason}"


def _keeps_rising(one: MetricSeries) -> bool:
    """Whether the last third still rises, by a third of what the thirds before it rose."""
    thirds = np.array_split(one.known, 3)
    low, middle, high = (float(np.median(part)) for part in thirds)
    return high - middle > (middle - low) / 3


def _service(name: str, environment: str, parts: list[Resource]) -> Service:
    names = sorted({metric.metric for part in parts for metric in part.metrics})
    restarts = [part.restarts for part in parts if part.restarts is not None]
    return Service(
        name=name,
        environment=environment,
        containers=len(parts),
        restarts=sum(restarts) if restarts else None,
        metrics=tuple(_over_containers(metric, parts) for metric in names),
    )


def _over_containers(metric: str, parts: list[Resource]) -> ServiceMetric:
    found = [(part.name, one) for part in parts for one in part.metrics if one.metric == metric]
    worst_name, worst = max(found, key=lambda pair: (pair[1].whole.p95, pair[0]))
    return ServiceMetric(
        metric=metric,
        unit=worst.unit,
        mean=float(np.mean([one.whole.average for _, one in found])),
        worst=worst.whole.p95,
        worst_container=worst_name,
    )
