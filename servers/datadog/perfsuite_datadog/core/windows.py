"""Which time is meant: ISO, epoch, relative to now, or the time under load of a run; always resolved to UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from perfsuite.errors import BadInput, NotReady
from perfsuite.samples.zones import in_zone, split_zone

# Datadog keeps metrics for fifteen months, and refuses windows that end before that.
METRIC_RETENTION: Final = timedelta(days=456)
# Clocks that are further apart are set wrong in a way that nobody could make good.
_CLOCKS_APART: Final = timedelta(days=1)
_LONGEST_TEXT: Final = 80
_RELATIVE: Final = re.compile(r"now(?:\s*-\s*(\d{1,6})\s*(s|m|h|d|w))?", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NUMBER: Final = re.compile(r"\d{1,16}(?:\.\d{1,9})?", re.ASCII)
# As seconds, the first is the year 2001 and the second 5138; as milliseconds, the second is 1973.
_FIRST_EPOCH_S: Final = 1e9
_FIRST_EPOCH_MS: Final = 1e11
_FIRST_EPOCH_US: Final = 1e14
_FORMS: Final = "ISO such as 2026-05-04T10:00:00Z, epoch seconds or milliseconds, or `now-2h`"


@dataclass(frozen=True)
class Span:
    """From a time to a later one, both in UTC. `notes` say what had to be assumed or was changed."""

    start: datetime
    end: datetime
    notes: tuple[str, ...] = ()

    @property
    def start_ms(self) -> int:
        return round(self.start.timestamp() * 1000)

    @property
    def end_ms(self) -> int:
        return round(self.end.timestamp() * 1000)

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    @property
    def shown(self) -> str:
        return f"{utc_text(self.start)} to {utc_text(self.end)}"


@dataclass(frozen=True)
class Asked:
    """The window as it was asked for. What is not given is taken from the time under load of a run."""

    start: str = ""
    end: str = ""
    run: tuple[datetime, datetime] | None = None
    run_id: str | None = None


def utc_text(moment: datetime) -> str:
    """The time as files and answers write it."""
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def needs_clock(asked: Asked, now: datetime) -> bool:
    """Whether another time than this `now` would make another window of it."""
    start, end = _start(asked, now, []), _end(asked, now, [])
    if start > now + _CLOCKS_APART or (asked.end and start >= end):
        return False
    return end >= now or any(_RELATIVE.fullmatch(text.strip().lower()) for text in (asked.start, asked.end))


def resolve(asked: Asked, now: datetime, *, retention: timedelta | None = METRIC_RETENTION) -> Span:
    """The window in UTC, or an error that says what is wrong with it."""
    notes: list[str] = []
    start = _start(asked, now, notes)
    end = _end(asked, now, notes)
    return _sensible(start, end, now, retention, notes)


def moment(text: str, now: datetime, notes: list[str]) -> datetime:
    """One time in UTC. What had to be assumed is added to the notes."""
    written = text.strip()
    if len(written) > _LONGEST_TEXT:
        raise _unreadable(written[:_LONGEST_TEXT])
    if match := _RELATIVE.fullmatch(written.lower()):
        amount, unit = match.groups()
        return _shifted(now, written, timedelta(**{_UNITS[unit]: int(amount)}) if unit else timedelta())
    if _NUMBER.fullmatch(written) and float(written) >= _FIRST_EPOCH_S:
        return _epoch(written)
    return _dated(written, notes)


def _start(asked: Asked, now: datetime, notes: list[str]) -> datetime:
    if asked.start:
        return moment(asked.start, now, notes)
    if asked.run is not None:
        notes.append(f"It begins with the first sample of run {asked.run_id!r}.")
        return asked.run[0]
    if asked.run_id is not None:
        raise NotReady(
            f"Run {asked.run_id!r} has no time under load yet, because it has no samples.",
            next_step="Bring its samples in first, or give `from_time` and `to_time`.",
        )
    raise BadInput("No window is given.", next_step=f"Give `from_time` ({_FORMS}), or the `run_id` of a run.")


def _end(asked: Asked, now: datetime, notes: list[str]) -> datetime:
    if asked.end:
        return moment(asked.end, now, notes)
    if asked.run is not None:
        notes.append(f"It ends with the last sample of run {asked.run_id!r}.")
        return asked.run[1]
    notes.append("It ends now, because `to_time` is not given.")
    return now


def _epoch(written: str) -> datetime:
    number = float(written)
    if number >= _FIRST_EPOCH_US:
        raise _unreadable(written)
    return datetime.fromtimestamp(number / (1000 if number >= _FIRST_EPOCH_MS else 1), UTC)


def _dated(written: str, notes: list[str]) -> datetime:
    text, zone = split_zone(written)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _unreadable(written) from None
    if found.tzinfo is not None and zone is not None:
        raise _unreadable(written)
    if zone is not None:
        return _in_zone(found, zone, written)
    if found.tzinfo is None:
        notes.append(f"{written!r} names no zone and was read as UTC.")
        return found.replace(tzinfo=UTC)
    return _as_utc(found, written)


def _in_zone(naive: datetime, zone: str, written: str) -> datetime:
    try:
        return in_zone(naive, zone)
    except (OverflowError, ValueError):
        raise _unreadable(written) from None


def _as_utc(found: datetime, written: str) -> datetime:
    try:
        return found.astimezone(UTC)
    except (OverflowError, ValueError):
        raise _unreadable(written) from None


def _shifted(now: datetime, written: str, back: timedelta) -> datetime:
    try:
        return now - back
    except OverflowError:
        raise _unreadable(written) from None


def _sensible(start: datetime, end: datetime, now: datetime, retention: timedelta | None, notes: list[str]) -> Span:
    shown = f"{utc_text(start)} to {utc_text(end)}"
    clock = f"It is {utc_text(now)} now."
    if start >= now:
        raise BadInput(f"The window {shown} lies in the future. {clock}", next_step="Check the year and the zone.")
    if start > end:
        raise BadInput(f"The window {shown} ends before it begins.", next_step="Swap the two times.")
    if start == end:
        raise BadInput(f"The window {shown} is empty.", next_step="Give a `to_time` after `from_time`.")
    if retention is not None and end < now - retention:
        raise BadInput(
            f"The window {shown} is older than the {retention.days} days that Datadog keeps. {clock}",
            next_step="Check the year; what is meant may be another one.",
        )
    if end > now:
        notes.append(f"It was asked to end at {utc_text(end)}, which is in the future; it ends now.")
        end = now
    if retention is not None and start < now - retention:
        notes.append(f"It begins before the {retention.days} days that Datadog keeps; the first part will be empty.")
    return Span(start, end, tuple(notes))


def _unreadable(written: str) -> BadInput:
    return BadInput(f"{written!r} is not a time that can be read.", next_step=f"Give {_FORMS}.")
