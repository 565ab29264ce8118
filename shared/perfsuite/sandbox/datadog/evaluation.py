"""Answers of metric queries: series into buckets of time, then over space, and only then arithmetic."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np

from perfsuite.sandbox.datadog.catalog import Metric
from perfsuite.sandbox.datadog.curves import Floats
from perfsuite.sandbox.datadog.language import Expression, Function, MetricQuery, Name, Number, Operation
from perfsuite.sandbox.datadog.sources import Source
from perfsuite.sandbox.datadog.units import Unit, unit_of
from perfsuite.sandbox.datadog.windows import Window

Units = tuple[Unit | None, Unit | None]
_WITHOUT_UNIT: Final[Units] = (None, None)
_SECOND: Final = "second"


@dataclass(frozen=True)
class Answered:
    """One series of an answer. `values` is NaN where there is no data."""

    groups: tuple[str, ...]
    times: Floats
    values: Floats
    interval: int
    units: Units = _WITHOUT_UNIT
    query: MetricQuery | None = None

    def there(self) -> "Answered":
        """Only the buckets with data."""
        kept = np.isfinite(self.values)
        return replace(self, times=self.times[kept], values=self.values[kept])


class Sources(Protocol):
    """Where series are found."""

    def sources(self, metric: str) -> list[Source]: ...


@dataclass(frozen=True)
class Evaluation:
    """Answers the queries of one request."""

    found: Sources
    window: Window
    asked_s: float | None = None
    named: dict[str, Expression] = field(default_factory=dict)

    def series(self, expression: Expression) -> list[Answered]:
        """The series of an expression, in the order of their groups."""
        match expression:
            case MetricQuery():
                return self._of_metric(expression)
            case Name():
                return self.series(self.named[expression.name])
            case Function():
                return [_applied(expression.name, one) for one in self.series(expression.of)]
            case Operation(sign, Number(left), right) if not isinstance(right, Number):
                return [_calculated(sign, one, left, swapped=True) for one in self.series(right)]
            case Operation(sign, left, Number(right)):
                return [_calculated(sign, one, right) for one in self.series(left)]
            case Operation():
                return _joined(expression.sign, self.series(expression.left), self.series(expression.right))
        return []

    def _of_metric(self, query: MetricQuery) -> list[Answered]:
        grouped: dict[tuple[str, ...], list[Source]] = {}
        for source in self.found.sources(query.metric):
            if query.test(source.tags):
                for group in _groups(source.tags, query.by):
                    grouped.setdefault(group, []).append(source)
        interval = self.window.interval(query.rollup_s or self.asked_s)
        found = [self._over_space(query, group, sources, interval) for group, sources in sorted(grouped.items())]
        return [one for one in found if np.isfinite(one.values).any()]

    def _over_space(self, query: MetricQuery, group: tuple[str, ...], sources: list[Source], interval: int) -> Answered:
        first, last = _edges(self.window, interval)
        times = np.arange(first, last, interval, dtype=np.float64)
        table = np.full((len(sources), len(times)), np.nan)
        for row, source in enumerate(sources):
            table[row] = self._over_time(query, source, times, interval)
        metric = sources[0].metric
        return Answered(
            group, times, _aggregated(query, _filled(query, metric, table, interval)), interval,
            _units(query, metric), query,
        )  # fmt: skip

    def _over_time(self, query: MetricQuery, source: Source, times: Floats, interval: int) -> Floats:
        if not len(times):
            return times
        end = min(times[-1] + interval, self.window.end, self.window.now)
        at, values = source.points(times[0], end, query.quantile)
        how, scale = _rollup(query, source.metric, interval)
        return scale * _bucketed(how, ((at - times[0]) // interval).astype(np.int64), values, len(times))


def _edges(window: Window, interval: int) -> tuple[float, float]:
    """Buckets begin at multiples of their width; the first one lies wholly in the window, the last perhaps not."""
    first = np.ceil(window.begin / interval) * interval
    last = min(window.end, window.now)
    return float(first), float(last)


def _rollup(query: MetricQuery, metric: Metric, interval: int) -> tuple[str, float]:
    """How points become one, and what it is multiplied by. A count that is not asked for as one is a rate."""
    if metric.kind != "count":
        return query.rollup or "avg", 1.0
    if query.counted_as == "count":
        return query.rollup or "sum", 1.0
    if query.counted_as == "rate" and query.rollup is None:
        return "sum", 1.0 / interval
    return query.rollup or "avg", 1.0 / metric.interval_s


def _bucketed(how: str, places: "np.typing.NDArray[np.int64]", values: Floats, count: int) -> Floats:
    counts = np.bincount(places, minlength=count)[:count].astype(np.float64)
    if how in ("max", "min"):
        worst = -np.inf if how == "max" else np.inf
        found = np.full(count, worst)
        (np.maximum if how == "max" else np.minimum).at(found, places, values)
    elif how == "count":
        found = counts
    else:
        found = np.bincount(places, weights=values, minlength=count)[:count]
        found = found / np.maximum(counts, 1) if how == "avg" else found
    return np.where(counts > 0, found, np.nan)


def _filled(query: MetricQuery, metric: Metric, table: Floats, interval: int) -> Floats:
    """Gaps of a series are bridged where another one has data, unless the query says otherwise; counts never are."""
    how = query.fill or ("null" if query.counted_as or metric.kind == "count" or len(table) < 2 else "linear")
    if how == "null":
        return table
    if how == "zero":
        return np.where(np.isfinite(table), table, 0.0)
    asked = np.isfinite(table).any(axis=0) if query.fill is None else np.ones(table.shape[1], dtype=bool)
    most = max(1, query.fill_limit_s // interval)
    return np.array([np.where(asked, _bridged(row, most, how), row) for row in table])


def _bridged(row: Floats, most: int, how: str) -> Floats:
    known = np.flatnonzero(np.isfinite(row))
    if not len(known):
        return row
    places = np.arange(len(row))
    before = known[np.clip(np.searchsorted(known, places, side="right") - 1, 0, None)]
    after = known[np.clip(np.searchsorted(known, places), None, len(known) - 1)]
    if how == "last":
        near = (places >= before) & (places - before <= most)
        return np.where(near, row[before], row)
    inside = (places >= known[0]) & (places <= known[-1]) & (after - before <= most + 1)
    return np.where(inside, np.interp(places, known, row[known]), row)


def _aggregated(query: MetricQuery, table: Floats) -> Floats:
    there = np.isfinite(table)
    counts = there.sum(axis=0).astype(np.float64)
    match query.aggregator:
        case "sum":
            found = np.where(there, table, 0.0).sum(axis=0)
        case "min":
            found = np.where(there, table, np.inf).min(axis=0, initial=np.inf)
        case "max":
            found = np.where(there, table, -np.inf).max(axis=0, initial=-np.inf)
        case "count":
            found = counts
        case _:
            found = np.where(there, table, 0.0).sum(axis=0) / np.maximum(counts, 1)
    return np.where(counts > 0, found, np.nan)


def _groups(tags: frozenset[str], by: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The groups of a series: several, where it has a tag several times; `N/A` where it has none of that name."""
    found: list[tuple[str, ...]] = [()]
    for key in by:
        values = sorted(tag for tag in tags if tag.startswith(f"{key}:")) or [f"{key}:N/A"]
        found = [(*group, value) for group in found for value in values]
    return found


