"""Entries of logs, whatever wrote them, and the reader of JMeter's own."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from perfsuite.artifacts.log_findings import LogKind

LEVELS: Final = ("FATAL", "ERROR", "WARN", "TEXT", "INFO", "DEBUG", "TRACE")
"""The most serious first. TEXT is what says no level."""
LONGEST_MESSAGE: Final = 2_000
MOST_STACK_LINES: Final = 200
_SAME: Final = {
    "EMERGENCY": "FATAL", "EMERG": "FATAL", "ALERT": "FATAL", "CRITICAL": "FATAL", "CRIT": "FATAL", "SEVERE": "ERROR",
    "ERR": "ERROR", "WARNING": "WARN", "NOTICE": "INFO", "OK": "INFO", "INFORMATION": "INFO",
}  # fmt: skip
_HEAD: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)[,.](\d{3})\d* \[?([A-Za-z]{4,8})\]? +(?:\[[^\]]{0,200}\] +)?"
    r"([\w.$/\-]{1,200}): ?(.*)",
    re.DOTALL,
)
_STARTED: Final = re.compile(r"Running test \((\d{13})\)")
_QUARTER_US: Final = 900_000_000


@dataclass(frozen=True)
class Entry:
    """One entry. Its time is in microseconds since 1970, by UTC; None where it says none."""

    kind: LogKind
    level: str
    service: str
    """Who said it: a service, a logger, or the response code of failed samples."""
    message: str
    at_us: int | None
    stack: tuple[str, ...] = ()
    count: int = 1
    last_us: int | None = None
    """Of several that stand together; else its time."""
    labels: tuple[tuple[str, int], ...] = ()


def level_of(text: str) -> str:
    """A level by one of our names."""
    name = text.strip().upper()[:20]
    name = _SAME.get(name, name)
    return name if name in LEVELS else "TEXT"


class JMeterLog:
    """The entries of a jmeter.log. It writes the time of its own zone, which one of its lines tells."""

    def __init__(self) -> None:
        self.offset_us: int | None = None

    def entries(self, lines: Iterable[str]) -> Iterator[Entry]:
        """All entries, with what follows each of them; times are as written until `in_utc` is asked."""
        current: Entry | None = None
        stack: list[str] = []
        for line in lines:
            text = line.rstrip("\r\n\0")
            head = self._head(text)
            if head is None and current is not None:
                if len(stack) < MOST_STACK_LINES and text.strip():
                    stack.append(text[:LONGEST_MESSAGE])
                continue
            if current is not None:
                yield replace(current, stack=tuple(stack))
            stack = []
            current = head or self._text(text)
        if current is not None:
            yield replace(current, stack=tuple(stack))

    def in_utc(self, at_us: int) -> int:
        """A time of this log, once it was read to its end."""
        return at_us - (self.offset_us or 0)

    def _head(self, text: str) -> Entry | None:
        if not text[:1].isdigit() or (match := _HEAD.match(text)) is None:
            return None
        day, time, milliseconds, level, logger, message = match.groups()
        second = _second_us(f"{day} {time}")
        if second is None:
            return None
        at_us = second + int(milliseconds) * 1000
        if self.offset_us is None and (started := _STARTED.search(message)):
            self.offset_us = round((at_us - int(started[1]) * 1000) / _QUARTER_US) * _QUARTER_US
        return Entry("jmeter_log", level_of(level), logger, message[:LONGEST_MESSAGE], at_us)

    def _text(self, text: str) -> Entry | None:
        return Entry("jmeter_log", "TEXT", "", text[:LONGEST_MESSAGE], None) if text.strip() else None


@lru_cache(maxsize=1024)
def _second_us(stamp: str) -> int | None:
    try:
        return int(datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()) * 1_000_000
    except ValueError:
        return None
