"""Cuts a damaged CSV file into records without losing its place.

A quote that is never closed would swallow the rest of the file. Here a record may run over many lines only if it
then has the right number of fields; otherwise its first line alone is refused and reading goes on with the next one.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Final

from perfsuite.samples.rows import ReadReport

LONGEST_LINE: Final = 1_000_000
_MOST_LINES: Final = 200
_UNCLOSED: Final = "unexpected end of data"
TORN: Final = "The file ends in the middle of a row, as after a kill; that row was left out."

csv.field_size_limit(LONGEST_LINE * 2)


@dataclass(frozen=True)
class Record:
    line: int
    fields: list[str]
    torn: bool
    """The last line of the file, and it has no line end."""


class Records:
    """The records of a CSV stream, in order."""

    def __init__(
        self, stream: BinaryIO, delimiter: str, width: int, report: ReadReport, progress: Callable[[int], None]
    ) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._width = width
        self._report = report
        self._progress = progress
        self._waiting: deque[tuple[int, str]] = deque()
        self._line = 0
        self._unreported = 0
        self._ended_without_newline = False

    def __iter__(self) -> Iterator[Record]:
        while (item := self._next()) is not None:
            line, text = item
            bare = text.rstrip("\r\n")
            if not bare:
                continue
            fields = bare.split(self._delimiter) if '"' not in bare else self._quoted(line, text)
            if fields is not None:
                yield Record(line, fields, self._is_torn())
        self._progress(self._unreported)

    def _is_torn(self) -> bool:
        return self._ended_without_newline and not self._waiting

    def _next(self) -> tuple[int, str] | None:
        """The next line with its end, which is a part of the value where it stands in quotes."""
        if self._waiting:
            return self._waiting.popleft()
        while raw := self._stream.readline(LONGEST_LINE):
            self._line += 1
            self._count(len(raw))
            if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                self._skip_rest_of_line()
                self._report.reject(self._line, f"the line is longer than {LONGEST_LINE:,} bytes")
                continue
            self._ended_without_newline = not raw.endswith(b"\n")
            return self._line, self._decoded(raw)
        return None

    def _count(self, size: int) -> None:
        self._unreported += size
        if self._unreported >= 4_000_000:
            self._progress(self._unreported)
            self._unreported = 0

    def _skip_rest_of_line(self) -> None:
        while raw := self._stream.readline(LONGEST_LINE):
            self._count(len(raw))
            if raw.endswith(b"\n"):
                return

    def _decoded(self, raw: bytes) -> str:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            self._report.warn("Some rows are not UTF-8 and were read as Windows Latin-1.")
            text = raw.decode("cp1252", errors="replace")
        if self._line == 1:
            text = text.removeprefix("\ufeff")
        if "\x00" in text:
            self._report.warn("NUL bytes were removed.")
            text = text.replace("\x00", "")
        return text

    def _quoted(self, line: int, text: str) -> list[str] | None:
        bare = text.rstrip("\r\n")
        try:
            return self._parsed(bare, strict=True)
        except csv.Error as error:
            if str(error) == _UNCLOSED and (fields := self._continued(text)) is not None:
                return fields
        with suppress(csv.Error):
            fields = self._parsed(bare, strict=False)
            if len(fields) == self._width:
                self._report.warn("Some fields carry stray quotes; they were kept as they stand.")
                return fields
        reason = "a quote is never closed, or a quote or line break stands where none may be"
        if self._is_torn():
            self._report.warn(TORN)
            reason = f"torn last row: {reason}"
        self._report.reject(line, reason)
        return None

    def _parsed(self, text: str, *, strict: bool) -> list[str]:
        return next(csv.reader([text], delimiter=self._delimiter, strict=strict), [])

    def _continued(self, text: str) -> list[str] | None:
        """The fields of a record that goes on over the following lines; those are put back where it does not."""
        taken: list[tuple[int, str]] = []
        while len(taken) < _MOST_LINES and len(text) < LONGEST_LINE and (item := self._next()) is not None:
            taken.append(item)
            text += item[1]
            if item[1].count('"') % 2 == 0:
                continue
            try:
                fields = self._parsed(text.rstrip("\r\n"), strict=True)
            except csv.Error as error:
                if str(error) == _UNCLOSED:
                    continue
                break
            if len(fields) == self._width:
                return fields
            break
        self._waiting.extendleft(reversed(taken))
        return None
