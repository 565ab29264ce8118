"""The course of a run, second by second, and histograms of its times: small arrays out of many samples."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from perfsuite.samples.engine import Engine, quoted
from perfsuite.samples.grouping import Counting, counting
from perfsuite.samples.queries import Samples
from perfsuite.samples.rows import Kind

MOST_STEPS: Final = 100_000
MOST_ENGINES: Final = 200
BIN: Final = 1.005
"""The ratio of a bin's upper end to its lower one: a histogram resolves half a percent."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Course:
    """Rows of one kind by step of time. Starts are counted where they start, all else where
    it ends; users are added up over the engines, and stay what they were where an engine says nothing."""

    first_us: int
    width_s: float
    """One second, and more for runs that last longer than a day."""
    span_s: float
    starts: Ints
    completed: Ints
    errors: Ints
    sum_ms: Floats
    users: Floats
    """Not a number where nobody said."""
    engines: tuple[tuple[str, int, int], ...]
    """Name, first start and last end in microseconds."""

    @property
    def mean_ms(self) -> Floats:
        """Not a number where nothing ended."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Floats = self.sum_ms / self.completed
        return found


@dataclass(frozen=True)
class Histograms:
    """How often each label took how long, by stretch of time in which the samples started.

    One entry for each label, block, bin and outcome that occurred; entries are sorted by label. Bin b holds times from
    BIN**b microseconds on.
    """

    labels: tuple[tuple[str, str], ...]
    """(kind, label); `label` counts into it."""
    block_s: float
    blocks: int
    span_s: float
    """From the start of the first sample to that of the last, which need not fill the last block."""
    label: Ints
    block: Ints
    bin: Ints
    failed: NDArray[np.bool_]
    n: Ints


def course(found: Samples, kind: Kind = "sample") -> Course:
    """The course of the whole run, seen by one kind of rows."""
    by = counting(found.metadata.weighted)
    rows = f"(SELECT * FROM {found.relation} WHERE kind = {quoted(kind)})"
    with found.engine() as engine:
        [(first, last)] = engine.rows(f"SELECT min(started_us), max(started_us + elapsed_us) FROM {found.relation}")
        width_us = 1_000_000 * max(1, math.ceil((last - first) / 1e6 / MOST_STEPS))
        steps = int((last - first) // width_us) + 1
        ends = engine.arrays(_ends(rows, first, width_us, by))
        starts = engine.arrays(_starts(rows, first, width_us, by))
        users = engine.arrays(_users(rows, first, width_us))
        engines = _engines(engine, rows)
    return Course(
        first_us=first,
        width_s=width_us / 1e6,
        span_s=(last - first) / 1e6,
        starts=_placed(starts, "n", steps).astype(np.int64),
        completed=_placed(ends, "n", steps).astype(np.int64),
        errors=_placed(ends, "errors", steps).astype(np.int64),
        sum_ms=_placed(ends, "total_ms", steps),
        users=_levels(users, steps),
        engines=engines,
    )


def histograms(found: Samples, block_s: float) -> Histograms:
    """The times of every label in blocks of this width from the start of the first sample on."""
    by = counting(found.metadata.weighted)
    with found.engine() as engine:
        [(first, last)] = engine.rows(f"SELECT min(started_us), max(started_us) FROM {found.relation}")
        width_us = max(1, round(block_s * 1e6), (last - first) // MOST_STEPS)
        engine.run(
            f"""
            CREATE TEMP TABLE histogram AS
            SELECT kind, label, ((started_us - {first}) // {width_us})::INTEGER AS block, NOT success AS failed,
                   floor(ln(greatest({by.value}, 1)) / {math.log(BIN)!r} + 1e-9)::INTEGER AS bin, {by.count} AS n
            FROM {found.relation} GROUP BY ALL
            """
        )
        labels = engine.rows("SELECT DISTINCT kind, label FROM histogram ORDER BY kind, label")
        cells = engine.arrays(
            """
            SELECT id::INTEGER AS id, block, bin, failed, n::BIGINT AS n FROM histogram JOIN (
                SELECT kind, label, row_number() OVER (ORDER BY kind, label) - 1 AS id
                FROM (SELECT DISTINCT kind, label FROM histogram)
            ) USING (kind, label) ORDER BY id, block, bin, failed
            """
        )
    return Histograms(
        labels=tuple(labels),
        block_s=width_us / 1e6,
        blocks=int((last - first) // width_us) + 1,
        span_s=(last - first) / 1e6,
        label=cells["id"],
        block=cells["block"],
        bin=cells["bin"],
        failed=cells["failed"],
        n=cells["n"],
    )


@dataclass(frozen=True)
class Order:
    """What the order of the rows tells about the clock."""

    furthest_back_s: float
    """How far the times of rows lie before those of rows above them, more than the longest sample explains."""
    whole_seconds: bool


def order(found: Samples) -> Order:
    """Whether times run forward, by engine, as rows are written when samples end."""
    with found.engine() as engine:
        cells = engine.arrays(
            f"""
            SELECT dense_rank() OVER (ORDER BY engine) AS engine, max(started_us) AS latest, max(elapsed_us) AS longest,
                   bool_and(started_us % 1000000 = 0) AS whole
            FROM {found.relation} GROUP BY engine, row // 1000 ORDER BY engine, row // 1000
            """
        )
    back = 0
    for one in np.unique(cells["engine"]):
        latest = cells["latest"][cells["engine"] == one]
        back = max(back, int((np.maximum.accumulate(latest) - latest).max()))
    longest = int(cells["longest"].max())
    return Order(max(0, back - longest) / 1e6, bool(cells["whole"].all()))


def _ends(rows: str, first: int, width_us: int, by: Counting) -> str:
    return f"""
        SELECT (started_us + elapsed_us - {first}) // {width_us} AS step, {by.count} AS n, {by.errors} AS errors,
               sum(elapsed_us / 1e3) AS total_ms FROM {rows} GROUP BY step
    """


def _starts(rows: str, first: int, width_us: int, by: Counting) -> str:
    return f"SELECT (started_us - {first}) // {width_us} AS step, {by.count} AS n FROM {rows} GROUP BY step"


def _users(rows: str, first: int, width_us: int) -> str:
    return f"""
        SELECT number, (started_us + elapsed_us - {first}) // {width_us} AS step, max(all_threads) AS n
        FROM {rows} AS s JOIN (
            SELECT engine, row_number() OVER (ORDER BY n DESC, engine) AS number
            FROM (SELECT engine, count(*) AS n FROM {rows} WHERE all_threads IS NOT NULL GROUP BY engine)
        ) AS e ON s.engine IS NOT DISTINCT FROM e.engine
        WHERE number <= {MOST_ENGINES} AND all_threads IS NOT NULL GROUP BY number, step ORDER BY number, step
    """


def _engines(engine: Engine, rows: str) -> tuple[tuple[str, int, int], ...]:
    return tuple(
        engine.rows(
            "SELECT coalesce(engine, ''), min(started_us), max(started_us + elapsed_us) "
            f"FROM {rows} GROUP BY 1 ORDER BY 1 LIMIT {MOST_ENGINES}"
        )
    )


def _placed(found: dict[str, Any], name: str, steps: int) -> Floats:
    placed = np.zeros(steps)
    placed[found["step"].astype(np.int64)] = found[name]
    return placed


def _levels(found: dict[str, Any], steps: int) -> Floats:
    """The users of every engine, each as it last said, and none before its first and after its last word."""
    total = np.zeros(steps)
    number, step, users = (np.asarray(found[name]) for name in ("number", "step", "n"))
    if not len(number):
        return np.full(steps, np.nan)
    for one in np.unique(number):
        at, level = step[number == one].astype(np.int64), users[number == one].astype(np.float64)
        spans = np.append(np.diff(at), 1)
        total[at[0] : at[-1] + 1] += np.repeat(level, spans)
    return total
