"""The kpi.jtl that each engine of BlazeMeter writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perfsuite.samples import parquet
from perfsuite.samples.engine import Engine, quoted, quoted_path

_COLUMNS: Final = {
    "timeStamp": "(started_us + {shift}) // 1000",
    "elapsed": "round(elapsed_us / 1000)::BIGINT",
    "label": "label",
    "responseCode": "response_code",
    "responseMessage": "response_message",
    "threadName": "thread",
    "success": "success",
    "bytes": "coalesce(bytes, 0)",
    "grpThreads": "users",
    "allThreads": "users",
    "Latency": "coalesce(round(latency_ms), 0)::BIGINT",
    "Hostname": "'engine-' || (engine_no + 1)",
    "Connect": "coalesce(round(connect_ms), 0)::BIGINT",
}
_FEWER: Final = (
    "label", "timeStamp", "success", "elapsed", "responseCode", "responseMessage", "threadName", "allThreads",
    "grpThreads", "Latency", "Connect", "bytes",
)  # fmt: skip
"""The columns of an engine that writes them in another order, and no Hostname."""


@dataclass(frozen=True)
class Part:
    """Which rows a kpi file has, and how."""

    engine: int
    shift_us: int = 0
    execution: int = 0
    executions: int = 1
    is_unusual: bool = False


def divide(engine: Engine, canonical: Path, target: Path, engines: int, *, known: bool) -> None:
    """Give every row its engine: the one it has, or one by its thread, so that threads stay whole."""
    rows, by = parquet.relation(canonical), "engine" if known else "thread"
    users = "all_threads" if known else f"all_threads // {engines} + (engine_no < all_threads % {engines})::INTEGER"
    engine.run(
        f"""
        COPY (
            SELECT * REPLACE ({users} AS all_threads), {users} AS users FROM (
                SELECT rows.*, coalesce(named.number, rows.row % {engines}) AS engine_no FROM {rows} rows
                LEFT JOIN (
                    SELECT {by} AS name, (row_number() OVER (ORDER BY {by}) - 1) % {engines} AS number
                    FROM (SELECT DISTINCT {by} FROM {rows} WHERE {by} IS NOT NULL)
                ) named ON named.name = rows.{by}
            ) ORDER BY row
        ) TO {quoted(str(target))} (FORMAT parquet)
        """
    )


def write(rows: Path, target: Path, part: Part) -> None:
    """Write the kpi file of one engine and execution."""
    names = _FEWER if part.is_unusual else tuple(_COLUMNS)
    columns = ", ".join(f'{_COLUMNS[name].format(shift=part.shift_us)} AS "{name}"' for name in names)
    with Engine() as engine:
        engine.run(
            f"""
            COPY (
                SELECT {columns} FROM read_parquet({quoted_path(rows)})
                WHERE engine_no = {part.engine} AND row % {part.executions} = {part.execution} ORDER BY row
            ) TO {quoted(str(target))} (FORMAT csv, HEADER)
            """
        )
