"""How long a service asked to wait, read from the headers of its answer."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
# As a delay, a thousand million seconds are 31 years; as seconds since 1970, they are the year 2001.
_FIRST_EPOCH_S = 1e9
_FIRST_EPOCH_MS = 1e11
_TOO_MANY_REQUESTS = 429


def asked_wait_s(status: int, headers: Mapping[str, str], wall_clock_s: float) -> float | None:
    """Seconds from now until the service wants to be asked again, or None if it did not say.

    Datadog sends its reset header with every answer, as seconds from now; others send it as a time. Only on a 429 does
    it mean that we have to wait for it.
    """
    names = ["retry-after"]
    if status == _TOO_MANY_REQUESTS:
        names += ["x-ratelimit-reset", "ratelimit-reset"]
    # Times are compared with the service's own clock where it shows it: ours may be wrong.
    service_clock = timestamp(headers.get("date", ""))
    now = wall_clock_s if service_clock is None else service_clock
    waits = (_wait_s(headers[name].strip(), now) for name in names if name in headers)
    return next((wait for wait in waits if wait is not None), None)


def _wait_s(text: str, now: float) -> float | None:
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number < _FIRST_EPOCH_S:
            return number
        return max(0.0, (number if number < _FIRST_EPOCH_MS else number / 1000) - now)
    moment = timestamp(text)
    return None if moment is None else max(0.0, moment - now)


def timestamp(text: str) -> float | None:
    """A time as headers write it, in seconds since 1970; None where it is none."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None
