"""Groups the entries of a JMeter log that say the same, in one pass and in bounded memory, whatever the file holds."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from perfsuite.samples.patterns import masked
from perfsuite_jmeter.core.log_meanings import Meaning, meaning_of

LEVELS: Final = ("FATAL", "ERROR", "WARN", "TEXT", "INFO", "DEBUG", "TRACE")
"""The most serious first. TEXT is what stands in no entry."""
OTHER: Final = "(other messages)"
MOST_GROUPS: Final = 500
_SERIOUS: Final = frozenset(LEVELS[:4])
_MOST_STACK: Final = 200
"""Lines of a stack trace that are looked at."""
_LONGEST: Final = 2_000
_FRAMES: Final = 3
_QUARTER_MS: Final = 900_000
_ENTRY: Final = re.compile(
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)[,.](\d{3})\d* \[?([A-Z]{4,5})\]? +(?:\[[^\]]*\] +)?([\w.$/\-]{1,200}): ?(.*)",
    re.DOTALL,
)
_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_RUNNING: Final = re.compile(r"Running test \((\d{13})\)")
_CAUSE: Final = re.compile(r"(?:Caused by: )?((?:[a-z_][\w$]*\.)+[A-Z][\w$]*)(?::|\s*$)")
_FRAME: Final = re.compile(r"\s+at ([\w.$<>/@\-]{1,300})\(([^)]{0,100})\)")


@dataclass
class LogGroup:
    """Entries that say the same. Times are milliseconds since 1970 by the clock of the log's own zone."""

    level: str
    logger: str
    message: str
    root_cause: str | None
    frames: tuple[str, ...]
    example: str
    meaning: Meaning | None
    count: int = 0
    first_ms: int | None = None
    last_ms: int | None = None


@dataclass
class LogSummary:
    """What a log says."""

    entries: int = 0
    by_level: Counter[str] = field(default_factory=Counter)
    groups: list[LogGroup] = field(default_factory=list)
    zone_offset_ms: int | None = None
    """How far the log's clock is ahead of UTC; None where no line tells."""
    is_folded: bool = False
    left_out: int = 0
    """Entries that only say that all is well."""


@dataclass
class _Entry:
    level: str
    logger: str
    message: str
    at_ms: int | None
    stack: list[str] = field(default_factory=list)


def summarise_log(lines: Iterable[str]) -> LogSummary:
    """The entries of a log by what they say, the most serious first."""
    reader = _Reader()
    for line in lines:
        reader.take(line)
    return reader.finished()


class _Reader:
    def __init__(self) -> None:
        self._summary = LogSummary()
        self._groups: dict[tuple[object, ...], LogGroup] = {}
        self._entry: _Entry | None = None

    def take(self, line: str) -> None:
        text = line.rstrip("\r\n\0")
        if "\x1b" in text:
            text = _ANSI.sub("", text)
        if entry := _entry(text):
            self._close()
            self._entry = entry
        elif self._entry is None or self._entry.level == "TEXT":
            self._close()
            self._entry = _Entry("TEXT", "", text[:_LONGEST], None) if text.strip() else None
        elif len(self._entry.stack) < _MOST_STACK:
            self._entry.stack.append(text[:_LONGEST])

    def finished(self) -> LogSummary:
        self._close()
        found = self._summary
        found.groups = sorted(self._groups.values(), key=lambda one: (_rank(one.level), -one.count, one.first_ms or 0))
        return found

    def _close(self) -> None:
        entry, self._entry = self._entry, None
        if entry is None:
            return
        found = self._summary
        found.entries += 1
        found.by_level[entry.level] += 1
        if found.zone_offset_ms is None and entry.at_ms is not None and (match := _RUNNING.search(entry.message)):
            found.zone_offset_ms = round((entry.at_ms - int(match[1])) / _QUARTER_MS) * _QUARTER_MS
        is_serious = entry.level in _SERIOUS
        meaning = _meaning("\n".join([entry.message, *entry.stack]), is_serious)
        if meaning is None and not is_serious:
            found.left_out += 1
        else:
            self._count(entry, meaning)

    def _count(self, entry: _Entry, meaning: Meaning | None) -> None:
        cause, frames = _root_cause(entry)
        message = _masked(entry.message)
        key: tuple[object, ...] = (entry.level, entry.logger, message, cause, frames)
        if key not in self._groups and len(self._groups) >= MOST_GROUPS:
            self._summary.is_folded = True
            key, entry, message, cause, frames, meaning = (entry.level,), entry, OTHER, None, (), None
        group = self._groups.get(key)
        if group is None:
            logger = "" if message == OTHER else entry.logger
            group = LogGroup(entry.level, logger, message, cause, frames, _example(entry), meaning)
            self._groups[key] = group
        group.count += 1
        if entry.at_ms is not None:
            group.first_ms = entry.at_ms if group.first_ms is None else min(group.first_ms, entry.at_ms)
            group.last_ms = entry.at_ms if group.last_ms is None else max(group.last_ms, entry.at_ms)


def _entry(line: str) -> _Entry | None:
    # Most continuation lines are told by their first character.
    if not line[:1].isdigit() or not (match := _ENTRY.match(line)):
        return None
    stamp, fraction, level, logger, message = match.groups()
    at_ms = _second(stamp.replace("T", " "))
    if at_ms is None:
        return None
    return _Entry(level if level in LEVELS else "TEXT", logger, message[:_LONGEST], at_ms + int(fraction))


@lru_cache(maxsize=1024)
def _second(stamp: str) -> int | None:
    try:
        return int(datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _meaning(text: str, is_serious: bool) -> Meaning | None:
    return meaning_of(text, is_serious=is_serious)


@lru_cache(maxsize=4096)
def _masked(message: str) -> str:
    return masked(message)


def _root_cause(entry: _Entry) -> tuple[str | None, tuple[str, ...]]:
    """The innermost exception of a stack trace, and the frames where it was thrown."""
    cause, frames = None, list[str]()
    for line in entry.stack:
        if match := _CAUSE.match(line):
            cause, frames = match[1], []
        elif len(frames) < _FRAMES and (match := _FRAME.match(line)):
            frames.append(match[1])
    return cause, tuple(frames)


def _example(entry: _Entry) -> str:
    first = next((line for line in entry.stack if line.strip()), "")
    return f"{entry.message} {first}".strip()


def _rank(level: str) -> int:
    return LEVELS.index(level)
