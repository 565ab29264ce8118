"""Finds the fields of JMeter's CSV rows with NumPy: whole columns at once, so that a gigabyte takes a second or two.

Whatever is not as JMeter writes it is refused by a ValueError; the careful reader then takes the rows one by one.
"""

import csv
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from perfsuite.samples.columns import LATEST_US, TRANSACTION_MESSAGE
from perfsuite.samples.dialect import Dialect

Ints = NDArray[np.int64]
Truths = NDArray[np.bool_]
Words = NDArray[np.uint64]

MARGIN: Final = 16
"""Bytes that must stand before and after the rows, whatever they are: fields are read eight bytes at a time."""

_NEWLINE: Final = ord("\n")
_SLICE: Final = 128 * 1024
"""Bytes that the nearest cache of a processor holds: in larger steps the same work takes twice as long."""
_ZEROS: Final = np.uint64(0x3030303030303030)
_HIGH_HALVES: Final = np.uint64(0xF0F0F0F0F0F0F0F0)
_SIXES: Final = np.uint64(0x0606060606060606)
_PAIRS: Final = np.uint64(0x000000FF000000FF)
# 100 and 1,000,000, and 1 and 10,000, in the two halves of a word each.
_TO_HIGH: Final = np.uint64(0x000F424000000064)
_TO_LOW: Final = np.uint64(0x0000271000000001)
_ALL: Final = 2**64 - 1
_LAST: Final = np.array([(_ALL << 8 * (8 - n)) & _ALL if n else 0 for n in range(9)], np.uint64)
"""Masks that keep the last n of the eight bytes of a word."""
_FIRST: Final = np.array([_ALL >> 8 * (8 - n) if n else 0 for n in range(9)], np.uint64)
"""Masks that keep the first n."""
_TRUE: Final = np.uint64(int.from_bytes(b"true", "little"))
_FALSE: Final = np.uint64(int.from_bytes(b"false", "little"))
_MARKS: Final = tuple(prefix + TRANSACTION_MESSAGE.encode() for prefix in (b"", b'"'))
_WORDS_OF_MARKS: Final = tuple(np.uint64(int.from_bytes(mark[:8], "little")) for mark in _MARKS)
_MOST_KNOWN: Final = 10_000
_STAMP_DIGITS: Final = 13
_MOST_DIGITS: Final = 8
_LONGEST_LABEL: Final = 512
_HASHED: Final = 320
"""Bytes of a message that tell one from another."""
# What the messages hold is not ours: nobody shall be able to choose two that look alike.
_FACTOR: Final = np.uint64(int.from_bytes(os.urandom(8), "little") | 1)


@dataclass(frozen=True)
class Layout:
    """Where the columns of a file are."""

    dialect: Dialect

    @property
    def width(self) -> int:
        return len(self.dialect.names)

    @cached_property
    def is_fast(self) -> bool:
        """Whether this reader takes such a file at all."""
        return self.dialect.delimiter.isascii() and "SampleCount" not in self.dialect.names

    def at(self, name: str) -> int | None:
        """The place of a column, or None where the file has none of this name."""
        return self.dialect.index(name)


def last_record_end(data: bytes, start: int, end: int) -> int:
    """Where the last whole record between `start`, at which one begins, and `end` ends; `start` when there is none."""
    cut = data.rfind(b"\n", start, end) + 1
    is_open = cut > 0 and data.count(b'"', start, cut) % 2 == 1
    while is_open and cut > 0:
        earlier = data.rfind(b"\n", start, cut - 1) + 1
        is_open = data.count(b'"', max(earlier, start), cut) % 2 == 0
        cut = earlier
    return max(cut, start)


