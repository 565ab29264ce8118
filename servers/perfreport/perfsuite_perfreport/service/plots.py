"""From the id of a chart to what draws it: its data is read first, so that what is missing is said before any work."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from perfsuite.artifacts.run_id import shown
from perfsuite.errors import BadInput, NotFound
from perfsuite_perfreport.core.charts import generator, heatmap, rankings, relations, resources, timelines
from perfsuite_perfreport.models.charts import ChartType
from perfsuite_perfreport.service.material import Material
from perfsuite_perfreport.service.metric_files import Readings

if TYPE_CHECKING:
    from perfsuite.artifacts.analyses import SlaCheck
    from perfsuite_perfreport.core.charts.sheet import Sheet

Plot = Callable[["Sheet"], None]

_MOST_NAMES: Final = 10
_FEWEST_LEVELS: Final = 2
_OF_TIMES: Final[dict[str, str]] = {"P90_USERS": "p90_ms"}


@dataclass(frozen=True)
class Use:
    """A resource that may be used up: its metric in percent, and that against what was requested."""

    what: str
    metric: str
    requested: str


_CPU: Final = Use("processor use (of the host, or of the limit)", "cpu_util_pct", "cpu_request_pct")
_MEMORY: Final = Use("memory use (of the host, or of the limit)", "mem_util_pct", "mem_request_pct")


def plot_of(kind: ChartType, material: Material, resource: str | None) -> Plot:
    """What draws a chart, or the error that says what is missing."""
    if kind in _USES:
        use, with_users = _USES[kind]
        return _use(material, use, resource, with_users)
    if resource is not None:
        raise BadInput(
            f"{kind} is about the whole run and takes no `resource`; found {shown(resource)}.",
            next_step=f"Leave it out, or take one of {', '.join(_USES)}.",
        )
    return _PLOTS[kind](material)


def limit_of(kind: ChartType, material: Material) -> float | None:
    """The limit in milliseconds that slas.yaml sets for the whole run, for charts of one percentile."""
    sla = material.performance.sla if kind in _OF_TIMES else None
    checks: tuple[SlaCheck, ...] = sla.checks if sla else ()
    return next((one.limit for one in checks if one.subject == "ALL" and one.metric == _OF_TIMES[kind]), None)


def takes_resource(kind: ChartType) -> bool:
    """Whether a chart may be that of one host or service."""
    return kind in _USES


def resource_names(material: Material) -> list[str]:
    """The hosts, services and containers that a chart can be made of."""
    found = material.readings(_CPU.metric, _MEMORY.metric)
    return list(dict.fromkeys(name for one in found for name in _names(one) if name))


def _throughput(material: Material) -> Plot:
    return partial(timelines.throughput_users, back=material.back, over=material.over)


def _percentiles(material: Material) -> Plot:
    return partial(
        timelines.percentiles_over_time, back=material.back, over=material.over_for("p95_ms"), method=material.method
    )


def _p90(material: Material) -> Plot:
    return partial(timelines.p90_users, back=material.back, over=material.over_for("p90_ms"), method=material.method)


def _errors(material: Material) -> Plot:
    return partial(timelines.errors_by_code, back=material.back, codes=material.codes())


def _against_throughput(material: Material) -> Plot:
    return partial(
        relations.latency_vs_throughput, back=material.back, over=material.over_for("p95_ms"), method=material.method
    )


def _against_users(material: Material) -> Plot:
    capacity = material.correlation.capacity
    if capacity is None or len(capacity.levels) < _FEWEST_LEVELS:
        why = capacity.reason if capacity else "it holds no capacity"
        raise material.lacking(f"correlation_analysis.json has no levels of users: {why}")
    return partial(relations.latency_vs_users, back=material.back, capacity=capacity)


def _distribution(material: Material) -> Plot:
    overall = material.performance.overall
    if overall is None or not overall.distribution:
        raise material.lacking("performance_analysis.json has no distribution", "analyze_test_results")
    return partial(relations.latency_distribution, back=material.back, overall=overall, method=material.method)


def _slowest(material: Material) -> Plot:
    if not any(one.whole.percentiles_ms.get("p95_ms") for one in material.performance.labels if one.kind != "sub"):
        raise material.lacking("no label has enough samples for a P95")
    return partial(rankings.top_slowest, back=material.back, labels=material.performance.labels, method=material.method)


def _margins(material: Material) -> Plot:
    sla = material.performance.sla
    if sla is None or not any(one.margin is not None for one in sla.checks):
        why = sla.reason if sla else "No limits were looked at."
        what = f"no limit was evaluated: {why}"
        raise material.lacking(what) if sla and sla.checks else material.without_limits(what)
    return partial(rankings.sla_margins, back=material.back, checks=sla.checks, profile=sla.profile)


def _correlation(material: Material) -> Plot:
    found = material.correlation
    if not any(one.partial is not None for one in found.pairs):
        why = " ".join(found.reasons) or "no pair could be tested"
        raise material.lacking(f"nothing was correlated: {why}")
    return partial(heatmap.correlation_heatmap, back=material.back, pairs=found.pairs, tested=found.pairs_tested)


def _generator(material: Material) -> Plot:
    return partial(
        generator.generator_health,
        back=material.back,
        found=material.generator(),
        health=material.performance.generator,
    )


_PLOTS: Final[dict[str, Callable[[Material], Plot]]] = {
    "THROUGHPUT_USERS": _throughput,
    "PERCENTILES_OVER_TIME": _percentiles,
    "P90_USERS": _p90,
    "ERRORS_BY_CODE": _errors,
    "LATENCY_VS_THROUGHPUT": _against_throughput,
    "LATENCY_VS_USERS": _against_users,
    "LATENCY_DISTRIBUTION": _distribution,
    "TOP_SLOWEST": _slowest,
    "SLA_MARGINS": _margins,
    "CORRELATION_HEATMAP": _correlation,
    "GENERATOR_HEALTH": _generator,
}
_USES: Final[dict[str, tuple[Use, bool]]] = {
    "CPU_UTILIZATION": (_CPU, False),
    "MEMORY_UTILIZATION": (_MEMORY, False),
    "CPU_USERS": (_CPU, True),
    "MEMORY_USERS": (_MEMORY, True),
}


def _use(material: Material, use: Use, resource: str | None, with_users: bool) -> Plot:
    over = material.over if with_users else None
    if resource is None:
        found = material.readings(use.metric)
        every = _resources(material, use, found, [one.line() for one in found])
        return partial(resources.all_resources, back=material.back, found=every, over=over)
    found = material.readings(use.metric, use.requested)
    name, chosen = _chosen(found, resource)
    lines = [_as_part(one, use) for one in chosen] if len(chosen) <= _FEWEST_LEVELS else _of_service(chosen, use)
    one = _resources(material, use, chosen, lines)
    return partial(resources.one_resource, back=material.back, found=one, name=name, over=over)


def _resources(
    material: Material, use: Use, found: list[Readings], lines: list[resources.MetricLine]
) -> resources.Resources:
    missing = sum(value != value for one in found for value in one.values.values())
    known = material.infrastructure
    limits = {
        metric.threshold
        for one in (known.resources if known else ())
        for metric in one.metrics
        if metric.metric == use.metric
    }
    threshold = limits.pop() if len(limits) == 1 else None
    return resources.Resources(use.what, tuple(lines), threshold, missing)


def _chosen(found: list[Readings], resource: str) -> tuple[str, list[Readings]]:
    """The readings of a host, a container or a service by its name."""
    chosen = [one for one in found if resource in _names(one)]
    if chosen:
        return resource, chosen
    names = sorted({name for one in found for name in _names(one) if name})
    near = get_close_matches(resource, names, n=3, cutoff=0.4) or names[:_MOST_NAMES]
    raise NotFound(
        f"No host, service or container {shown(resource)} was measured; {len(names)} names are known.",
        next_step=f"Name one such as {', '.join(map(shown, near))}.",
    )


def _names(one: Readings) -> tuple[str, ...]:
    who = one.subject
    return (who.name, who.shown, who.service)


def _as_part(one: Readings, use: Use) -> resources.MetricLine:
    """Of a single resource, what was used of its limit and of what it requested."""
    return one.line(f"{one.subject.shown}: of the request" if one.metric == use.requested else one.subject.shown)


def _of_service(chosen: list[Readings], use: Use) -> list[resources.MetricLine]:
    """The containers of a service: the highest, and the mean beside it, which alone would hide the highest."""
    containers = [one for one in chosen if one.metric == use.metric] or chosen
    if len(containers) <= _FEWEST_LEVELS:
        return [_as_part(one, use) for one in chosen]
    together: dict[float, list[float]] = {}
    for one in containers:
        for at, value in one.values.items():
            together.setdefault(at, []).append(value)
    highest = {at: float(np.nanmax(values)) for at, values in together.items() if not np.isnan(values).all()}
    means = {at: float(np.nanmean(values)) for at, values in together.items() if at in highest}
    count = len(containers)
    return [
        containers[0]._replace(values=highest).line(f"highest of {count} containers"),
        containers[0]._replace(values=means).line(f"mean of {count} containers"),
    ]
