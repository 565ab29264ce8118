"""How much of a time the readings of machines cover: what nobody measured was not calm."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from perfsuite_perfanalysis.core.identity import shown
from perfsuite_perfanalysis.core.readings import MetricSeries

ENOUGH: Final = 0.9
"""Of the test, for an analysis that is complete."""
ENOUGH_TO_RULE_OUT: Final = 0.5
"""Of the steady state, to say that a machine was not short of anything."""
_EDGES: Final = 2.0
"""Intervals at the ends of a time that need not be whole."""
_MOST_NAMED: Final = 10


def thin(found: Iterable[MetricSeries], from_s: float, to_s: float, enough: float) -> tuple[str, ...]:
    """The hosts and services of which too little of a time is covered, each with its share.

    Containers come and go, so those of a service are looked at together.
    """
    together: dict[tuple[str, str, str], list[MetricSeries]] = {}
    for one in found:
        subject = one.subject
        is_part = subject.scope == "container" and bool(subject.service)
        name = subject.service if is_part else subject.name
        together.setdefault((subject.environment, subject.scope, name), []).append(one)
    told = []
    for (_, _, name), parts in sorted(together.items()):
        covered_s, span_s = _covered_s(parts, from_s, to_s), to_s - from_s
        slack_s = max((1 - enough) * span_s, _EDGES * min(one.interval_s for one in parts))
        if span_s - covered_s > slack_s:
            told.append(f"{shown(name)!r} {covered_s / span_s:.0%} ({covered_s:.0f} of {span_s:.0f} s)")
    more = len(told) - _MOST_NAMED
    return (*told[:_MOST_NAMED], f"{more} more") if more > 0 else tuple(told)


def _covered_s(parts: Iterable[MetricSeries], from_s: float, to_s: float) -> float:
    """Seconds within which at least one series has a reading."""
    seconds = max(1, int(np.ceil(to_s - from_s)))
    changes = np.zeros(seconds + 1)
    for one in parts:
        starts = one.at_s[np.isfinite(one.values)] - from_s
        for moments, change in ((starts, 1), (starts + one.interval_s, -1)):
            np.add.at(changes, np.clip(np.round(moments), 0, seconds).astype(np.int64), change)
    return min(to_s - from_s, float((np.cumsum(changes)[:-1] > 0).sum()))
