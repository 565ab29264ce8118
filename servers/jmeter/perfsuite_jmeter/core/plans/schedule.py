"""The schedule of an open model: `rate(10/sec) random_arrivals(1 min) pause(5 s)`, in JMeter's own grammar."""

import math
import re
from dataclasses import dataclass
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"\s+|/\*(?:(?!\*/).)*\*/|//[^\n\r]*[\n\r]*|(?P<token>[()/]|[0-9]+(?:\.[0-9]+)?|\.[0-9]+|[A-Za-z][A-Za-z0-9_]*)"
)
_NUMBER: Final = re.compile(r"[0-9.]+")
_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_LONGER_UNITS_S: Final = {"sec": 1.0, "min": 60.0, "hour": 3_600.0, "day": 86_400.0}
_ARRIVALS: Final = frozenset({"random_arrivals", "even_arrivals"})
_LONGEST: Final = 100_000
_HOUR_S: Final = 3_600.0


class UnreadableSchedule(ValueError):
    """It never leaves the core."""


class Schedule(NamedTuple):
    duration_s: float
    peak_per_s: float
    arrivals: int


def read_schedule(text: str) -> Schedule:
    """How long it lasts, its highest rate, and how many arrivals there are."""
    if re.fullmatch(r"[+-]?[0-9]{1,10}", text):
        # A bare number is JMeter's way to start that many at once and to wait for an hour.
        return Schedule(1.0 + _HOUR_S, float(text), max(0, int(text)))
    steps = _Steps(_tokens(text))
    steps.read()
    return Schedule(steps.duration_s, steps.peak, math.ceil(steps.arrivals))


def _tokens(text: str) -> list[str]:
    tokens, at = list[str](), 0
    if len(text) > _LONGEST:
        raise UnreadableSchedule("it is too long")
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise UnreadableSchedule(f"{text[at : at + 20]!r} is no part of a schedule")
        tokens += [found["token"]] if found["token"] else []
        at = found.end()
    return tokens


@dataclass
class _Steps:
    """Rates, and the stretches between them. Over a stretch the rate goes to the one that follows it."""

    tokens: list[str]
    at: int = 0
    rate: float = 0.0
    peak: float = 0.0
    duration_s: float = 0.0
    arrivals: float = 0.0
    waiting_s: float = 0.0

    def read(self) -> None:
        while self.at < len(self.tokens):
            step = self._take().lower()
            self._expect("(")
            if step == "rate":
                self._set(self._rate())
            elif step in _ARRIVALS:
                self._stretch(self._duration_s())
            elif step == "pause":
                self._set(self.rate)
                self.duration_s += self._duration_s()
            else:
                raise UnreadableSchedule(f"{step!r} is no step of a schedule")
            self._expect(")")
        self._set(self.rate)

    def _set(self, rate: float) -> None:
        """Close the stretch that waits for the rate at its end."""
        self.arrivals += self.waiting_s * (self.rate + rate) / 2
        if self.waiting_s:
            self.peak = max(self.peak, self.rate, rate)
        self.rate, self.waiting_s = rate, 0.0

    def _stretch(self, duration_s: float) -> None:
        self._set(self.rate)
        self.waiting_s = duration_s
        self.duration_s += duration_s

    def _rate(self) -> float:
        number = self._number()
        if number == 0 and self._next() == ")":
            return 0.0
        if self._take().lower() not in ("/", "per"):
            raise UnreadableSchedule("a rate has no unit, as in rate(10/sec)")
        return number / self._unit_s()

    def _duration_s(self) -> float:
        total = 0.0
        while True:
            number = self._number()
            if number == 0 and self._next() == ")":
                return total
            total += number * self._unit_s()
            if not _NUMBER.fullmatch(self._next()):
                return total

    def _unit_s(self) -> float:
        unit = self._take().lower()
        if unit in _UNITS_S:
            return _UNITS_S[unit]
        for beginning, seconds in _LONGER_UNITS_S.items():
            if unit.startswith(beginning):
                return seconds
        raise UnreadableSchedule(f"{unit!r} is no unit of time")

    def _number(self) -> float:
        token = self._take()
        if not _NUMBER.fullmatch(token):
            raise UnreadableSchedule(f"a number is expected instead of {token!r}")
        return float(token)

    def _expect(self, token: str) -> None:
        if (found := self._take()) != token:
            raise UnreadableSchedule(f"{token!r} is expected instead of {found!r}")

    def _take(self) -> str:
        token = self._next()
        self.at += 1
        return token

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""
