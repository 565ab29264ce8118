"""Samples on a grid of UTC: stretches of one width that begin at whole multiples of it, for every label at once.

Arrivals count where samples start; what they took counts where they end. Metrics of other tools have such buckets too.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from perfsuite.samples.engine import quoted
from perfsuite.samples.grouping import Counting, counting
from perfsuite.samples.queries import Samples
from perfsuite.samples.rows import Kind

MOST_CELLS: Final = 5_000_000

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


def sample_grid(found: Samples, width_s: float, kind: Kind, labels: tuple[tuple[str, str], ...]) -> SampleGrid:
    """These labels, and all samples of the main kind, in buckets of this width."""
    by = counting(found.metadata.weighted)
    width_us = round(width_s * 1e6)
    with found.engine() as engine:
        [(first, last)] = engine.rows(f"SELECT min(started_us), max(started_us + elapsed_us) FROM {found.relation}")
        begin, buckets = first // width_us, int(last // width_us - first // width_us) + 1
        cells: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {
            EVERYTHING: (
                engine.arrays(_ends(found.relation, f"kind = {quoted(kind)}", begin, width_us, by)),
                engine.arrays(_starts(found.relation, f"kind = {quoted(kind)}", begin, width_us, by)),
            )
        }
        for one in labels[: max(0, MOST_CELLS // buckets)]:
            where = f"kind = {quoted(one[0])} AND label = {quoted(one[1])}"
            cells[one] = (
                engine.arrays(_ends(found.relation, where, begin, width_us, by)),
                engine.arrays(_starts(found.relation, where, begin, width_us, by)),
            )
    lines = {key: _line(ends, starts, buckets) for key, (ends, starts) in cells.items()}
    return SampleGrid(int(begin) * width_us, width_us / 1e6, buckets, lines)


def _ends(rows: str, where: str, begin: int, width_us: int, by: Counting) -> str:
    return f"""
        SELECT ((started_us + elapsed_us) // {width_us} - {begin})::INTEGER AS bucket, {by.count} AS n,
               {by.errors} AS errors, avg({by.value}) FILTER (success) / 1e3 AS mean_ms,
               avg({by.value}) FILTER (NOT success) / 1e3 AS failed_ms,
               quantile_cont({by.value}, 0.95) FILTER (success) / 1e3 AS p95_ms,
               avg(connect_ms) FILTER (success) AS connect_ms,
               avg(latency_ms - coalesce(connect_ms, 0)) FILTER (success) AS waiting_ms,
               avg(greatest(elapsed_us / 1e3 - latency_ms, 0)) FILTER (success) AS transfer_ms,
               sum(bytes)::DOUBLE AS bytes
        FROM {rows} WHERE {where} GROUP BY bucket ORDER BY bucket
    """


def _starts(rows: str, where: str, begin: int, width_us: int, by: Counting) -> str:
    return f"""
        SELECT (started_us // {width_us} - {begin})::INTEGER AS bucket, {by.count} AS n
        FROM {rows} WHERE {where} GROUP BY bucket ORDER BY bucket
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
