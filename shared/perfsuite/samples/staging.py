"""The rows of result files, held in their order, for the questions that depend on it."""

from typing import Final

from perfsuite.samples import kinds
from perfsuite.samples.columns import EMPTY_TRANSACTION_MESSAGE
from perfsuite.samples.engine import Engine

STAGED: Final = "staged"
_ORDERED: Final = f"(SELECT rowid AS row, engine, thread, label, kind, started_us, elapsed_us, idle_us FROM {STAGED})"


def stage(engine: Engine, relation: str) -> str:
    """Keep what statistics need of every row, in the order of the files."""
    engine.run(
        f"""
        CREATE OR REPLACE TEMP TABLE {STAGED} AS
        SELECT started_us, elapsed_us, label, kind, success, sample_count, error_count, bytes, sent_bytes, engine,
               thread, all_threads, (idle_ms * 1000)::BIGINT AS idle_us,
               coalesce(starts_with(response_message, '{EMPTY_TRANSACTION_MESSAGE}'), false) AS is_empty_transaction
        FROM {relation}
        """,
        what="reading samples",
    )
    return STAGED


def with_subresults(engine: Engine, labels: list[str]) -> str:
    """The staged rows with sub-results told from samples."""
    found = kinds.find_subresults(engine, _ORDERED, labels)
    return f"(SELECT s.* REPLACE (k.kind AS kind) FROM {STAGED} s JOIN {found} k ON s.rowid = k.row)"
