"""How wide the buckets of an answer are, which is the service's decision and not the caller's."""

import math
from dataclasses import dataclass
from typing import Final

MOST_POINTS: Final = 1500
RETENTION_S: Final = 15 * 30.44 * 86_400
_WIDTHS: Final = (
    1,
    2,
    5,
    10,
    15,
    20,
    30,
    60,
    120,
    300,
    600,
    900,
    1200,
    1800,
    3600,
    7200,
    14_400,
    21_600,
    43_200,
    86_400,
)
_DEFAULTS: Final = (
    (3600, 20),
    (4 * 3600, 60),
    (86_400, 300),
    (2 * 86_400, 600),
    (7 * 86_400, 3600),
    (31 * 86_400, 14_400),
)


@dataclass(frozen=True)
class Window:
    """From when to when, in seconds since the epoch, and what time it is."""

    begin: float
    end: float
    now: float

    @property
    def length(self) -> float:
        return self.end - self.begin

    @property
    def is_forgotten(self) -> bool:
        return self.end < self.now - RETENTION_S

    def interval(self, asked_s: float | None) -> int:
        """The width of the buckets; a narrower one than 1500 points allow is widened."""
        if asked_s is None:
            return next((width for most, width in _DEFAULTS if self.length <= most), 86_400)
        needed = max(asked_s, self.length / MOST_POINTS)
        if needed == asked_s:
            return max(1, math.ceil(asked_s))
        return next((width for width in _WIDTHS if width >= needed), math.ceil(needed / 86_400) * 86_400)
