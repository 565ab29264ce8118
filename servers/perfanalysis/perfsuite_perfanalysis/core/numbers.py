"""Statistics as the file of an analysis tells them: a percentile without enough samples is withheld."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from perfsuite.artifacts.analyses import Numbers, Peak, TimeBucket
from perfsuite.samples.definitions import percentile_key
from perfsuite_perfanalysis.core.blocks import Blocks, needed_samples, percentiles_of
from perfsuite_perfanalysis.core.series import grouped

if TYPE_CHECKING:
    from perfsuite.samples.course import Course
    from perfsuite.samples.queries import Bucket
    from perfsuite.samples.statistics import Statistics

PEAK_WIDTH_S: Final = 10.0
_RATINGS: Final = ((0.94, "excellent"), (0.85, "good"), (0.70, "fair"), (0.50, "poor"), (0.0, "unacceptable"))
_SMALL_GROUP: Final = 100
_FEWEST_FOR_RATE: Final = 10
"""From the first sample to the end of the last, n samples come n / (n - 1) times too often."""
_OF_SUCCESSES: Final = (50.0, 95.0)


def numbers_of(found: "Statistics", percentiles: Sequence[float], blocks: Blocks | None = None) -> Numbers:
    """The numbers of a label. Percentiles of successes alone are told where something failed."""
    keys = {percentile_key(p): needed_samples(p) for p in percentiles}
    withheld = tuple(key for key, needed in keys.items() if found.samples < needed)
    told = {key: None if key in withheld else _rounded(found.percentiles_ms[key]) for key in keys}
    return Numbers(
        samples=found.samples,
        errors=found.errors,
        error_rate=_rounded(found.error_rate, 9),
        mean_ms=_rounded(found.mean_ms),
        min_ms=_rounded(found.min_ms),
        max_ms=_rounded(found.max_ms),
        stdev_ms=_rounded(found.stdev_ms),
        percentiles_ms=told,
        withheld=withheld,
        success_percentiles_ms=_of_successes(blocks) if blocks is not None and found.errors else {},
        throughput_per_s=_rounded(found.throughput_per_s) if found.samples >= _FEWEST_FOR_RATE else None,
        apdex=_rounded(found.apdex),
        apdex_rating=_rating(found.apdex, found.samples),
        received_kb_per_s=_rounded(found.received_kb_per_s),
    )


def bucket_of(found: "Bucket", first_us: int, width_s: float, span_s: float) -> TimeBucket:
    """A stretch of time. The last one is as long as there was of it."""
    from_s = (found.start_us - first_us) / 1e6
    told = {
        key: _rounded(value) if found.completed >= needed_samples(float(key[1:-3])) else None
        for key, value in found.percentiles_ms.items()
    }
    return TimeBucket(
        from_s=from_s,
        seconds=round(min(width_s, max(span_s - from_s, 0.001)), 3),
        hits=found.hits,
        completed=found.completed,
        errors=found.errors,
        users=found.users,
        mean_ms=_rounded(found.mean_ms),
        percentiles_ms=told,
    )


def peak_of(course: "Course") -> Peak | None:
    """The most completed requests per second over any of the ten-second buckets from the first sample on; None where
    there are too few for a rate."""
    if course.completed.sum() < _FEWEST_FOR_RATE:
        return None
    width = max(1, round(PEAK_WIDTH_S / course.width_s))
    if len(course.completed) <= width:
        seconds = max(course.span_s, 0.001)
        return Peak(completed_per_s=round(float(course.completed.sum()) / seconds, 6), from_s=0.0, width_s=seconds)
    padded = np.append(course.completed, np.zeros(-len(course.completed) % width))
    sums = grouped(padded.astype(np.float64), width)
    best = int(np.argmax(sums))
    width_s = width * course.width_s
    return Peak(completed_per_s=round(float(sums[best]) / width_s, 6), from_s=best * width_s, width_s=width_s)


def _of_successes(blocks: Blocks) -> dict[str, float | None]:
    found = percentiles_of(blocks.succeeded.sum(axis=0), blocks.bins, _OF_SUCCESSES)
    return {
        percentile_key(p): _rounded(float(value)) if blocks.successes >= needed_samples(p) else None
        for p, value in zip(_OF_SUCCESSES, found, strict=True)
    }


def _rating(apdex: float | None, samples: int) -> str | None:
    if apdex is None:
        return None
    rating = next(name for least, name in _RATINGS if apdex >= least)
    return f"{rating} (small group)" if samples < _SMALL_GROUP else rating


def _rounded(value: float | None, digits: int = 6) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)
