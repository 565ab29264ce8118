"""The canonical columns of a sample, as CONTRACT names them, and what JMeter calls them.

`row` is not stored: it is the position of the row in the Parquet file, which every read gives for nothing, while
numbering the rows on the way in makes DuckDB read the source on one thread and doubles the time of an import.
"""

from typing import Final

SQL_TYPES: Final[dict[str, str]] = {
    "started_at": "TIMESTAMP",
    "elapsed_us": "BIGINT",
    "label": "VARCHAR",
    "kind": "VARCHAR",
    "success": "BOOLEAN",
    "sample_count": "INTEGER",
    "error_count": "INTEGER",
    "response_code": "VARCHAR",
    "response_message": "VARCHAR",
    "failure_message": "VARCHAR",
    "thread": "VARCHAR",
    "engine": "VARCHAR",
    "bytes": "BIGINT",
    "sent_bytes": "BIGINT",
    "connect_ms": "DOUBLE",
    "latency_ms": "DOUBLE",
    "idle_ms": "DOUBLE",
    "group_threads": "INTEGER",
    "all_threads": "INTEGER",
    "url": "VARCHAR",
}

JTL_NAMES: Final[dict[str, str]] = {
    "timeStamp": "started_at",
    "elapsed": "elapsed_us",
    "label": "label",
    "responseCode": "response_code",
    "responseMessage": "response_message",
    "threadName": "thread",
    "success": "success",
    "failureMessage": "failure_message",
    "bytes": "bytes",
    "sentBytes": "sent_bytes",
    "grpThreads": "group_threads",
    "allThreads": "all_threads",
    "URL": "url",
    "Latency": "latency_ms",
    "IdleTime": "idle_ms",
    "Connect": "connect_ms",
    "SampleCount": "sample_count",
    "ErrorCount": "error_count",
    "Hostname": "engine",
}
JTL_OTHER: Final = ("dataType", "Filename", "Encoding")
JTL_REQUIRED: Final = ("timeStamp", "elapsed", "label", "success")

TRANSACTION_MESSAGE: Final = "Number of samples in transaction"
EMPTY_TRANSACTION_MESSAGE: Final = "Number of samples in transaction : 0,"

REMOTE_THREAD: Final = r"^([\w.\-]+:\d+)-"
"""JMeter puts the engine before the thread's name in a distributed run."""

EARLIEST_US: Final = 631_152_000_000_000
"""1990-01-01. A time before it, or after LATEST_US, is a broken field, not a sample."""
LATEST_US: Final = 4_102_444_800_000_000
"""2100-01-01."""
LONGEST_US: Final = 365 * 86_400 * 1_000_000
"""A year: no sample takes longer."""