class Fields:
    """The fields of a block: where each begins and ends."""

    def __init__(self, data: bytes, start: int, end: int, layout: Layout) -> None:
        self.layout = layout
        self.data = data
        self._bytes = np.frombuffer(data, np.uint8)
        # Eight bytes from any position on, as one number.
        self._words: Words = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
        separators, lines = self._separators_between(start, end)
        if data.find(b'"', start, end) >= 0:
            inside = self._inside_quotes(start, end, separators)
            lines -= int(np.count_nonzero(self._bytes[separators[inside]] == _NEWLINE))
            separators = separators[~inside]
        self.rows = lines
        if lines == 0 or len(separators) != lines * layout.width:
            raise ValueError("rows of different widths")
        self._separators = separators.reshape(lines, layout.width)
        self.line_ends = np.ascontiguousarray(self._separators[:, -1])
        self.line_starts = np.concatenate([[start], self.line_ends[:-1] + 1])
        if not (self._bytes[self.line_ends] == _NEWLINE).all():
            raise ValueError("rows of different widths")

    def _separators_between(self, start: int, end: int) -> tuple[Ints, int]:
        """The places of delimiters and line ends, and how many line ends there are."""
        delimiter, lines = ord(self.layout.dialect.delimiter), 0
        found = []
        for begin in range(start, end, _SLICE):
            part = self._bytes[begin : min(begin + _SLICE, end)]
            is_separator = part == _NEWLINE
            lines += int(np.count_nonzero(is_separator))
            is_separator |= part == delimiter
            places = np.flatnonzero(is_separator)
            places += begin
            found.append(places)
        return np.concatenate(found), lines

    def _inside_quotes(self, start: int, end: int, separators: Ints) -> Truths:
        """Which of the separators stand in quotes."""
        quotes = np.flatnonzero(self._bytes[start:end] == ord('"')) + start
        opening, closing = quotes[0::2], quotes[1::2]
        around = np.frombuffer(f'"\r\n{self.layout.dialect.delimiter}'.encode(), np.uint8)
        neighbours = np.concatenate([self._bytes[opening[opening > start] - 1], self._bytes[closing + 1]])
        if len(opening) != len(closing) or not np.isin(neighbours, around).all():
            raise ValueError("a quote that is not closed, or stands inside a field")
        change = np.zeros(len(separators) + 1, np.int64)
        np.add.at(change, np.searchsorted(separators, opening), 1)
        np.add.at(change, np.searchsorted(separators, closing), -1)
        return np.cumsum(change[:-1]) > 0

    def span(self, column: int, rows: Ints | slice = slice(None)) -> tuple[Ints, Ints]:
        """Where the fields of a column begin and end."""
        ends = self._separators[rows, column]
        return (self._separators[rows, column - 1] + 1 if column else self.line_starts[rows]), ends

    def stamps(self) -> Ints:
        """The starts of the samples in epoch milliseconds."""
        starts, ends = self._required("timeStamp")
        if (ends - starts != _STAMP_DIGITS).any():
            raise ValueError("times that are not epoch milliseconds")
        # Days go by before the first five digits change.
        high = self._words[starts] & _FIRST[5]
        if (high != high[0]).any():
            found = _whole(self._words[starts]) // 1000 * 10**8 + _whole(self._words[starts + 5])
        else:
            found = int(_whole(self._words[starts[:1]])[0]) // 1000 * 10**8 + _whole(self._words[starts + 5])
        if int(found.max()) >= LATEST_US // 1000:
            raise ValueError("a time that cannot be")
        return found

    def numbers(self, name: str) -> Ints:
        """The whole numbers of a column."""
        starts, ends = self._required(name)
        lengths = ends - starts
        if int(lengths.min()) < 1 or int(lengths.max()) > _MOST_DIGITS:
            raise ValueError("numbers that are not short and whole")
        keep = _LAST[lengths]
        return _whole((self._words[ends - 8] & keep) | (_ZEROS & ~keep))

    def truths(self, name: str) -> Truths:
        """The truth values of a column."""
        starts, ends = self._required(name)
        found, lengths = self._words[starts], ends - starts
        is_true: Truths = (lengths == 4) & (found & _FIRST[4] == _TRUE)
        if not (is_true | ((lengths == 5) & (found & _FIRST[5] == _FALSE))).all():
            raise ValueError("neither true nor false")
        return is_true

    def labels(self, known: "Known") -> tuple[Ints, Ints]:
        """For each row the number of its label, and a row for each label."""
        starts, ends = self._required("label")
        if int((ends - starts).max()) > _LONGEST_LABEL:
            raise ValueError("a long label")
        return known.distinct(self._hashed(starts, ends, _LONGEST_LABEL) + self.transactions * _FACTOR)

    def failures(self, rows: Ints, ids: Ints) -> tuple[Ints, Ints]:
        """For each of these rows, of labels `ids`, the number of its failure; and a row for each failure."""
        mixed = ids.astype(np.uint64)
        for name in ("responseCode", "responseMessage", "failureMessage"):
            column = self.layout.at(name)
            if column is not None:
                mixed = mixed * _FACTOR + self._hashed(*self.span(column, rows), _HASHED)
        kinds, firsts = Known().distinct(mixed)
        return kinds, rows[firsts]

    def cells(self, row: int, *names: str) -> list[str]:
        """Some fields of a row; empty where the file has no such column."""
        record = _parsed(self._text(self.line_starts[row], self.line_ends[row]), self.layout.dialect.delimiter)
        return [record[column] if (column := self.layout.at(name)) is not None else "" for name in names]

    def _text(self, start: int, end: int) -> str:
        return self.data[start:end].decode("utf-8", "replace").rstrip("\r")

    def _required(self, name: str) -> tuple[Ints, Ints]:
        column = self.layout.at(name)
        assert column is not None  # noqa: S101 - the dialect of a JMeter file has these columns
        return self.span(column)

    @cached_property
    def transactions(self) -> Truths:
        """Which rows are of transaction controllers."""
        found = np.zeros(self.rows, bool)
        column = self.layout.at("responseMessage")
        if column is not None:
            starts, _ = self.span(column)
            first = self._words[starts]
            likely = np.flatnonzero((first == _WORDS_OF_MARKS[0]) | (first == _WORDS_OF_MARKS[1]))
            found[likely] = [self.data.startswith(_MARKS, start) for start in starts[likely]]
        return found

    def _hashed(self, starts: Ints, ends: Ints, most: int) -> Words:
        lengths = np.minimum(ends - starts, most)
        found: Words = lengths.astype(np.uint64)
        shortest = int(lengths.min(initial=0))
        for offset in range(0, int(lengths.max(initial=0)), 8):
            if offset + 8 <= shortest:
                words = self._words[starts + offset]
            else:
                words = self._words[np.minimum(starts + offset, ends)] & _FIRST[np.clip(lengths - offset, 0, 8)]
            found ^= words
            found *= _FACTOR
            found ^= found >> np.uint64(29)
        return found


