"""The careful reader of JMeter's CSV: slower than DuckDB's by far, and used where that one stumbles.

Every row is checked field by field; one that cannot be read is counted and shown with its line and the reason.
"""

import math
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import BinaryIO, Final

from perfsuite.samples.columns import JTL_NAMES, LONGEST_US, TRANSACTION_MESSAGE
from perfsuite.samples.dialect import Dialect
from perfsuite.samples.options import ReadOptions
from perfsuite.samples.readers.csv_records import TORN, Record, Records
from perfsuite.samples.rows import ReadReport, Row
from perfsuite.samples.times import Clock

# What DuckDB takes for a truth as well: JMeter writes the words, other tools the rest.
_TRUTH: Final = {
    **dict.fromkeys(("true", "t", "1", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "0", "no", "n"), False),
}
INT32: Final = 2**31 - 1
_INT64: Final = 2**63 - 1
_ABSENT: Final = frozenset({"", "null"})
_AROUND_NAMES: Final = '" \t'


def read(
    stream: BinaryIO, dialect: Dialect, options: ReadOptions, report: ReadReport, progress: Callable[[int], None]
) -> Iterator[Row]:
    """The rows of a JMeter CSV file, in its order."""
    report.columns.update(JTL_NAMES[name] for name in dialect.names if name in JTL_NAMES)
    maker = _RowMaker(dialect, options, report)
    headers = 0
    for record in Records(stream, dialect.delimiter, len(dialect.names), report, progress):
        # The dialect was read from the first row; its bytes may be in another encoding than the rest.
        is_first = headers == 0 and not report.rows_rejected and any(record.fields)
        if dialect.has_header and (is_first or _is_header(record.fields, dialect)):
            headers += 1
            continue
        row = _checked(maker, record, report)
        if row is not None:
            report.rows_read += 1
            yield row
    if headers > 1:
        report.warn(f"The header row stands {headers} times in the file: several files were joined, or runs appended.")
    for assumption in maker.clock.assumptions.values():
        report.warn(assumption)


def check_last(last: bytes, dialect: Dialect, options: ReadOptions, report: ReadReport) -> None:
    """Judge the last row of a file that does not end with a line end, as `read` would."""
    maker = _RowMaker(dialect, options, report)
    for record in Records(BytesIO(last), dialect.delimiter, len(dialect.names), report, lambda _: None):
        _checked(maker, record, report)


def _is_header(fields: list[str], dialect: Dialect) -> bool:
    first = fields[0].lstrip("\ufeff").strip(_AROUND_NAMES).lower()
    return first == dialect.names[0].lower() and [f.strip(_AROUND_NAMES).lower() for f in fields[1:]] == [
        name.lower() for name in dialect.names[1:]
    ]


def _checked(maker: "_RowMaker", record: Record, report: ReadReport) -> Row | None:
    try:
        row = maker.row(record.line, record.fields)
    except ValueError as error:
        if record.torn:
            report.warn(TORN)
        report.reject(record.line, f"torn last row: {error}" if record.torn else str(error))
        return None
    if record.torn:
        report.warn("The last row has no line end; its last field may be cut.")
    return row


class _RowMaker:
    """Turns the fields of one record into a row, or says in a ValueError why that cannot be."""

    def __init__(self, dialect: Dialect, options: ReadOptions, report: ReadReport) -> None:
        self.clock = Clock(options.timezone)
        self._report = report
        self._line = 0
        self._odd: set[str] = set()
        self._ends = options.timestamp == "end"
        self._width = len(dialect.names)
        self._at = {JTL_NAMES[name]: i for i, name in enumerate(dialect.names) if name in JTL_NAMES}

    def row(self, line: int, fields: list[str]) -> Row:
        self._line = line
        if len(fields) != self._width:
            raise ValueError(f"{len(fields)} fields where the header has {self._width}")
        elapsed_us = _duration_us("elapsed", fields[self._at["elapsed_us"]].strip())
        stamp_us = self.clock.microseconds(fields[self._at["started_at"]].strip())
        message = self._text(fields, "response_message")
        success = _truth(fields[self._at["success"]])
        return Row(
            started_us=stamp_us - elapsed_us if self._ends else stamp_us,
            elapsed_us=elapsed_us,
            label=fields[self._at["label"]],
            kind="transaction" if message is not None and message.startswith(TRANSACTION_MESSAGE) else "sample",
            success=success,
            sample_count=self._count(fields, "sample_count", 1),
            error_count=self._count(fields, "error_count", 0 if success else 1),
            response_code=self._text(fields, "response_code"),
            response_message=message,
            failure_message=self._text(fields, "failure_message"),
            thread=self._text(fields, "thread"),
            engine=self._text(fields, "engine"),
            bytes=self._whole(fields, "bytes", _INT64),
            sent_bytes=self._whole(fields, "sent_bytes", _INT64),
            connect_ms=self._milliseconds(fields, "connect_ms"),
            latency_ms=self._milliseconds(fields, "latency_ms"),
            idle_ms=self._milliseconds(fields, "idle_ms"),
            group_threads=self._whole(fields, "group_threads", INT32),
            all_threads=self._whole(fields, "all_threads", INT32),
            url=self._text(fields, "url"),
        )

    def _field(self, fields: list[str], column: str) -> str:
        at = self._at.get(column)
        return "" if at is None else fields[at]

    def _text(self, fields: list[str], column: str) -> str | None:
        return self._field(fields, column) or None

    def _count(self, fields: list[str], column: str, absent: int) -> int:
        text = self._field(fields, column).strip()
        return absent if text in _ABSENT else whole(column, text, INT32)

    def _whole(self, fields: list[str], column: str, highest: int) -> int | None:
        text = self._field(fields, column).strip()
        try:
            return None if text in _ABSENT else whole(column, text, highest)
        except ValueError as error:
            self._left_out(column, error)
            return None

    def _milliseconds(self, fields: list[str], column: str) -> float | None:
        text = self._field(fields, column).strip()
        try:
            return None if text in _ABSENT else milliseconds(column, text)
        except ValueError as error:
            self._left_out(column, error)
            return None

    def _left_out(self, column: str, error: ValueError) -> None:
        """A row can do without these numbers: one that is impossible is left out, and said once."""
        if column not in self._odd:
            self._odd.add(column)
            self._report.warn(f"Line {self._line}: {error}; such values were left out.")


def _duration_us(name: str, text: str) -> int:
    value = milliseconds(name, text)
    if value * 1000 > LONGEST_US:
        raise ValueError(f"{name} is {text[:40]!r} ms, which is more than a year")
    return round(value * 1000)


def whole(name: str, text: str, highest: int) -> int:
    """The whole number, rounded as DuckDB rounds, or ValueError with the reason that a person will read."""
    is_plain = text.isascii() and text.isdecimal() and len(text) < 20
    value = int(text) if is_plain else math.floor(milliseconds(name, text) + 0.5)
    if value > highest:
        raise ValueError(f"{name} is {text[:40]!r}, which is more than it can be")
    return value


def milliseconds(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} is {text[:40]!r}, which is not a number") from None
    if not math.isfinite(value) or value >= 1e18:
        raise ValueError(f"{name} is {text[:40]!r}, which is not a number that can be")
    if value < 0:
        raise ValueError(f"{name} is negative: {text[:40]!r}")
    return value


def _truth(text: str) -> bool:
    value = _TRUTH.get(text.strip().lower())
    if value is None:
        raise ValueError(f"success is {text[:40]!r}, which is neither true nor false")
    return value
