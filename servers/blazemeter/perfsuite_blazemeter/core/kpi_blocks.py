"""Blocks of one engine's results, turned into rows with the columns of the merged file.

A block that is as plain as JMeter usually writes it passes through as it stands, which takes a tenth of the time. All
others are read record by record.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Final

from perfsuite.samples.dialect import Dialect
from perfsuite.samples.options import DEFAULT_READ
from perfsuite.samples.readers.csv_records import LONGEST_LINE, Records
from perfsuite.samples.readers.csv_rows import check_last
from perfsuite.samples.rows import ReadReport
from perfsuite.samples.times import Clock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOSTNAME: Final = "Hostname"
_STAMP: Final = "timeStamp"
_DIGITS: Final = 13
_MOST_LINES: Final = 200
_LINE_END: Final = "\r\n"
_HEADER_SIGNS: Final = frozenset({"timestamp", "elapsed", "label"})
_CUT: Final = "The last row has no line end; its last field may be cut."


@dataclass(frozen=True)
class Engine:
    """Who wrote a file. Its rows must not be taken for those of another one."""

    number: int
    host: str | None
    """The host in its first row."""
    is_told_apart: bool
    """No other file begins with the same host, or there is no other file."""
    is_alone: bool = False

    def name(self, host: str) -> str:
        if self.is_alone or (host and host == self.host and self.is_told_apart):
            return host
        return f"{host}#{self.number}" if host else f"engine-{self.number}"


@dataclass(frozen=True)
class Chunk:
    """Rows without their line ends, and by what they are ordered: never less than the one before."""

    lines: list[bytes]
    keys: "NDArray[np.int64]"


def merged_columns(dialects: list[Dialect]) -> tuple[str, ...]:
    """Every column of every file, in the order in which they appear; several engines need one that names them."""
    names = dict.fromkeys(name for dialect in dialects for name in dialect.names)
    if len(dialects) > 1:
        names[HOSTNAME] = None
    return tuple(names)


class KpiRows:
    """The rows of one file, for the columns of all."""

    def __init__(self, dialect: Dialect, columns: tuple[str, ...], engine: Engine) -> None:
        self.report = ReadReport()
        self._dialect = dialect
        self._columns = columns
        self.engine = engine
        self._clock = Clock(DEFAULT_READ.timezone)
        self._line = 0
        self._latest = 0
        self._skips = False

    def chunks(self, pieces: Iterator[bytes]) -> Iterator[Chunk]:
        """All rows of the file, which arrives in pieces of any size."""
        rest = b""
        for piece in pieces:
            block, rest = self._cut(rest + piece)
            if block:
                yield from self._chunk(block)
        if rest and not self._skips:
            yield from self._last(rest)

    def _cut(self, text: bytes) -> tuple[bytes, bytes]:
        """Whole records, and what must wait for the next piece."""
        if self._skips:
            _, newline, text = text.partition(b"\n")
            self._skips = not newline
        end = _end_of_records(text)
        if end == 0 and len(text) > LONGEST_LINE:
            self.report.reject(self._line + 1, f"the line is longer than {LONGEST_LINE:,} bytes")
            self._skips = True
            return b"", b""
        return text[:end], text[end:]

    def _last(self, text: bytes) -> Iterator[Chunk]:
        """What follows the last line end: a row that was being written when the engine stopped."""
        block, _, row = text.rpartition(b"\n")
        if block:
            yield from self._chunk(block + b"\n")
        trial = ReadReport()
        check_last(row, self._dialect, DEFAULT_READ, trial)
        if trial.rejected:
            self.report.reject(self._line + 1, trial.rejected[0].reason)
            return
        self.report.warn(_CUT)
        yield from self._chunk(row + b"\n")

    def _chunk(self, block: bytes) -> Iterator[Chunk]:
        if self._line == 0:
            self._line = 1
            block = block[block.index(b"\n") + 1 :]
        if b"\r" in block and b'"' not in block:
            block = block.replace(b"\r\n", b"\n")
        count = block.count(b"\n")
        found = self._plain(block, count) or self._careful(block)
        self._line += count
        self.report.rows_read += len(found.lines)
        if found.lines:
            yield self._in_order(found)

    def _in_order(self, chunk: Chunk) -> Chunk:
        """JMeter writes a row when it ends and stamps it with its start. The order of the file is kept: only from it
        can be seen which samples belong to a transaction.
        """
        import numpy as np

        keys = np.maximum.accumulate(np.maximum(chunk.keys, self._latest))
        self._latest = int(keys[-1])
        return Chunk(chunk.lines, keys)

    def _plain(self, block: bytes, count: int) -> Chunk | None:
        dialect = self._dialect
        if dialect.delimiter != "," or dialect.names[0] != _STAMP or not count or _is_odd(block):
            return None
        keys = _stamps(block, count, len(dialect.names) - 1)
        told = None if keys is None else self._told_apart(block, count)
        if keys is None or told is None:
            return None
        lines = told.split(b"\n")
        lines.pop()
        return Chunk(lines, keys)

    def _told_apart(self, block: bytes, count: int) -> bytes | None:
        """The block with its engine in every row, or None where that needs a look at each of them."""
        names, engine = self._dialect.names, self.engine
        if names == self._columns and (engine.is_alone or HOSTNAME not in names):
            return block
        if (*names, HOSTNAME) == self._columns:
            return block.replace(b"\n", f",{engine.name('')}\n".encode())
        if names != self._columns or not engine.host:
            return None
        host, after = f",{engine.host}".encode(), len(names) - 1 - names.index(HOSTNAME)
        if engine.is_told_apart:
            return block if block.count(host + (b"," if after else b"\n")) == count else None
        found = re.compile(re.escape(host) + rb"(?=(?:,[^,\n]*){%d}$)" % after, re.MULTILINE)
        told, changed = found.subn(f",{engine.name(engine.host)}".encode().replace(b"\\", b"\\\\"), block)
        return told if changed == count else None

    def _careful(self, block: bytes) -> Chunk:
        import numpy as np

        trial = ReadReport()
        lines, keys, sink = list[bytes](), list[int](), StringIO()
        # Only characters of the line end are quoted, and either of its two would end a line for a reader.
        writer = csv.writer(sink, lineterminator=_LINE_END)
        for record in Records(BytesIO(block), self._dialect.delimiter, len(self._dialect.names), trial, _nobody_asks):
            if self._is_header(record.fields):
                self._dialect = self._changed(record.fields)
            elif len(record.fields) != len(self._dialect.names):
                wrong = f"{len(record.fields)} fields where the header has {len(self._dialect.names)}"
                trial.reject(record.line, wrong)
            else:
                row = dict(zip(self._dialect.names, record.fields, strict=True))
                writer.writerow(self._fields(row))
                lines.append(sink.getvalue().removesuffix(_LINE_END).encode("utf-8", "replace"))
                keys.append(self._key(row[_STAMP]))
                sink.seek(0)
                sink.truncate()
        self._take_over(trial)
        return Chunk(lines, np.array(keys, dtype=np.int64))

    def _fields(self, row: dict[str, str]) -> list[str]:
        if HOSTNAME in self._columns:
            row[HOSTNAME] = self.engine.name(row.get(HOSTNAME, ""))
        return [row.get(name, "") for name in self._columns]

    def _key(self, stamp: str) -> int:
        try:
            return self._clock.microseconds(stamp.strip()) // 1000
        except ValueError:
            # Whoever reads the samples refuses such a row and says why; it stays where it stood.
            return self._latest

    def _is_header(self, fields: list[str]) -> bool:
        return {field.strip('"\ufeff ').lower() for field in fields} >= _HEADER_SIGNS

    def _changed(self, fields: list[str]) -> Dialect:
        """The columns from here on: after runs were appended to each other they may be others than before."""
        usual = {name.lower(): name for name in (*self._columns, *self._dialect.names)}
        names = [field.strip('"\ufeff ') for field in fields]
        names = [usual.get(name.lower(), name) for name in names]
        if unknown := [name for name in names if name not in self._columns]:
            self.report.warn(f"Left out, because they stand only in a later header: {', '.join(unknown)}.")
        self.report.warn("The header row stands several times in the file: runs were appended to each other.")
        return Dialect("jtl-csv", self._dialect.delimiter, tuple(names), has_header=True)

    def _take_over(self, trial: ReadReport) -> None:
        for one in trial.rejected:
            self.report.reject(self._line + one.line, one.reason)
        self.report.rows_rejected += trial.rows_rejected - len(trial.rejected)
        for warning in trial.warnings:
            self.report.warn(warning)


def _end_of_records(text: bytes) -> int:
    """Where the last record that is whole ends. A line break between quotes ends no record."""
    end = text.rfind(b"\n") + 1
    if b'"' not in text[:end]:
        return end
    last, is_open = end, text.count(b'"', 0, end) % 2 == 1
    for _ in range(_MOST_LINES):
        if not is_open:
            return last
        before = text.rfind(b"\n", 0, last - 1) + 1
        is_open ^= text.count(b'"', before, last) % 2 == 1
        last = before
        if last == 0:
            return 0 if len(text) < LONGEST_LINE else end
    # A quote that nobody closes is left to the reader of records, which finds its way again.
    return end


def _is_odd(block: bytes) -> bool:
    return b'"' in block or b"\r" in block or b"\0" in block or not (block.isascii() or _is_utf8(block))


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _stamps(block: bytes, count: int, commas: int) -> "NDArray[np.int64] | None":
    """The milliseconds with which every row begins, or None if one does not, or if there are too few or many fields."""
    import numpy as np

    text = np.frombuffer(block, np.uint8)
    starts = np.zeros(count, np.int64)
    starts[1:] = np.flatnonzero(text == ord("\n"))[:-1] + 1
    is_comma = text == ord(",")
    if np.count_nonzero(is_comma) != commas * count or int(starts[-1]) + _DIGITS >= len(text):
        return None
    digits = text[starts[:, None] + np.arange(_DIGITS)] - ord("0")
    if (digits > 9).any() or not is_comma[starts + _DIGITS].all():
        return None
    stamps: NDArray[np.int64] = digits @ (10 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64))
    return stamps


def _nobody_asks(_size: int) -> None:
    """A block is read too fast to tell how far it is."""
