"""The course of a run in stretches that are long enough for the percentile that shall be seen."""

import math
from datetime import datetime
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts.analyses import OverTime, TimeBucket
from perfsuite.samples.definitions import DEFAULT_PERCENTILES, Choice, Selection
from perfsuite.samples.rows import Kind

if TYPE_CHECKING:
    from perfsuite.samples.queries import Bucket, Samples

_LONGER: Final = (2, 3, 4, 6, 12, 20, 30, 60)
_FEWEST_POINTS: Final = 4
_MOSTLY: Final = 0.8
_BEYOND, _FEWEST_SAMPLES = 10, 30
"""Samples that must lie beyond a percentile for it to be told, and in all, as in the analysis."""


def is_dense(over: OverTime, percentile: str) -> bool:
    """Whether most stretches tell this percentile."""
    return sum(one.percentiles_ms.get(percentile) is not None for one in over.buckets) >= _MOSTLY * len(over.buckets)


def longer_stretches(over: OverTime, percentile: str) -> float | None:
    """The shortest width at which most stretches have samples enough; None where no width leaves enough points."""
    for factor in _LONGER:
        counts = [
            sum(one.completed for one in over.buckets[i : i + factor]) for i in range(0, len(over.buckets), factor)
        ]
        if len(counts) < _FEWEST_POINTS:
            return None
        if sum(count >= _needed(percentile) for count in counts) >= _MOSTLY * len(counts):
            return over.bucket_s * factor
    return None


def resampled(found: "Samples", width_s: float, kind: Kind, start: datetime, span_s: float) -> OverTime:
    """The same course in stretches of another width, from the samples."""
    first_us = round(start.timestamp() * 1e6)
    buckets = found.over_time(width_s, Choice(DEFAULT_PERCENTILES), Selection(kind=kind))
    return OverTime(bucket_s=width_s, buckets=tuple(_bucket(one, first_us, width_s, span_s) for one in buckets))


def _bucket(one: "Bucket", first_us: int, width_s: float, span_s: float) -> TimeBucket:
    from_s = (one.start_us - first_us) / 1e6
    return TimeBucket(
        from_s=from_s,
        seconds=max(1e-3, min(width_s, span_s - from_s)),
        hits=one.hits,
        completed=one.completed,
        errors=one.errors,
        users=one.users,
        mean_ms=one.mean_ms,
        percentiles_ms={
            name: value if one.completed >= _needed(name) else None for name, value in one.percentiles_ms.items()
        },
    )


def _needed(percentile: str) -> int:
    return max(_FEWEST_SAMPLES, math.ceil(_BEYOND / (1 - float(percentile[1:-3]) / 100) - 1e-9))
