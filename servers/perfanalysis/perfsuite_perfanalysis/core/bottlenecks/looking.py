"""Every class in turn, and what was found, the likeliest first; the load generator comes before all."""

from collections.abc import Callable
from typing import Final

from perfsuite.artifacts.analyses import Finding, Severity
from perfsuite.artifacts.bottlenecks import Bottleneck, BottleneckClass, ClassVerdict, Confidence
from perfsuite_perfanalysis.core.bottlenecks import failing, machines, waiting
from perfsuite_perfanalysis.core.bottlenecks.facts import Facts, Look

LOOKS: Final[tuple[Callable[[Facts], Look], ...]] = (
    machines.load_generator,
    machines.cpu,
    machines.memory,
    waiting.network,
    waiting.downstream,
    waiting.pool,
    failing.error_onset,
    waiting.throughput_plateau,
    failing.drift,
    waiting.queueing,
    failing.fast_failures,
)
_RANK: Final[dict[Confidence, int]] = {"high": 0, "medium": 1, "low": 2}
_SEVERITY: Final[dict[Confidence, Severity]] = {"high": "critical", "medium": "major", "low": "minor"}
_CAUSES: Final[frozenset[BottleneckClass]] = frozenset({"cpu", "memory", "network", "downstream", "pool"})
"""Places. What else is found are effects, which come after them."""


def look(facts: Facts) -> tuple[tuple[ClassVerdict, ...], tuple[Bottleneck, ...]]:
    """The verdict on every class, and the bottlenecks."""
    looks = [one(facts) for one in LOOKS]
    order = {one.verdict.kind: number for number, one in enumerate(looks)}
    found = [part for one in looks for part in one.found]
    found.sort(key=lambda one: (*_likelihood(one), order[one.kind], one.subject))
    return tuple(one.verdict for one in looks), tuple(found)


def findings_of(found: tuple[Bottleneck, ...]) -> tuple[Finding, ...]:
    """The same as a report lists findings."""
    return tuple(
        Finding(
            id=one.id,
            kind=one.kind,
            severity=_SEVERITY[one.confidence],
            subject=one.subject,
            text=f"{one.text} Confidence: {one.confidence}.",
            evidence={
                "confidence": one.confidence,
                "onset_s": one.onset.at_s if one.onset else None,
                "onset_users": one.onset.users if one.onset else None,
                "next_check": one.next_check,
            },
        )
        for one in found
    )


def _likelihood(one: Bottleneck) -> tuple[int, int]:
    if one.kind == "load_generator":
        return 0, 0
    is_place = one.kind in _CAUSES and one.confidence != "low"
    return (1 if is_place else 2), _RANK[one.confidence]
