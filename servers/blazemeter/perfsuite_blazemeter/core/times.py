"""Points in time as people and models write them, and as answers show them. Everything inside is UTC."""

import re
from datetime import UTC, datetime, timedelta

from perfsuite.errors import BadInput
from perfsuite.samples.zones import in_zone, split_zone

_AGO = re.compile(r"now(?:-([0-9]{1,6})([smhdw]))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EPOCH = re.compile(r"[0-9]{9,13}(?:\.[0-9]+)?")
_MILLISECONDS_FROM = 100_000_000_000


def moment_of(text: str, now: datetime) -> datetime:
    """ISO 8601 (UTC unless a zone stands in or behind it), seconds or milliseconds since 1970, or `now-7d`."""
    written = text.strip()
    try:
        if ago := _AGO.fullmatch(written):
            return now - timedelta(**{_UNITS[ago[2] or "s"]: int(ago[1] or 0)})
        if _EPOCH.fullmatch(written):
            seconds = float(written)
            return datetime.fromtimestamp(seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds, UTC)
        return _dated(written)
    except (ValueError, OverflowError):
        raise BadInput(
            f"{text[:40]!r} is no time.",
            next_step="Write one such as 2026-01-31T12:00:00Z, 2026-01-31T12:00+02:00, 2026-01-31T12:00 Europe/Berlin, "
            "1769860800 or now-7d.",
        ) from None


def _dated(written: str) -> datetime:
    text, zone = split_zone(written)
    found = datetime.fromisoformat(text)
    if zone is None:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    # Two zones for one time are one too many.
    return in_zone(found, zone) if found.tzinfo is None else datetime.fromisoformat(written)


def stamp(moment: datetime | None) -> str | None:
    """The time in UTC, as every answer writes it."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
