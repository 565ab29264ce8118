"""Finds the fields of JMeter's CSV rows with NumPy: whole columns at once, so that a gigabyte takes a second or two.

Whatever is not as JMeter writes it is refused by a ValueError; the careful reader then takes the rows one by one.
"""

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfsuite.samples.columns import LATEST_US, TRANSACTION_MESSAGE
from perfsuite.samples.dialect import Dialect

Ints = NDArray[np.int64]
Places = NDArray[np.int32]
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
_HASHED: Final = 512
"""Bytes of a field that tell one from another."""
_SLOT_BITS: Final = np.uint64(48)
_MOST_SLOTS: Final = 2**15
# What the fields hold is not ours: nobody shall be able to choose two that look alike.
_FACTORS: Final = np.frombuffer(os.urandom(8 * (_LONGEST_LABEL // 8 + 1)), np.uint64) | np.uint64(1)


class Key(NamedTuple):
    """A label, and whether it is a transaction's: `sample` or `transaction`."""

    kind: str
    label: str


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
    # Finding out that there is no quote at all takes a tenth of the time that counting them takes.
    is_open = data.find(b'"', start, cut) >= 0 and data.count(b'"', start, cut) % 2 == 1
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
        if data.find(b"\0", start, end) >= 0:
            raise ValueError("a zero byte")
        separators, lines = self._separators_between(start, end)
        self._is_quoted = data.find(b'"', start, end) >= 0
        if self._is_quoted:
            inside = self._inside_quotes(start, end, separators)
            lines -= int(np.count_nonzero(self._bytes[separators[inside]] == _NEWLINE))
            separators = separators[~inside]
        self.rows = lines
        if lines == 0 or len(separators) != lines * layout.width:
            raise ValueError("rows of different widths")
        self._separators = separators.reshape(lines, layout.width)
        self.line_ends: Ints = self._separators[:, -1].astype(np.int64)
        self.line_starts = np.concatenate([[start], self.line_ends[:-1] + 1])
        if not (self._bytes[self.line_ends] == _NEWLINE).all():
            raise ValueError("rows of different widths")

    def _separators_between(self, start: int, end: int) -> tuple[Places, int]:
        """The places of delimiters and line ends, and how many line ends there are."""
        delimiter, lines, count = ord(self.layout.dialect.delimiter), 0, 0
        found = np.empty(end - start, np.int32)
        for begin in range(start, end, _SLICE):
            part = self._bytes[begin : min(begin + _SLICE, end)]
            is_separator = part == _NEWLINE
            lines += int(np.count_nonzero(is_separator))
            is_separator |= part == delimiter
            places = np.flatnonzero(is_separator)
            np.add(places, begin, out=found[count : count + len(places)], casting="unsafe")
            count += len(places)
        return found[:count], lines

    def _inside_quotes(self, start: int, end: int, separators: Places) -> Truths:
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
        inside: Truths = np.cumsum(change[:-1]) > 0
        return inside

    def span(self, column: int, rows: Ints | slice = slice(None)) -> tuple[Ints, Ints]:
        """Where the fields of a column begin and end."""
        ends = self._separators[rows, column].astype(np.int64)
        if column == 0:
            return self.line_starts[rows], ends
        starts = self._separators[rows, column - 1].astype(np.int64)
        starts += 1
        return starts, ends

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
        words, lengths = self._words[starts], ends - starts
        is_true: Truths = words & _FIRST[4] == _TRUE
        is_right = (lengths == 4) & is_true
        is_right |= (lengths == 5) & (words & _FIRST[5] == _FALSE)
        if not is_right.all():
            raise ValueError("neither true nor false")
        return is_true

    def labels(self, known: "Known") -> tuple[Ints, Sequence["Key"]]:
        """For each row the place of its label in a list, and that list, which may hold labels of other blocks, too."""
        starts, ends = self._required("label")
        if int((ends - starts).max()) > _LONGEST_LABEL:
            raise ValueError("a long label")
        hashes = self._hashed(starts, ends)
        if self._may_hold_transactions:
            hashes += self._transactions() * _FACTORS[-1]
        return known.places(hashes, self._key)

    def failures(self, rows: Ints, ids: Ints) -> tuple[Ints, Ints]:
        """For each of these rows, of labels `ids`, the number of its failure; and a row for each failure."""
        mixed = ids.astype(np.uint64)
        for name in ("responseCode", "responseMessage", "failureMessage"):
            column = self.layout.at(name)
            if column is not None:
                mixed = mixed * _FACTORS[-1] + self._hashed(*self.span(column, rows))
        _, firsts, numbers = np.unique(mixed, return_index=True, return_inverse=True)
        return numbers, rows[firsts]

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

    @property
    def _may_hold_transactions(self) -> bool:
        """Their message has a comma in it, and so stands in quotes where commas part the fields."""
        return self._is_quoted or self.layout.dialect.delimiter != ","

    def _transactions(self) -> Truths:
        """Which rows are of transaction controllers."""
        found = np.zeros(self.rows, bool)
        column = self.layout.at("responseMessage")
        if column is not None:
            starts, _ = self.span(column)
            first = self._words[starts]
            likely = np.flatnonzero((first == _WORDS_OF_MARKS[0]) | (first == _WORDS_OF_MARKS[1]))
            found[likely] = [self.data.startswith(_MARKS, start) for start in starts[likely]]
        return found

    def _key(self, row: int) -> Key:
        label, message = self.cells(row, "label", "responseMessage")
        return Key("transaction" if message.startswith(TRANSACTION_MESSAGE) else "sample", label)

    def _hashed(self, starts: Ints, ends: Ints) -> Words:
        """A number for the beginning of each field; other bytes, or another length, give another one."""
        lengths = ends - starts
        found: Words = lengths.astype(np.uint64)
        shortest = int(lengths.min(initial=0))
        for place, offset in enumerate(range(0, min(int(lengths.max(initial=0)), _HASHED), 8)):
            if offset + 8 <= shortest:
                words = self._words[starts + offset]
            else:
                words = self._words[np.minimum(starts + offset, ends)] & _FIRST[np.clip(lengths - offset, 0, 8)]
            words *= _FACTORS[place]
            words ^= words >> np.uint64(32)
            found += words
        found *= _FACTORS[-1]
        return found


@dataclass(frozen=True)
class _Met:
    """Labels that were met, in the order of their hashes, and where to look for a hash by its highest bits."""

    hashes: Words
    keys: tuple[Key, ...]
    table: NDArray[np.int16] | None

    @classmethod
    def of(cls, found: Mapping[int, Key]) -> "_Met":
        hashes = np.array(sorted(found), np.uint64)
        slots = hashes >> _SLOT_BITS
        table = None
        if len(np.unique(slots)) == len(hashes) < _MOST_SLOTS:
            table = np.zeros(2**16, np.int16)
            table[slots] = np.arange(len(hashes))
        return cls(hashes, tuple(found[int(one)] for one in hashes), table)

    def places(self, hashes: Words) -> Ints:
        if self.table is not None:
            found: Ints = self.table[hashes >> _SLOT_BITS].astype(np.int64)
        else:
            found = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return found


class Known:
    """The labels met so far, so that a block costs no more than a look at each of its rows."""

    def __init__(self) -> None:
        self._met = _Met.of({0: Key("sample", "")})

    def places(self, hashes: Words, key_of: Callable[[int], Key]) -> tuple[Ints, Sequence[Key]]:
        """For each hash the place of its label, and the labels. `key_of` reads the label of a row."""
        # Blocks are read by several threads: each goes on with what it found, and the last one is remembered.
        met = self._met
        places = met.places(hashes)
        is_new = met.hashes[places] != hashes
        if is_new.any():
            is_full = len(met.keys) > _MOST_KNOWN
            rows = np.arange(len(hashes)) if is_full else np.flatnonzero(is_new)
            kept = {} if is_full else dict(zip(met.hashes.tolist(), met.keys, strict=True))
            new, firsts = np.unique(hashes[rows], return_index=True)
            found = {int(one): key_of(int(rows[first])) for one, first in zip(new, firsts, strict=True)}
            self._met = met = _Met.of(kept | found)
            places = met.places(hashes)
        return places, met.keys


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
