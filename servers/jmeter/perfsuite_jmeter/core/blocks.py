"""What a block of rows of a JMeter CSV file adds to the statistics of a running test."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from perfsuite.samples.columns import REMOTE_THREAD
from perfsuite_jmeter.core.fields import Fields, Ints, Key, Known, Layout, Truths
from perfsuite_jmeter.core.histograms import buckets_of

_MOST_MESSAGES: Final = 2_000
"""Distinct failures of a block that are looked at."""
_LAST_ROWS: Final = 500
"""Rows at the end of a block in which the users of each engine are looked for."""
_MOST_CELLS: Final = 4_000_000
_NEVER: Final = np.iinfo(np.int64).max
_REMOTE: Final = re.compile(REMOTE_THREAD, re.ASCII)


@dataclass(frozen=True)
class Failure:
    """Failed samples with one code and message."""

    label: str
    code: str
    response_message: str
    failure_message: str
    samples: int
    first_ms: int
    last_ms: int


@dataclass
class LabelBlock:
    """The samples of one label in a block."""

    key: Key
    samples: int
    errors: int
    sum_ms: int
    max_ms: int
    first_ms: int
    last_ms: int
    buckets: Ints
    counts: Ints


@dataclass
class Block:
    """What a block of rows adds to the statistics."""

    rows: int
    labels: list[LabelBlock] = field(default_factory=list)
    seconds: dict[int, int] = field(default_factory=dict)
    """Samples that ended in each second."""
    users: dict[str, int] = field(default_factory=dict)
    """The latest number of users by thread name's engine, '' without one."""
    failures: list[Failure] = field(default_factory=list)
    rejected: int = 0


def read_block(data: bytes, start: int, end: int, layout: Layout, known: Known) -> Block:
    """What the whole records from `start` to `end` hold, or ValueError where only the careful reader can tell."""
    if not layout.is_fast:
        raise ValueError("columns that need the careful reader")
    fields = Fields(data, start, end, layout)
    starts, elapsed = fields.stamps(), fields.numbers("elapsed")
    succeeded = fields.truths("success")
    ids, keys = fields.labels(known)
    ends = starts + elapsed
    failed = np.flatnonzero(~succeeded)
    return Block(
        rows=fields.rows,
        labels=label_blocks(keys, ids, starts, elapsed, succeeded),
        seconds=_counted(ends // 1000),
        users=_users(fields),
        failures=_failures(fields, failed, ids, keys, starts),
    )


def _counted(values: Ints) -> dict[int, int]:
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def label_blocks(keys: Sequence[Key], ids: Ints, starts: Ints, elapsed: Ints, succeeded: Truths) -> list[LabelBlock]:
    """The samples by label; `ids` are places in `keys`, some of which may not occur."""
    size = len(keys)
    samples, errors = np.bincount(ids, minlength=size), np.bincount(ids[~succeeded], minlength=size)
    sums = np.bincount(ids, weights=elapsed, minlength=size).astype(np.int64)
    firsts, highest, lasts = np.full(size, _NEVER), np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.maximum.at(highest, ids, elapsed)
    np.minimum.at(firsts, ids, starts)
    np.maximum.at(lasts, ids, starts + elapsed)
    numbers = np.stack([samples, errors, sums, highest, firsts, lasts], axis=1).tolist()
    histograms = _histograms(ids, buckets_of(elapsed), size)
    return [
        LabelBlock(key, *of_label, buckets, counts)  # type: ignore[call-arg]
        for key, of_label, (buckets, counts) in zip(keys, numbers, histograms, strict=True)
        if of_label[0]
    ]


def _histograms(ids: Ints, buckets: Ints, size: int) -> Iterator[tuple[Ints, Ints]]:
    width = int(buckets.max()) + 1
    cells = ids * width + buckets
    if size * width <= _MOST_CELLS:
        table = np.bincount(cells, minlength=size * width)
        found = np.flatnonzero(table)
        counts = table[found]
    else:
        found, counts = np.unique(cells, return_counts=True)
    bounds = np.searchsorted(found, np.arange(size + 1) * width)
    for i in range(size):
        of_label = slice(bounds[i], bounds[i + 1])
        yield found[of_label] - i * width, counts[of_label]


def _users(fields: Fields) -> dict[str, int]:
    """The latest number of users of each engine that the last rows show."""
    found: dict[str, int] = {}
    for row in range(fields.rows - 1, max(-1, fields.rows - 1 - _LAST_ROWS), -1):
        thread, users = fields.cells(row, "threadName", "allThreads")
        engine = engine_of(thread)
        if users.isdecimal():
            found.setdefault(engine, int(users[:9]))
        if not engine:
            break
    return found


def engine_of(thread: str) -> str:
    """The engine of a distributed run that a thread belongs to, '' in any other run."""
    match = _REMOTE.match(thread)
    return match.group(1) if match else ""


def _failures(fields: Fields, failed: Ints, ids: Ints, keys: Sequence[Key], starts: Ints) -> list[Failure]:
    """The failed samples by what they say, the most frequent first; transactions only repeat what their samples say."""
    counted = np.array([key.kind == "sample" for key in keys])
    failed = failed[counted[ids[failed]]]
    if not len(failed):
        return []
    kinds, firsts = fields.failures(failed, ids[failed])
    counts = np.bincount(kinds)
    earliest, latest = np.full(len(counts), _NEVER), np.zeros(len(counts), np.int64)
    np.minimum.at(earliest, kinds, starts[failed])
    np.maximum.at(latest, kinds, starts[failed])
    found = []
    for kind in np.argsort(-counts, kind="stable")[:_MOST_MESSAGES]:
        row = int(firsts[kind])
        code, message, failure = fields.cells(row, "responseCode", "responseMessage", "failureMessage")
        numbers = int(counts[kind]), int(earliest[kind]), int(latest[kind])
        found.append(Failure(keys[ids[row]].label, code, message, failure, *numbers))
    return found
