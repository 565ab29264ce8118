"""The time axis of a chart: seconds after the first sample, read as times of day in UTC."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_STEPS_S: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
    604_800, 2_592_000, 31_536_000,
)  # fmt: skip
_MOST_TICKS: Final = 9
_DAY_S: Final = 86_400


@dataclass(frozen=True)
class Clock:
    """When a run began, how long it lasted, and the zone of the local time that is stated."""

    start: datetime
    span_s: float
    zone: tzinfo | None = None

    def ticks(self) -> tuple[list[float], list[str]]:
        """Round times of UTC, and how they read."""
        step = next((one for one in _STEPS_S if self.span_s / one <= _MOST_TICKS), _STEPS_S[-1])
        begin = self.start.timestamp()
        first = math.ceil(begin / step) * step
        count = int((begin + self.span_s - first) // step) + 1
        at_s = [first + number * step - begin for number in range(max(count, 0))]
        return at_s, [self.reads(at, step) for at in at_s]

    def reads(self, at_s: float, step: float = 1) -> str:
        """A moment, as exactly as the step between moments asks for."""
        moment = self.start + timedelta(seconds=round(at_s, 3))
        if step >= _DAY_S:
            return f"{moment:%b} {moment.day}"
        time = f"{moment:%H:%M:%S}" if step % 60 else f"{moment:%H:%M}"
        return f"{moment:%b} {moment.day} {time}" if self.span_s > _DAY_S else time

    @property
    def window(self) -> str:
        """From when to when, in UTC."""
        end = self.start + timedelta(seconds=self.span_s)
        until = f"{end:%H:%M:%S}" if end.date() == self.start.date() else f"{end:%Y-%m-%d %H:%M:%S}"
        return f"{self.start:%Y-%m-%d %H:%M:%S} to {until} UTC"

    @property
    def axis_label(self) -> str:
        """What the times are, and how local time differs from them."""
        offsets = dict.fromkeys(
            _offset(moment.astimezone(self.zone))
            for moment in (self.start, self.start + timedelta(seconds=self.span_s))
        )
        return f"time of day, UTC (local time is {', then '.join(offsets)})"


def _offset(moment: datetime) -> str:
    offset = moment.utcoffset() or timedelta()
    if not offset:
        return "UTC, too"
    sign, minutes = ("+" if offset > timedelta() else "-"), abs(offset) // timedelta(minutes=1)
    name = moment.tzname() or ""
    named = f"{name}, " if name.isascii() and name.isalpha() else ""
    return f"{named}UTC{sign}{minutes // 60:02}:{minutes % 60:02}"


def utc(moment: datetime) -> datetime:
    """The moment in UTC."""
    return moment.astimezone(UTC)
