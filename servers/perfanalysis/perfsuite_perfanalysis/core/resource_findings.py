"""What a report should say about hosts and containers, the worst first."""

from collections.abc import Iterable, Iterator
from typing import Final

from perfsuite.artifacts.analyses import Finding, Severity
from perfsuite.artifacts.infrastructure import Metric, Resource
from perfsuite_perfanalysis.core import thresholds
from perfsuite_perfanalysis.core.findings import ORDER
from perfsuite_perfanalysis.core.identity import finding_id

SUSTAINED_S: Final = 180.0
"""How long a threshold must be passed without a break to be more than a peak."""
_GRAVE: Final = frozenset({thresholds.CPU, thresholds.MEMORY})


def resource_findings(resources: Iterable[Resource]) -> tuple[Finding, ...]:
    """From the numbers of every resource."""
    found = [finding for one in resources for finding in (*_saturated(one), *_others(one))]
    return tuple(sorted(found, key=lambda one: (ORDER.index(one.severity), one.kind, one.subject, one.id)))


def _saturated(resource: Resource) -> Iterator[Finding]:
    for metric in resource.metrics:
        over = metric.whole
        if metric.threshold is None or (over.longest_above_s or 0.0) < SUSTAINED_S:
            continue
        severity: Severity = "major" if metric.metric in _GRAVE else "minor"
        yield Finding(
            id=finding_id("saturated", resource.id, metric.metric),
            kind="saturated",
            severity=severity,
            subject=resource.name,
            text=f"{metric.metric} of {resource.name!r} was at {metric.threshold:g} or more for "
            f"{over.longest_above_s:.0f} s without a break, from {over.above_from_s:.0f} s on.",
            evidence=_numbers(metric),
        )


def _others(resource: Resource) -> Iterator[Finding]:
    if resource.leak == "suspected":
        text = f"The memory of {resource.name!r} fills up, as a leak does. {resource.leak_reason}"
        yield _finding(resource, "leak_suspect", "major", text)
    if resource.restarts:
        often = "once" if resource.restarts == 1 else f"{resource.restarts} times"
        text = f"{resource.name!r} restarted {often} during the test."
        yield _finding(resource, "restarts", "major", text, restarts=resource.restarts)
    for one in resource.not_rated:
        text = f"{one.metric} of {resource.name!r} cannot be told: {one.reason}; {one.raw_metric} is given as it is."
        yield Finding(
            id=finding_id("not_rated", resource.id, one.metric),
            kind="not_rated",
            severity="info",
            subject=resource.name,
            text=text,
            evidence={"average": one.average, "p95": one.p95, "maximum": one.maximum, "unit": one.unit},
        )


def _finding(resource: Resource, kind: str, severity: Severity, text: str, **evidence: int) -> Finding:
    return Finding(
        id=finding_id(kind, resource.id),
        kind=kind,
        severity=severity,
        subject=resource.name,
        text=text,
        evidence=dict(evidence),
    )


def _numbers(metric: Metric) -> dict[str, str | int | float | bool | None]:
    whole = metric.whole
    return {
        "average": whole.average,
        "p95": whole.p95,
        "maximum": whole.maximum,
        "threshold": metric.threshold,
        "above_threshold_s": whole.above_threshold_s,
        "longest_above_s": whole.longest_above_s,
        "from_s": whole.above_from_s,
    }