def _units(query: MetricQuery, metric: Metric) -> Units:
    if query.aggregator == "count" or query.rollup == "count":
        return _WITHOUT_UNIT
    per = metric.per
    if metric.kind == "count" and query.counted_as != "count":
        per = _SECOND
    return unit_of(metric.unit), unit_of(per) if metric.unit else None


def _applied(function: str, one: Answered) -> Answered:
    values = np.nan_to_num(one.values, nan=0.0) if function == "default_zero" else np.abs(one.values)
    return replace(one, values=values)


_SIGNS: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": lambda left, right: np.divide(left, right, out=np.full_like(left, np.nan), where=right != 0),
}


def _calculated(sign: str, one: Answered, number: float, *, swapped: bool = False) -> Answered:
    other = np.full_like(one.values, number)
    left, right = (other, one.values) if swapped else (one.values, other)
    units = _WITHOUT_UNIT if sign == "/" and swapped else one.units
    return replace(one, values=_SIGNS[sign](left, right), units=units, query=None)


def _joined(sign: str, left: list[Answered], right: list[Answered]) -> list[Answered]:
    """Series of equal groups meet; one without groups meets every other."""
    if len(right) == 1 and not right[0].groups:
        return [_met(sign, one, right[0], one.groups) for one in left]
    if len(left) == 1 and not left[0].groups:
        return [_met(sign, left[0], one, one.groups) for one in right]
    others = {frozenset(one.groups): one for one in right}
    return [_met(sign, one, other, one.groups) for one in left if (other := others.get(frozenset(one.groups)))]


def _met(sign: str, left: Answered, right: Answered, groups: tuple[str, ...]) -> Answered:
    times = np.union1d(left.times, right.times)
    values = _SIGNS[sign](at_times(left, times), at_times(right, times))
    units = left.units if sign in "+-" else _WITHOUT_UNIT
    return Answered(groups, times, values, max(left.interval, right.interval), units)


def at_times(one: Answered, times: Floats) -> Floats:
    """The values at these times, NaN at those that the series does not have."""
    found = np.full(len(times), np.nan)
    found[np.isin(times, one.times)] = one.values[np.isin(one.times, times)]
    return found