class Known:
    """The distinct values met so far, so that blocks with the same few need not be sorted."""

    def __init__(self) -> None:
        self._sorted: Words = np.zeros(0, np.uint64)

    def distinct(self, values: Words) -> tuple[Ints, Ints]:
        """For each value its number among the distinct ones, in the order of their first places; and those places."""
        known = self._sorted
        places = np.searchsorted(known, values)
        if not len(known) or not (known.take(places, mode="clip") == values).all():
            known = np.union1d(known if len(known) < _MOST_KNOWN else known[:0], values)
            self._sorted = known
            places = np.searchsorted(known, values)
        firsts = np.full(len(known), len(values), np.int64)
        firsts[places[::-1]] = np.arange(len(values))[::-1]
        order = np.argsort(firsts)[: np.count_nonzero(firsts < len(values))]
        ranks = np.zeros(len(known), np.int64)
        ranks[order] = np.arange(len(order))
        return ranks[places], firsts[order]


def _whole(words: Words) -> Ints:
    """The numbers that eight digits each make."""
    if ((words & _HIGH_HALVES != _ZEROS) | ((words + _SIXES) & _HIGH_HALVES != _ZEROS)).any():
        raise ValueError("not a number")
    words = words - _ZEROS
    words = words * np.uint64(10) + (words >> np.uint64(8))
    low, high = words & _PAIRS, (words >> np.uint64(16)) & _PAIRS
    return ((low * _TO_HIGH + high * _TO_LOW) >> np.uint64(32)).astype(np.int64)


def _parsed(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter))
    except csv.Error as error:
        raise ValueError(str(error)) from None
