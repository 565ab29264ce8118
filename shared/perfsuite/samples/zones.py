"""Wall-clock times of a zone, as in `2026-05-04T10:00 Europe/Berlin`."""

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from perfsuite.errors import BadInput

_ZONED: Final = re.compile(r"(\S.*?)\s*\[?\b(UTC|[A-Za-z]+(?:[/_+-][A-Za-z0-9]+){1,5})\]?", re.ASCII)


def split_zone(written: str) -> tuple[str, str | None]:
    """The time and the name of its zone, if one stands behind it."""
    zoned = _ZONED.fullmatch(written)
    return (zoned[1], zoned[2]) if zoned else (written, None)


def in_zone(naive: datetime, name: str) -> datetime:
    """A wall-clock time of a zone in UTC. On the nights when clocks change, some come twice and some never."""
    try:
        zone = ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise BadInput(f"There is no time zone {name!r}.", next_step="Name one such as Europe/Berlin.") from None
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    text = naive.isoformat(sep=" ", timespec="minutes")
    if first.astimezone(zone).replace(tzinfo=None) != naive:
        raise BadInput(
            f"{text} never happened in {name}: clocks were put forward over it.",
            next_step="Give a time before or after, or one in UTC.",
        )
    raise BadInput(
        f"{text} happened twice in {name}, at {_utc(first)} and at {_utc(second)}: clocks were put back.",
        next_step="Give the one that is meant in UTC.",
    )


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
