"""Widths of buckets that people like to read."""

import math
from typing import Final

_NICE_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


def nice_width_s(span_s: float, buckets: int) -> float:
    """A width that makes about so many buckets, or fewer, of this time."""
    wanted = span_s / buckets
    return next((width for width in _NICE_S if width >= wanted), wanted)


def rounded_down(seconds: float) -> float:
    """To a tenth: a time that is just too short is not told as one that is long enough."""
    return math.floor(seconds * 10 + 1e-9) / 10
