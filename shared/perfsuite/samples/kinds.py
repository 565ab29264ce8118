"""Tells sub-results from samples in a CSV file, which lists both alike.

Two marks give a sub-result away, both only among the rows of one thread. JMeter names the parts of a sample `parent-0`,
`parent-1`, and they lie within the parent's time. And where a transaction controller generates a parent sample, its
children follow its row and lie within its time, while otherwise they stand before it.
"""

import re
from typing import Final

from perfsuite.samples.engine import Engine

_NUMBERED: Final = re.compile(r"^(.*)-\d+$", re.DOTALL)
_DEEPEST: Final = 20
_KINDS: Final = "row_kinds"
_PARENTS: Final = "possible_parents"
_SECOND_US: Final = 1_000_000
FEWEST_ROWS: Final = 50
"""Below this, that all times are whole seconds may be chance."""
COARSE: Final = (
    "The times are whole seconds, so the children of transactions that generate a parent sample cannot be told from "
    "samples: where a plan has such transactions, they are counted in the total."
)


def possible_parents(labels: list[str]) -> list[tuple[str, str]]:
    """(label, ancestor) for each label that could be a sub-result of another label of the run."""
    known = set(labels)
    return [(label, ancestor) for label in known for ancestor in _ancestors(label) if ancestor in known]


def may_hold_subresults(labels: list[tuple[str, str]], columns: set[str]) -> bool:
    """Whether the rows must be looked at one by one. Without thread names that cannot be done."""
    names = [label for _, label in labels]
    return "thread" in columns and (any(kind == "transaction" for kind, _ in labels) or bool(possible_parents(names)))


def has_coarse_times(engine: Engine, ordered: str) -> bool:
    """Whether all times are whole seconds, so that what ran within what cannot be seen."""
    [(found,)] = engine.rows(
        f"SELECT bool_and(started_us % {_SECOND_US} = 0) AND count(*) >= {FEWEST_ROWS} FROM {ordered}"
    )
    return bool(found)


def find_subresults(engine: Engine, ordered: str, labels: list[str]) -> str:
    """Find them among rows with `row`, `engine`, `thread`, `label`, `kind`, `started_us`, `elapsed_us`, `idle_us`.

    Returns a table with `row` and the right `kind`, in the order of `row`.
    """
    engine.run(f"CREATE OR REPLACE TEMP TABLE {_PARENTS} (label VARCHAR, ancestor VARCHAR)")
    if pairs := possible_parents(labels):
        engine.run(
            f"INSERT INTO {_PARENTS} SELECT unnest($labels), unnest($ancestors)",
            {"labels": [label for label, _ in pairs], "ancestors": [ancestor for _, ancestor in pairs]},
        )
    is_coarse = has_coarse_times(engine, ordered)
    engine.run(_within_transactions(ordered, by_time=not is_coarse), what="telling sub-results from samples")
    _judge_edges(engine)
    if pairs:
        _mark_numbered(engine, tolerance_us=_SECOND_US if is_coarse else 0)
    return f"(SELECT row, kind FROM {_KINDS} ORDER BY row)"


def _ancestors(label: str) -> list[str]:
    found: list[str] = []
    while len(found) < _DEEPEST and (match := _NUMBERED.match(label)):
        label = match.group(1)
        found.append(label)
    return found


def _within_transactions(ordered: str, *, by_time: bool) -> str:
    """Rows inside the time of a transaction row that stands before them in the same thread are its children."""
    return f"""
        CREATE OR REPLACE TEMP TABLE {_KINDS} AS
        SELECT row, coalesce(engine, '') AS engine, coalesce(thread, '') AS thread, label, started_us, ended_us,
               CASE WHEN {by_time} AND kind = 'sample'
                         AND started_us >= tc_start AND started_us < tc_end AND ended_us <= tc_end
                    THEN 'sub' ELSE kind END AS kind,
               coalesce({by_time} AND kind = 'sample' AND started_us = tc_end AND ended_us = tc_end, false)
                    AS is_on_edge
        FROM (
            SELECT *, max(tc_ended) OVER earlier AS tc_end, arg_max(started_us, tc_ended) OVER earlier AS tc_start
            FROM (
                SELECT *, started_us + elapsed_us AS ended_us,
                       CASE WHEN kind = 'transaction' THEN started_us + elapsed_us + coalesce(idle_us, 0) END
                       AS tc_ended
                FROM {ordered}
            )
            WINDOW earlier AS (
                PARTITION BY engine, thread ORDER BY row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            )
        )
    """


def _judge_edges(engine: Engine) -> None:
    """A row of no length at the end of a transaction may be its last child or the next sample: its label decides."""
    engine.run(
        f"""
        UPDATE {_KINDS} SET kind = 'sub' WHERE is_on_edge AND label IN (
            SELECT label FROM {_KINDS} WHERE NOT is_on_edge GROUP BY label
            HAVING count(*) FILTER (kind = 'sub') * 2 > count(*)
        )
        """
    )


def _mark_numbered(engine: Engine, *, tolerance_us: int) -> None:
    """Mark `parent-0` where the last `parent` of its thread holds it in time. `Page-1` after `Page` stays a sample."""
    engine.run(
        f"""
        CREATE OR REPLACE TEMP TABLE {_KINDS} AS
        SELECT * REPLACE (CASE WHEN row IN (
            SELECT part.row
            FROM (SELECT k.*, p.ancestor FROM {_KINDS} k JOIN {_PARENTS} p USING (label) WHERE kind = 'sample') part
            ASOF JOIN {_KINDS} parent
              ON part.engine = parent.engine AND part.thread = parent.thread AND part.ancestor = parent.label
                 AND part.row > parent.row
            WHERE part.started_us >= parent.started_us AND part.ended_us <= parent.ended_us + {tolerance_us}
        ) THEN 'sub' ELSE kind END AS kind)
        FROM {_KINDS}
        """,
        what="telling sub-results from samples",
    )
