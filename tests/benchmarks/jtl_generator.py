"""Makes large JMeter result files, the same bytes for the same arguments."""

import subprocess
import sys
from pathlib import Path
from typing import Final

COLUMNS: Final = (
    "timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "dataType", "success",
    "failureMessage", "bytes", "sentBytes", "grpThreads", "allThreads", "URL", "Latency", "IdleTime", "Connect",
)  # fmt: skip
LABELS: Final = 40


def generate(folder: Path, rows: int, *, fractional: bool = False) -> Path:
    """The file in this folder, made if it is not there yet.

    A process of its own makes it: a child's peak memory, as Linux counts it, begins at its parent's.
    """
    target = folder / f"{rows}{'-fractional' if fractional else ''}.csv"
    if not target.exists():
        subprocess.run([sys.executable, __file__, str(target), str(rows), "1" if fractional else "0"], check=True)
    return target


def write(target: Path, rows: int, *, fractional: bool) -> None:
    """An hour of load under 40 labels with a long tail, 0.5 % errors, about 133 bytes a row."""
    import duckdb

    milliseconds = "round({0}, 3)" if fractional else "{0}::BIGINT"
    tail = "exp((a + b + c) * 2.2) * 3"
    temporary = target.with_suffix(".part")
    duckdb.execute(
        f"""
        COPY (
            WITH numbers AS (
                SELECT i, hash(i) AS x, hash(i + 1000000007) AS y, hash(i * 7 + 3) AS z FROM range({rows}) t(i)
            ), draws AS (
                SELECT *, ((y >> 8) % 1000000) / 1e6 AS a, ((y >> 28) % 1000000) / 1e6 AS b,
                       ((z >> 28) % 1000000) / 1e6 AS c, z % 200 = 0 AS failed, x % {LABELS} AS number FROM numbers
            )
            SELECT 1790000000000 + (i * 3600000 // {rows}) + (x % 7)::BIGINT AS "timeStamp",
                   {milliseconds.format(f"greatest(1, 20 + (15 * number) % 600 + {tail})")} AS elapsed,
                   format('{{:02d}} GET /api/v1/resource', number::INT) AS label,
                   CASE WHEN failed THEN '500' ELSE '200' END AS "responseCode",
                   CASE WHEN failed THEN 'Internal Server Error' ELSE 'OK' END AS "responseMessage",
                   'Checkout 1-' || (x % 200 + 1) AS "threadName", 'text' AS "dataType",
                   CASE WHEN failed THEN 'false' ELSE 'true' END AS success, NULL AS "failureMessage",
                   1000 + (y % 5000) AS bytes, 200 + (y % 50) AS "sentBytes", 200 AS "grpThreads", 200 AS "allThreads",
                   'https://shop.example/api/v1/r/' || number AS "URL", 5 + (z % 50) AS "Latency", 0 AS "IdleTime",
                   z % 3 AS "Connect"
            FROM draws ORDER BY i
        ) TO '{temporary}' (HEADER, QUOTE '"')
        """
    )
    temporary.rename(target)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), fractional=sys.argv[3] == "1")
