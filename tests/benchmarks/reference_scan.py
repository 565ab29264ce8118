"""The reference: DuckDB reads a result file with all columns typed, and gives one count and the sums. Nothing else."""

import sys

import duckdb
from jtl_generator import COLUMNS

WHOLE = ("timeStamp", "bytes", "sentBytes", "grpThreads", "allThreads", "Latency", "IdleTime", "Connect")
TYPES = dict.fromkeys(WHOLE, "BIGINT")
TYPES |= {"elapsed": "DOUBLE" if "--fractional" in sys.argv else "BIGINT", "success": "BOOLEAN"}

columns = {name: TYPES.get(name, "VARCHAR") for name in COLUMNS}
sums = ", ".join(f'sum("{name}")' for name, kind in columns.items() if kind in ("BIGINT", "DOUBLE"))
print(
    duckdb.execute(
        f"SELECT count(*), {sums} FROM "
        "read_csv(?, columns = ?, header = true, delim = ',', quote = '\"', auto_detect = false)",
        [sys.argv[1], columns],
    ).fetchall()
)
