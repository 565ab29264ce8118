"""The reader of k6's `--out csv`: one line per metric and request, of which only the durations are samples."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from perfsuite.errors import BadFile
from perfsuite.samples.columns import LONGEST_US
from perfsuite.samples.dialect import Dialect
from perfsuite.samples.options import ReadOptions
from perfsuite.samples.readers import k6
from perfsuite.samples.readers.csv_records import TORN, Records
from perfsuite.samples.readers.csv_rows import INT32, milliseconds, whole
from perfsuite.samples.rows import ReadReport, Row
from perfsuite.samples.times import Clock

_COLUMNS: Final = frozenset(
    {"started_at", "elapsed_us", "label", "success", "response_code", "response_message", "failure_message", "url"}
)


def read(
    stream: BinaryIO, dialect: Dialect, options: ReadOptions, report: ReadReport, progress: Callable[[int], None]
) -> Iterator[Row]:
    """The requests and groups of a k6 CSV file, in its order."""
    report.columns.update(_COLUMNS)
    clock = Clock(options.timezone)
    metrics: set[str] = set()
    users: int | None = None
    at = dialect.names.index("metric_name")
    for record in Records(stream, dialect.delimiter, len(dialect.names), report, progress):
        metric = record.fields[at] if at < len(record.fields) else ""
        if metric == "metric_name":
            continue
        metrics.add(metric[:60])
        try:
            if metric == "vus":
                users = whole("vus", _named(record.fields, dialect)["metric_value"], INT32)
                report.columns.add("all_threads")
            elif metric in k6.KINDS:
                row = _row(_named(record.fields, dialect), clock, users)
                report.rows_read += 1
                yield row
        except ValueError as error:
            if record.torn:
                report.warn(TORN)
            report.reject(record.line, f"torn last row: {error}" if record.torn else str(error))
    if report.rows_read == 0:
        raise BadFile(
            f"This k6 file has no request durations. Metrics found: {', '.join(sorted(metrics)[:20]) or 'none'}.",
            next_step="Pass the file of a test that sends HTTP or gRPC requests (metric http_req_duration).",
        )


def _named(fields: list[str], dialect: Dialect) -> dict[str, str]:
    if len(fields) != len(dialect.names):
        raise ValueError(f"{len(fields)} fields where the header has {len(dialect.names)}")
    return dict(zip(dialect.names, fields, strict=True))


def _row(named: dict[str, str], clock: Clock, users: int | None) -> Row:
    elapsed_us = round(milliseconds("metric_value", named["metric_value"]) * 1000)
    if elapsed_us > LONGEST_US:
        raise ValueError(f"metric_value is {named['metric_value'][:40]!r} ms, which is more than a year")
    kind = k6.KINDS[named["metric_name"]]
    status, error = named.get("status", ""), named.get("error", "")
    success = k6.succeeded(
        named["metric_name"],
        expected=named.get("expected_response", ""),
        error=error or named.get("error_code", ""),
        status=status,
    )
    group = named.get("group", "").removeprefix("::")
    return Row(
        started_us=clock.microseconds(named["timestamp"]) - elapsed_us,
        elapsed_us=elapsed_us,
        label=group if kind == "transaction" else named.get("name", "") or named.get("url", ""),
        kind=kind,
        success=success,
        sample_count=1,
        error_count=0 if success else 1,
        response_code=status if status not in {"", "0"} else None,
        response_message=(error or named.get("error_code", "")) or None,
        failure_message=error or None,
        all_threads=users,
        url=named.get("url") or None,
    )
