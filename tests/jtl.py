"""JMeter result files for tests, and what perfsuite reads in them."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from perfsuite.samples import spool
from perfsuite.samples.columns import SQL_TYPES
from perfsuite.samples.engine import Engine
from perfsuite.samples.options import DEFAULT_READ, ReadOptions
from perfsuite.samples.rows import Row
from perfsuite.samples.sources import Sources
from perfsuite.samples.summary import Summary, summarise

START_MS = 1_700_000_000_000
COLUMNS = (
    "timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "success", "failureMessage",
    "bytes", "sentBytes", "grpThreads", "allThreads", "URL", "Latency", "IdleTime", "Connect",
)  # fmt: skip
HEADER = ",".join(COLUMNS)
READ = ("started_us", *(name for name in SQL_TYPES if name != "started_at"))
"""The columns that `rows_read` gives."""


def sample(**fields: object) -> dict[str, object]:
    """One good row, with other values for the fields that matter."""
    return {
        "timeStamp": START_MS, "elapsed": 100, "label": "Home", "responseCode": "200", "responseMessage": "OK",
        "threadName": "Users 1-1", "success": "true", "failureMessage": "", "bytes": 2048, "sentBytes": 512,
        "grpThreads": 5, "allThreads": 5, "URL": "http://shop.example/", "Latency": 40, "IdleTime": 0, "Connect": 7,
    } | fields  # fmt: skip


def samples(*elapsed: float, **fields: object) -> list[dict[str, object]]:
    """One row for each time, a second apart."""
    return [sample(timeStamp=START_MS + 1000 * i, elapsed=value, **fields) for i, value in enumerate(elapsed)]


def text(rows: Iterable[dict[str, object]], columns: Sequence[str] = COLUMNS, **dialect: Any) -> str:
    """The rows as JMeter writes them."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", **({"lineterminator": "\n"} | dialect))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def put(folder: Path, content: str | bytes, name: str = "results.jtl") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def stats(folder: Path, content: str | bytes, **options: Any) -> Summary:
    return summarise([put(folder, content)], **options)


def as_json(summary: Summary) -> dict[str, Any]:
    """What the command prints, read back by a parser that takes no NaN."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    found: dict[str, Any] = json.loads(json.dumps(summary.as_json(), allow_nan=False), parse_constant=refuse)
    return found


def rows_read(
    engine: Engine, paths: list[Path], *, careful: bool, options: ReadOptions = DEFAULT_READ
) -> list[tuple[Any, ...]] | None:
    """Every row of the files by the fast or by the careful way; None where the fast way does not take them."""
    sources = Sources(engine, paths, options)
    if careful:
        sources.distrust()
    elif sources.are_all_careful:
        return None
    try:
        return engine.rows(f"SELECT {', '.join(READ)} FROM {sources.relation()}")
    except duckdb.Error:
        if careful:
            raise
        return None


def spooled(folder: Path, rows: list[Row]) -> list[tuple[Any, ...]]:
    """Rows after their way through the file that the careful reader leaves for DuckDB."""
    spool.spool(rows, folder / "rows")
    with Engine() as engine:
        return engine.rows(f"SELECT {', '.join(READ)} FROM {spool.relation(folder / 'rows')}")
