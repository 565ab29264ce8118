"""Times as requests give them."""

import re
from datetime import UTC, datetime
from typing import Any, Final

_RELATIVE: Final = re.compile(r"now(?:([+-])(\d{1,9})(ms|s|m|h|d|w))?")
_SCALE: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def at_ms(value: Any, now: float) -> int:
    """Milliseconds of ISO text, of `now-15m`, or of a number of milliseconds; ValueError where it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value)
    text = str(value).strip()
    if found := _RELATIVE.fullmatch(text):
        sign, amount, unit = found.groups()
        shift = int(amount) * _SCALE[unit] if amount else 0
        return int(now * 1000) + (-shift if sign == "-" else shift)
    if text.isdigit() and len(text) < 16:
        return int(text)
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
