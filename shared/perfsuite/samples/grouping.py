"""One pass over the samples that keeps every distinct value with its count, so that memory follows values, not rows."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from perfsuite.samples.columns import EARLIEST_US, LATEST_US, LONGEST_US
from perfsuite.samples.definitions import Apdex
from perfsuite.samples.engine import Engine

BUCKET_US: Final = 10_000_000

GROUPED: Final = "grouped"
"""The temporary table that `group` leaves: one row per label, kind, outcome and value; and where `is_time`, one per
engine and bucket of time."""


_BY_VALUE: Final = "label, kind, success, value_us"
_BY_TIME: Final = "engine, bucket"


@dataclass(frozen=True)
class Counting:
    """How rows are counted, as SQL."""

    value: str
    count: str
    errors: str


_ROWS: Final = Counting("elapsed_us", "count(*)", "count(*) FILTER (NOT success)")
_WEIGHTED: Final = Counting(
    "elapsed_us // greatest(sample_count, 1)",
    "sum(greatest(sample_count, 1))::BIGINT",
    "sum(CASE WHEN sample_count > 1 THEN error_count ELSE (NOT success)::INTEGER END)::BIGINT",
)


def counting(weighted: bool) -> Counting:
    """A row of JMeter may stand for several samples whose times were added up."""
    return _WEIGHTED if weighted else _ROWS


def group(engine: Engine, relation: str, *, weighted: bool, what: str) -> None:
    """Fill the table `grouped` from a relation with the canonical columns, reading it once."""
    keys = f"grouping(label) = 1 AS is_time, {_BY_VALUE}, {_BY_TIME}"
    sql = _grouped(relation, keys, f"GROUPING SETS (({_BY_VALUE}), ({_BY_TIME}))", weighted)
    engine.run(f"CREATE OR REPLACE TEMP TABLE {GROUPED} AS {sql}", what=what)


def group_by_value(engine: Engine, relation: str, values: dict[str, Any], *, weighted: bool) -> None:
    """Fill the table `grouped` without the stretches of time, for statistics alone."""
    sql = _grouped(relation, f"false AS is_time, {_BY_VALUE}", _BY_VALUE, weighted)
    engine.run(f"CREATE OR REPLACE TEMP TABLE {GROUPED} AS {sql}", values)


def _grouped(relation: str, keys: str, by: str, weighted: bool) -> str:
    by_weight = counting(weighted)
    # Where rows are samples, the outcome in the key tells the errors, and counting them again would cost time.
    errors = by_weight.errors if weighted else "NULL"
    return f"""
        SELECT {keys}, count(*) AS row_count, {by_weight.count} AS n, {errors} AS errors,
               sum(bytes) AS bytes, sum(sent_bytes) AS sent_bytes,
               min(started_us) AS first_us, max(started_us + elapsed_us) AS last_us, max(all_threads) AS users
        FROM (SELECT *, {by_weight.value} AS value_us, started_us // {BUCKET_US} AS bucket FROM {relation})
        GROUP BY {by}
    """


def is_suspicious(engine: Engine) -> bool:
    """Whether something was read that no sample can be, which only the careful reader can point at."""
    [(found,)] = engine.rows(
        f"""
        SELECT count(*) FROM {GROUPED} WHERE
            (NOT is_time AND (value_us IS NULL OR value_us < 0 OR value_us > {LONGEST_US} OR success IS NULL
                              OR contains(label, chr(0))))
            OR first_us < {EARLIEST_US} OR last_us >= {LATEST_US}
        """
    )
    return bool(found)


class LabelFacts(NamedTuple):
    """What adds up over the values of a label. None stands where no file told."""

    kind: str
    label: str
    errors: int
    first_us: int
    last_us: int
    bytes: float | None
    sent_bytes: float | None
    satisfied: int
    within: int
    """Successes within the limit that is tolerated, the satisfied ones among them."""


def label_facts(engine: Engine, apdex: Apdex) -> list[LabelFacts]:
    """One a label, sorted by kind and label."""
    within = "(sum(n) FILTER (success AND value_us <= {0}))::BIGINT"
    found = engine.rows(
        f"""
        SELECT kind, label, sum(coalesce(errors, CASE WHEN success THEN 0 ELSE n END))::BIGINT, min(first_us),
               max(last_us), sum(bytes)::DOUBLE, sum(sent_bytes)::DOUBLE,
               coalesce({within.format(apdex.satisfied_ms * 1000)}, 0),
               coalesce({within.format(apdex.tolerated_ms * 1000)}, 0)
        FROM {GROUPED} WHERE NOT is_time GROUP BY kind, label ORDER BY kind, label
        """
    )
    return [LabelFacts(*row) for row in found]


def label_values(engine: Engine) -> dict[str, Any]:
    """The values of every label, ascending, and how often each occurred; `id` is the label's place in `label_facts`."""
    engine.run(
        f"""
        CREATE OR REPLACE TEMP TABLE label_ids AS
        SELECT kind, label, (row_number() OVER (ORDER BY kind, label) - 1)::INTEGER AS id
        FROM (SELECT DISTINCT kind, label FROM {GROUPED} WHERE NOT is_time)
        """
    )
    return engine.arrays(
        f"""
        SELECT id, value_us, n::BIGINT AS n FROM {GROUPED} JOIN label_ids USING (kind, label)
        WHERE NOT is_time ORDER BY id, value_us
        """
    )


def values_together(engine: Engine, kind: str | None) -> dict[str, Any]:
    """The values of all labels of a kind, or of all there are, together."""
    return engine.arrays(
        f"""
        SELECT value_us, sum(n)::BIGINT AS n FROM {GROUPED} WHERE NOT is_time AND coalesce(kind = $kind, true)
        GROUP BY value_us ORDER BY value_us
        """,
        {"kind": kind},
    )


def labels(engine: Engine) -> list[tuple[str, str]]:
    """(kind, label) in the order of `label_facts`."""
    return engine.rows(f"SELECT DISTINCT kind, label FROM {GROUPED} WHERE NOT is_time ORDER BY kind, label")


def concurrency(engine: Engine) -> int | None:
    """Each engine's most threads, added up over the engines."""
    [(found,)] = engine.rows(
        f"SELECT sum(most)::BIGINT FROM (SELECT max(users) AS most FROM {GROUPED} WHERE is_time GROUP BY engine)"
    )
    return None if found is None else int(found)


def gaps(engine: Engine, shortest_us: int) -> list[tuple[int, int]]:
    """Stretches in which nothing ran: when the last sample before ended, and when the next one began."""
    return engine.rows(
        f"""
        SELECT ended, first_us FROM (
            SELECT first_us, max(last_us) OVER earlier AS ended FROM {GROUPED} WHERE is_time
            WINDOW earlier AS (ORDER BY first_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ) WHERE first_us - ended >= {shortest_us} ORDER BY first_us
        """
    )


def kinds_found(engine: Engine) -> set[str]:
    return {kind for (kind,) in engine.rows(f"SELECT DISTINCT kind FROM {GROUPED} WHERE NOT is_time")}


def has_whole_seconds(engine: Engine, fewest_rows: int) -> bool:
    """Whether no group of so many rows begins between two seconds, as when times have no milliseconds."""
    [(found,)] = engine.rows(
        f"SELECT bool_and(first_us % 1000000 = 0) AND sum(row_count) >= {fewest_rows} FROM {GROUPED} WHERE is_time"
    )
    return bool(found)


def row_count(engine: Engine) -> int:
    [(found,)] = engine.rows(f"SELECT coalesce(sum(row_count), 0)::BIGINT FROM {GROUPED} WHERE is_time")
    return int(found)


def window(engine: Engine) -> tuple[int, int]:
    """The start of the first sample and the end of the last."""
    [(first, last)] = engine.rows(f"SELECT min(first_us), max(last_us) FROM {GROUPED} WHERE is_time")
    return int(first), int(last)
