"""Times as load tools write them: epoch numbers of any unit, local dates in the formats JMeter tries, times of day."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from perfsuite.samples.columns import EARLIEST_US, LATEST_US

_EPOCH: Final = re.compile(r"-?\d{1,19}(?:\.\d{1,9})?", re.ASCII)
_YEAR_FIRST: Final = re.compile(
    r"(\d{4})([/-])(\d{1,2})\2(\d{1,2})[ T](\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_MONTH_FIRST: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d\d) (\d{1,2}):(\d\d):(\d\d)", re.ASCII)
_TIME_OF_DAY: Final = re.compile(r"(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?", re.ASCII)
_HALF_A_DAY_US: Final = 43_200_000_000
_DAY_US: Final = 86_400_000_000


class Clock:
    """Turns written times into microseconds of UTC, and remembers what had to be assumed."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._timezone = timezone
        self._days = 0
        self._last_of_day = 0
        self.assumptions: dict[str, str] = {}

    def microseconds(self, text: str) -> int:
        """The time, or ValueError with the reason that a person will read."""
        try:
            return self._read(text)
        except ValueError as error:
            raise ValueError(f"timeStamp {text[:40]!r} {error}") from None

    def _read(self, text: str) -> int:
        if _EPOCH.fullmatch(text):
            return _plausible(epoch_us(text))
        if match := _YEAR_FIRST.fullmatch(text):
            return _plausible(self._dated(match))
        if match := _MONTH_FIRST.fullmatch(text):
            month, day, year, hour, minute, second = (int(part) for part in match.groups())
            return self._local(2000 + year, month, day, hour, minute, second, 0)
        if match := _TIME_OF_DAY.fullmatch(text):
            return self._of_day(match)
        raise ValueError("is neither epoch milliseconds nor a date format that JMeter writes")

    def _dated(self, match: re.Match[str]) -> int:
        year, _, month, day, hour, minute, second, fraction, offset = match.groups()
        parts = (int(year), int(month), int(day), int(hour), int(minute), int(second), _micros(fraction))
        if offset is None:
            return self._local(*parts)
        zone = UTC if offset == "Z" else _zone(offset)
        return _to_us(_moment(*parts, zone=zone))

    def _local(self, *parts: int) -> int:
        self.assumptions["zone"] = (
            f"The times are written without a zone and were read as {self._timezone}; say --timezone if that is wrong."
        )
        return _to_us(_moment(*parts, zone=self._zone))

    def _of_day(self, match: re.Match[str]) -> int:
        self.assumptions["date"] = (
            "The times have no date: they count from 1970-01-01, and a step back by half a day is taken as midnight."
        )
        hour, minute, second, fraction = match.groups()
        if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
            raise ValueError("is a time of day that does not exist")
        of_day = ((int(hour) * 60 + int(minute)) * 60 + int(second)) * 1_000_000 + _micros(fraction)
        if of_day < self._last_of_day - _HALF_A_DAY_US:
            self._days += 1
        self._last_of_day = of_day
        return self._days * _DAY_US + of_day


def epoch_us(text: str) -> int:
    """Microseconds of an epoch number whose unit its size tells: seconds, milliseconds, microseconds, nanoseconds."""
    whole, _, fraction = text.partition(".")
    number = int(whole)
    if abs(number) < 100_000_000_000:
        return number * 1_000_000 + _micros(fraction or None)
    if abs(number) < 100_000_000_000_000:
        return number * 1_000 + _micros(fraction or None) // 1_000
    return number if abs(number) < 100_000_000_000_000_000 else number // 1_000


def _micros(fraction: str | None) -> int:
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _zone(offset: str) -> timezone:
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError("is in a time zone that does not exist")
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if offset[0] == "-" else size)


def _moment(*parts: int, zone: tzinfo) -> datetime:
    year, month, day, hour, minute, second, micro = parts
    try:
        return datetime(year, month, day, hour, minute, second, micro, tzinfo=zone)
    except ValueError as error:
        raise ValueError(f"does not exist: {error}") from None


def _to_us(moment: datetime) -> int:
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000 + moment.microsecond


def _plausible(moment_us: int) -> int:
    if EARLIEST_US <= moment_us < LATEST_US:
        return moment_us
    raise ValueError("is not between 1990 and 2100")


def utc(moment_us: int) -> str:
    """A moment as people and programs read it, to the millisecond."""
    moment = datetime.fromtimestamp(moment_us // 1_000_000, tz=UTC).replace(microsecond=moment_us % 1_000_000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
