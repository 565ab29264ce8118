"""How wide the buckets of an answer are, and which of them are whole."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low
from typing import Final

from perfsuite_datadog.core.windows import Span

# Datadog's own choice for a window of this length in seconds: a smaller one would be overruled for long windows.
_WIDTHS_S: Final = (
    (3600, 20),
    (4 * 3600, 60),
    (86_400, 300),
    (2 * 86_400, 600),
    (7 * 86_400, 3600),
    (31 * 86_400, 4 * 3600),
)
_WIDEST_S: Final = 86_400
_ENOUGH_STEPS: Final = 5


@dataclass(frozen=True)
class Buckets:
    """The places of the whole buckets among the times of an answer, and how many were left out."""

    places: tuple[int, ...]
    width_s: float
    dropped: int
    fits: bool = True
    """Whether the window is long enough for one."""

    @property
    def is_too_wide(self) -> bool:
        """Whether it is the window that leaves nothing to say."""
        return not self.places and (self.dropped > 0 or not self.fits)

    @property
    def note(self) -> str | None:
        if self.is_too_wide:
            return f"The window holds no whole bucket; they are {self.width_s:g} s each."
        if not self.dropped:
            return None
        return f"Buckets that the window or the present cuts through are left out; they are {self.width_s:g} s each."


def asked_width_s(span: Span) -> int:
    """The width to ask for."""
    return next((width for most, width in _WIDTHS_S if span.seconds <= most), _WIDEST_S)


def spacing_s(times_ms: Sequence[int], values: Sequence[float | None]) -> float | None:
    """The interval that a series really has, derived from its points; what an answer says about it is not reliable."""
    times = [time for time, value in zip(times_ms, values, strict=True) if value is not None]
    return _common_ms(times) / 1000 if len(times) > 1 else None


def whole_buckets(times_ms: Sequence[int], span: Span, now_ms: int, asked_s: float) -> Buckets:
    """Buckets that lie within the window and the past. The others hold a part of what they stand for."""
    width_ms = _width_ms(times_ms, round(asked_s * 1000))
    end_ms = min(span.end_ms, now_ms)
    places = tuple(place for place, time in enumerate(times_ms) if time >= span.start_ms and time + width_ms <= end_ms)
    # Buckets begin at whole multiples of their width, so where nothing came it is known all the same.
    begin_ms = -(-span.start_ms // width_ms) * width_ms
    return Buckets(places, width_ms / 1000, len(times_ms) - len(places), fits=begin_ms + width_ms <= end_ms)


def _width_ms(times_ms: Sequence[int], asked_ms: int) -> int:
    """What was asked for, unless Datadog gave wider buckets. A few points far apart are gaps, and say nothing."""
    steps = [later - earlier for earlier, later in pairwise(times_ms)]
    if len(steps) < _ENOUGH_STEPS:
        return asked_ms
    common = math.gcd(*steps)
    return common if median_low(steps) == common else min(asked_ms, common)


def _common_ms(times_ms: Sequence[int]) -> int:
    return math.gcd(*(later - earlier for earlier, later in pairwise(times_ms)))
