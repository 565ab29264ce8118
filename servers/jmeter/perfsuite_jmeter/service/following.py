"""Brings the statistics of a run up to date with what JMeter and its supervisor have added to their files."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.locks import holding
from perfsuite.errors import BadFile, Conflict
from perfsuite.samples.dialect import dialect_of
from perfsuite.samples.options import DEFAULT_READ
from perfsuite_jmeter.client.results import GrowingFile, load_checkpoint, opened, save_checkpoint
from perfsuite_jmeter.core.blocks import Block, read_block
from perfsuite_jmeter.core.careful import read_carefully
from perfsuite_jmeter.core.fields import MARGIN, Known, Layout, last_record_end
from perfsuite_jmeter.core.health import HealthTotals
from perfsuite_jmeter.core.live import LiveTotals
from perfsuite_jmeter.models.live import CHECKPOINT

_BLOCK: Final = 4 * 1024 * 1024
_WORTH_THREADS: Final = 2 * _BLOCK
_READERS: Final = 2
_LONGEST_UNCLOSED: Final = 256 * 1024
"""A record whose quotes are still open after so many bytes will not be closed: JMeter writes a row at once."""
_PATIENCE_S: Final = 30.0
_BUDGET_S: Final = 20.0
"""A host may give up on a call that takes much longer; the next call reads on."""


@dataclass
class Followed:
    """What was read of a run."""

    totals: LiveTotals = field(default_factory=LiveTotals)
    health: HealthTotals = field(default_factory=HealthTotals)
    waiting_bytes: int = 0
    """Of a row that is not whole yet."""
    notes: list[str] = field(default_factory=list)


def follow(
    run: RunFolder, attempt: int, *, ended: bool, budget_s: float = _BUDGET_S, patience_s: float = _PATIENCE_S
) -> Followed:
    """Read what is new, count it, and note how far that was. `ended` counts a last row without its line end, too."""
    busy = Conflict(
        f"The results of run {run.run_id!r} are being read by another process, for more than {patience_s:g} s.",
        next_step="Call again in a minute.",
    )
    path = run.path(CHECKPOINT)
    with holding(run.lock_path("jmeter-live"), busy=busy, timeout_s=patience_s):
        known = load_checkpoint(path, attempt)
        found = Followed()
        results = _follow_results(run, known.get("results"), found, ended=ended, budget_s=budget_s)
        health = _follow_health(run, known.get("health"), found)
        if results != known.get("results") or health != known.get("health"):
            save_checkpoint(path, attempt, {"results": results, "health": health})
        return found


def _follow_results(
    run: RunFolder, known: dict[str, Any] | None, found: Followed, *, ended: bool, budget_s: float
) -> dict[str, Any] | None:
    with opened(run.path(layout.JMETER_RESULTS)) as file:
        header = file.header() if file else None
        columns = _layout(header, found) if header else None
        if file is None or header is None or columns is None:
            return None
        offset, found.totals = _resumed(file, known, header)
        begun_at, deadline = offset, time.monotonic() + budget_s
        for block, read_to in _blocks(file, offset, header, columns):
            found.totals.add(block)
            offset = read_to
            if time.monotonic() > deadline:
                break
        note = known if known and offset == begun_at else _note(file, offset, found.totals.as_json())
        found.waiting_bytes = file.size - offset
        if found.waiting_bytes > _BLOCK:
            found.notes.append(
                f"{offset / 1e6:.0f} of {file.size / 1e6:.0f} MB of results are read; call again for the rest."
            )
        elif ended and found.waiting_bytes:
            found.totals.add(read_carefully(header, file.span(offset, found.waiting_bytes, 0), columns))
        return note


def _layout(header: bytes, found: Followed) -> Layout | None:
    try:
        dialect = dialect_of(header.decode("utf-8", "replace").strip("\ufeff\r\n"), "test-results.csv", DEFAULT_READ)
    except BadFile as error:
        found.notes.append(f"The results cannot be read while the test runs: {error.message}")
        return None
    if dialect.kind != "jtl-csv":
        found.notes.append("The results are not a CSV file of JMeter's, so nothing can be told while the test runs.")
        return None
    return Layout(dialect)


def _resumed(file: GrowingFile, known: dict[str, Any] | None, header: bytes) -> tuple[int, LiveTotals]:
    """Where to read on, and what was counted until there; from the beginning where the note is about another file."""
    try:
        if known and known["offset"] >= len(header) and file.is_same(known["identity"], known["offset"]):
            return known["offset"], LiveTotals.from_json(known["totals"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        pass
    return len(header), LiveTotals()


def _blocks(file: GrowingFile, offset: int, header: bytes, columns: Layout) -> Iterator[tuple[Block, int]]:
    """The blocks of whole records from an offset on, in their order, each with where it ends."""
    pieces = _pieces(file, offset)
    read = partial(_read, header, columns, Known())
    if file.size - offset < _WORTH_THREADS:
        for piece, read_to in pieces:
            yield read(piece), read_to
        return
    waiting: deque[tuple[Future[Block], int]] = deque()
    with ThreadPoolExecutor(_READERS) as readers:
        for piece, read_to in pieces:
            waiting.append((readers.submit(read, piece), read_to))
            if len(waiting) > _READERS:
                block, end = waiting.popleft()
                yield block.result(), end
        for block, end in waiting:
            yield block.result(), end


@dataclass(frozen=True)
class _Piece:
    """Whole records, with a margin around them."""

    data: bytes
    end: int
    is_odd: bool


def _pieces(file: GrowingFile, offset: int) -> Iterator[tuple[_Piece, int]]:
    while offset < file.size:
        data = file.span(offset, _BLOCK, MARGIN)
        end = len(data) - MARGIN
        cut = last_record_end(data, MARGIN, end)
        is_odd = cut == MARGIN
        if is_odd and (cut := _odd_cut(data, end)) == MARGIN:
            return
        offset += cut - MARGIN
        yield _Piece(data, cut, is_odd), offset


def _odd_cut(data: bytes, end: int) -> int:
    """Where to cut when no record ends, or the beginning while it is worth waiting for the rest."""
    size = end - MARGIN
    last_line_end = data.rfind(b"\n", MARGIN, end) + 1 if size > _LONGEST_UNCLOSED else 0
    return last_line_end or (end if size == _BLOCK else MARGIN)


def _read(header: bytes, columns: Layout, known: Known, piece: _Piece) -> Block:
    if not piece.is_odd:
        with suppress(ValueError):
            return read_block(piece.data, MARGIN, piece.end, columns, known)
    return read_carefully(header, piece.data[MARGIN : piece.end], columns)


def _follow_health(run: RunFolder, known: dict[str, Any] | None, found: Followed) -> dict[str, Any] | None:
    with opened(run.path(layout.JMETER_HEALTH)) as file:
        header = file.header() if file else None
        if file is None or header is None:
            return None
        offset = len(header)
        try:
            if known and file.is_same(known["identity"], known["offset"]):
                offset, found.health = known["offset"], HealthTotals.from_json(known["totals"])
        except (KeyError, TypeError, ValueError, AttributeError):
            found.health = HealthTotals()
        new, newline, _ = file.span(offset, min(file.size - offset, _BLOCK), 0).rpartition(b"\n")
        for line in new.decode("utf-8", "replace").splitlines() if newline else ():
            found.health.add(header.decode("utf-8", "replace").strip().split(","), line)
        offset += len(new) + len(newline)
        return _note(file, offset, found.health.as_json())


def _note(file: GrowingFile, offset: int, totals: dict[str, Any]) -> dict[str, Any]:
    return {"offset": offset, "identity": file.identity(offset), "totals": totals}
