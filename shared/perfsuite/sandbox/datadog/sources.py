"""Time series as the agents send them: a metric, its tags, and points."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

import numpy as np

from perfsuite.sandbox.datadog.catalog import METRICS, Metric
from perfsuite.sandbox.datadog.curves import Floats
from perfsuite.sandbox.datadog.spec import Row

Values = Callable[[Floats], Floats]
Quantiles = Callable[[Floats, float], Floats]


@dataclass(frozen=True)
class Source:
    """One series. `values` gives NaN where nothing was sent."""

    metric: Metric
    tags: frozenset[str]
    values: Values
    quantiles: Quantiles | None = None
    times: Floats | None = None
    """When it was sent, if not on the grid of its metric."""
    begins: float = 0.0
    ends: float = float("inf")

    def points(self, begin: float, end: float, quantile: float | None = None) -> tuple[Floats, Floats]:
        """Times and values from `begin` on and before `end`."""
        times = self._times(max(begin, self.begins), min(end, self.ends))
        asked = self.values(times) if quantile is None or not self.quantiles else self.quantiles(times, quantile)
        there = np.isfinite(asked)
        return times[there], asked[there]

    def _times(self, begin: float, end: float) -> Floats:
        if self.times is not None:
            return self.times[(self.times >= begin) & (self.times < end)]
        width = self.metric.interval_s
        return np.arange(np.ceil(begin / width), np.ceil(end / width), dtype=np.float64) * width


class Origin(Protocol):
    """Something that series come from."""

    def metrics(self) -> dict[str, Metric]: ...

    def sources(self, metric: str) -> list[Source]: ...


@dataclass
class Measured:
    """Series of measured rows."""

    rows: tuple[Row, ...]
    _found: dict[str, list[Source]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ordered = sorted(self.rows, key=lambda row: (row.metric, row.tags, row.timestamp))
        for (name, tags), rows in groupby(ordered, key=lambda row: (row.metric, row.tags)):
            self._found.setdefault(name, []).append(_measured(name, tags, rows))

    def metrics(self) -> dict[str, Metric]:
        return {name: found[0].metric for name, found in self._found.items()}

    def sources(self, metric: str) -> list[Source]:
        return self._found.get(metric, [])


def _measured(name: str, tags: tuple[str, ...], rows: Iterator[Row]) -> Source:
    kept = list(rows)
    times = np.array([row.timestamp for row in kept])
    values = np.array([np.nan if row.value is None else row.value for row in kept])
    metric = METRICS.get(name) or Metric(name, kept[0].kind, kept[0].unit)
    return Source(metric, frozenset(tags), lambda asked: values[np.searchsorted(times, asked)], times=times)
