"""Samples on a grid of UTC: stretches of one width that begin at whole multiples of it, for every label at once.

Arrivals count where samples start; what they took counts where they end. Metrics of other tools have such buckets too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfsuite.samples.engine import Engine, quoted
from perfsuite.samples.grouping import Counting, counting
from perfsuite.samples.queries import Samples
from perfsuite.samples.rows import Kind

MOST_CELLS: Final = 5_000_000
_START: Final = "started_us"
_END: Final = "started_us + elapsed_us"

Floats = NDArray[np.float64]
EVERYTHING: Final = ("", "")
"""The key of all samples of the main kind together."""


@dataclass(frozen=True)
class Line:
    """One label along the grid, in one value for each bucket. Means are not a number where nothing ended."""

    arrivals: Floats
    completed: Floats
    errors: Floats
    mean_ms: Floats
    """Of successes: failures may be quick, or wait for a time-out."""
    p95_ms: Floats
    failed_ms: Floats
    connect_ms: Floats
    waiting_ms: Floats
    """From the request sent to the first byte of the answer."""
    transfer_ms: Floats
    bytes: Floats

    def within(self, buckets: slice) -> "Line":
        """The same in some of the buckets."""
        return Line(**{name: values[buckets] for name, values in vars(self).items()})


@dataclass(frozen=True)
class SampleGrid:
    """All labels along the grid."""

    first_bucket_us: int
    width_s: float
    buckets: int
    lines: dict[tuple[str, str], Line]
    """By kind and label, and everything by `EVERYTHING`."""

    @property
    def starts_us(self) -> NDArray[np.int64]:
        return self.first_bucket_us + np.arange(self.buckets, dtype=np.int64) * round(self.width_s * 1e6)


def sample_grid(found: Samples, width_s: float, kind: Kind, labels: Sequence[tuple[str, str]] = ()) -> SampleGrid:
    """These labels, and all samples of the main kind, in buckets of this width."""
    by = counting(found.metadata.weighted)
    width_us = round(width_s * 1e6)
    with found.engine() as engine:
        [(first, last)] = engine.rows(f"SELECT min(started_us), max(started_us + elapsed_us) FROM {found.relation}")
        begin, buckets = first // width_us, int(last // width_us - first // width_us) + 1
        chosen = labels[: max(0, MOST_CELLS // buckets)]
        lines = {EVERYTHING: _everything(engine, found.relation, kind, _Buckets(begin, width_us, buckets), by)}
        lines |= _by_label(engine, found.relation, chosen, _Buckets(begin, width_us, buckets), by) if chosen else {}
    return SampleGrid(int(begin) * width_us, width_us / 1e6, buckets, lines)


class _Buckets(NamedTuple):
    begin: int
    width_us: int
    number: int

    def of(self, moment: str) -> str:
        """The bucket of a moment, as SQL."""
        return f"(({moment}) // {self.width_us} - {self.begin})::INTEGER"


def _everything(engine: Engine, rows: str, kind: Kind, buckets: _Buckets, by: Counting) -> Line:
    p95 = f"quantile_cont({by.value}, 0.95) FILTER (success) / 1e3 AS p95_ms"
    where = f"FROM {rows} WHERE kind = {quoted(kind)} GROUP BY bucket ORDER BY bucket"
    ends = engine.arrays(f"SELECT {buckets.of(_END)} AS bucket, {_measures(by)}, {p95} {where}")
    starts = engine.arrays(f"SELECT {buckets.of(_START)} AS bucket, {by.count} AS n {where}")
    return _line(ends, starts, buckets.number)


def _by_label(
    engine: Engine, rows: str, labels: Sequence[tuple[str, str]], buckets: _Buckets, by: Counting
) -> dict[tuple[str, str], Line]:
    """Each label by itself, by two passes over the samples whatever their number. Without percentiles."""
    engine.run("CREATE TEMP TABLE chosen (kind VARCHAR, label VARCHAR, id INTEGER)")
    for number, (kind, label) in enumerate(labels):
        values = {"kind": kind, "label": label, "id": number}
        engine.run("INSERT INTO chosen VALUES ($kind, $label, $id)", values)
    of_chosen = f"FROM {rows} JOIN chosen USING (kind, label) GROUP BY id, bucket ORDER BY id, bucket"
    ends = engine.arrays(
        f"SELECT id, {buckets.of(_END)} AS bucket, {_measures(by)}, NULL::DOUBLE AS p95_ms {of_chosen}"
    )
    starts = engine.arrays(f"SELECT id, {buckets.of(_START)} AS bucket, {by.count} AS n {of_chosen}")
    return {label: _line(_of(ends, number), _of(starts, number), buckets.number) for number, label in enumerate(labels)}


def _of(found: dict[str, Any], number: int) -> dict[str, Any]:
    place = slice(*np.searchsorted(found["id"], [number, number + 1]).tolist())
    return {name: values[place] for name, values in found.items()}


def _measures(by: Counting) -> str:
    return f"""
        {by.count} AS n, {by.errors} AS errors, avg({by.value}) FILTER (success) / 1e3 AS mean_ms,
        avg({by.value}) FILTER (NOT success) / 1e3 AS failed_ms, avg(connect_ms) FILTER (success) AS connect_ms,
        avg(latency_ms - coalesce(connect_ms, 0)) FILTER (success) AS waiting_ms,
        avg(greatest(elapsed_us / 1e3 - latency_ms, 0)) FILTER (success) AS transfer_ms, sum(bytes)::DOUBLE AS bytes
    """


def _line(ends: dict[str, Any], starts: dict[str, Any], buckets: int) -> Line:
    def placed(found: dict[str, Any], name: str, otherwise: float) -> Floats:
        line = np.full(buckets, otherwise)
        line[np.asarray(found["bucket"], dtype=np.int64)] = np.ma.filled(
            np.ma.asarray(found[name], dtype=np.float64), np.nan
        )
        return line

    return Line(
        arrivals=placed(starts, "n", 0.0),
        completed=placed(ends, "n", 0.0),
        errors=placed(ends, "errors", 0.0),
        **{
            name: placed(ends, name, np.nan)
            for name in ("mean_ms", "p95_ms", "failed_ms", "connect_ms", "waiting_ms", "transfer_ms", "bytes")
        },
    )
