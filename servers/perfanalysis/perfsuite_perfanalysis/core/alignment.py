"""Metrics and load on the buckets of one grid of UTC, each in its own interval, without inventing what is missing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from perfsuite_perfanalysis.core.readings import SHORTEST_GRID_S, MetricSeries
from perfsuite_perfanalysis.core.series import Floats

LONGEST_GAP: Final = 2
"""Intervals between two readings over which a line may be drawn."""
COVERED: Final = 0.5
"""The share of a bucket that readings must cover."""


@dataclass(frozen=True)
class Edges:
    """Buckets of one width, in seconds after the first sample."""

    first_s: float
    width_s: float
    buckets: int

    @property
    def starts_s(self) -> Floats:
        return self.edges_s[:-1]

    @property
    def edges_s(self) -> Floats:
        return self.first_s + np.arange(self.buckets + 1, dtype=np.float64) * self.width_s

    def whole(self, from_s: float, to_s: float) -> slice:
        """The buckets that lie wholly within a window."""
        inside = (self.starts_s >= from_s - 1e-6) & (self.starts_s + self.width_s <= to_s + 1e-6)
        places = np.flatnonzero(inside)
        return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def grid_width(interval_s: float) -> float:
    """The metric's own interval, and at least ten seconds."""
    return max(SHORTEST_GRID_S, float(round(interval_s)))


def by_width(found: Iterable[MetricSeries]) -> dict[float, list[MetricSeries]]:
    """The series by the width of the grid that fits them."""
    together: dict[float, list[MetricSeries]] = {}
    for one in found:
        together.setdefault(grid_width(one.interval_s), []).append(one)
    return dict(sorted(together.items()))


def on_grid(one: MetricSeries, edges: Edges) -> Floats:
    """The mean of a metric in each bucket, weighted by time; not a number where too little is known."""
    values = _bridged(one.evenly())
    if not len(values):
        return np.full(edges.buckets, np.nan)
    bounds = one.at_s[0] + np.arange(len(values) + 1) * one.interval_s
    known = np.isfinite(values)
    area = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0) * one.interval_s)])
    covered = np.concatenate([[0.0], np.cumsum(known * one.interval_s)])
    area_at, covered_at = (np.interp(edges.edges_s, bounds, line) for line in (area, covered))
    seconds = np.diff(covered_at)
    enough = seconds >= COVERED * edges.width_s
    found: Floats = np.where(enough, np.diff(area_at) / np.where(enough, seconds, 1.0), np.nan)
    return found


def load_on_grid(users: Floats, width_s: float, edges: Edges) -> Floats:
    """The mean of the users, of which one is given for each `width_s` from the first sample on."""
    middles = (np.arange(len(users)) + 0.5) * width_s
    place = np.floor((middles - edges.first_s) / edges.width_s).astype(np.int64)
    kept = np.isfinite(users) & (place >= 0) & (place < edges.buckets)
    counts = np.bincount(place[kept], minlength=edges.buckets)
    sums = np.bincount(place[kept], weights=users[kept], minlength=edges.buckets)
    found: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return found


def _bridged(values: Floats) -> Floats:
    """A line over single readings that are missing; longer gaps stay what they are."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return values
    bridged = values.copy()
    for place in np.flatnonzero(np.diff(known) > 1):
        first, last = int(known[place]), int(known[place + 1])
        if last - first <= LONGEST_GAP:
            bridged[first : last + 1] = np.linspace(values[first], values[last], last - first + 1)
    return bridged
