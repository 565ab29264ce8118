"""Counts of durations in buckets: exact below 2,048 ms, and within 0.05 % of the value beyond."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from perfsuite.samples.percentiles import percentiles

Counts = NDArray[np.int64]

_EXACT: Final = 2048
_STEPS: Final = 1024
"""Buckets in every octave beyond the exact ones."""
_METHOD: Final = "linear"


def buckets_of(milliseconds: Counts) -> Counts:
    """The bucket of each duration."""
    if not len(milliseconds) or int(milliseconds.max()) < _EXACT:
        return milliseconds
    # The exponent of a float64 is the bit length of the whole number it holds, up to 2**53.
    shift = np.maximum(np.frexp(milliseconds.astype(np.float64))[1].astype(np.int64) - 11, 0)
    return np.where(shift == 0, milliseconds, _STEPS * shift + (milliseconds >> shift))


def middles_of(buckets: Counts) -> Counts:
    """The duration in the middle of each bucket."""
    shift = np.maximum(buckets // _STEPS - 1, 0)
    middles: Counts = ((buckets - _STEPS * shift) << shift) + ((1 << shift) >> 1)
    return middles


@dataclass
class Histogram:
    """How often each duration occurred."""

    counts: Counts = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, buckets: Counts, counts: Counts) -> None:
        """Count these buckets, each of which stands here once."""
        if len(buckets):
            self._grow(int(buckets.max()) + 1)
            self.counts[buckets] += counts

    def merge(self, other: "Histogram") -> None:
        self._grow(len(other.counts))
        self.counts[: len(other.counts)] += other.counts

    def percentiles_ms(self, wanted: tuple[float, ...], highest_ms: int) -> list[float]:
        """The percentiles, none above the highest duration that occurred."""
        buckets = np.flatnonzero(self.counts)
        found = percentiles(middles_of(buckets), self.counts[buckets], list(wanted), _METHOD)
        return [min(value, float(highest_ms)) for value in found]

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    def packed(self) -> dict[str, Any]:
        buckets = np.flatnonzero(self.counts)
        counts = self.counts[buckets]
        width = next(one for one in _WIDTHS if int(counts.max(initial=0)) < 256**one // 2)
        return {"buckets": _text(buckets, 2), "counts": _text(counts, width), "width": width}

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> "Histogram":
        """The histogram again, or ValueError where this is not one."""
        buckets, counts = _array(packed["buckets"], 2), _array(packed["counts"], int(packed["width"]))
        if len(buckets) != len(counts) or int(counts.min(initial=0)) < 0:
            raise ValueError("not a histogram")
        if not 0 <= int(buckets.min(initial=0)) <= int(buckets.max(initial=0)) <= _HIGHEST:
            raise ValueError("not a histogram")
        found = cls()
        found.add(buckets, counts)
        return found

    def _grow(self, size: int) -> None:
        if size > len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros(size - len(self.counts), np.int64)])


def _text(values: Counts, width: int) -> str:
    return base64.b64encode(values.astype(f"<i{width}").tobytes()).decode("ascii")


def _array(text: str, width: int) -> Counts:
    if width not in _WIDTHS:
        raise ValueError("not a width")
    return np.frombuffer(base64.b64decode(text, validate=True), f"<i{width}").astype(np.int64)


_HIGHEST: Final = int(buckets_of(np.array([2**40]))[0])
_WIDTHS: Final = (2, 4, 8)
"""Bytes of a number: a note is written with every status, and most counts are small."""
