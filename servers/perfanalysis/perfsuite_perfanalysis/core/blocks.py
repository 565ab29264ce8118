"""Histograms in blocks of time, and what resampling whole blocks tells about percentiles, shares and rates.

Requests that lie close in time are alike. Resampling blocks keeps that: intervals are as wide as the run is restless,
however many requests there were.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from perfsuite_perfanalysis.core.series import Floats, correlation_time, without_jump

REPLICATES: Final = 1_000
FEWEST_BLOCKS: Final = 10
SHORTEST_BLOCK_S: Final = 10.0
BLOCKS: Final = 60
CONFIDENCE: Final = 0.95
_FEWEST_SAMPLES: Final = 30
_LOG_BIN: Final = math.log(1.005)


@dataclass(frozen=True)
class Blocks:
    """One label in the blocks of a window: how many took how long, and how many failed."""

    block_s: float
    bins: NDArray[np.int64]
    """The bins that occur; bin b begins at 1.005**b microseconds."""
    succeeded: Floats
    """Samples by block and bin."""
    failed: Floats
    last_s: float | None = None
    """How much of the last block there was; without it, all."""

    @property
    def samples(self) -> int:
        return int(self.succeeded.sum() + self.failed.sum())

    @property
    def successes(self) -> int:
        return int(self.succeeded.sum())

    @property
    def errors(self) -> int:
        return int(self.failed.sum())

    @property
    def everything(self) -> Floats:
        found: Floats = self.succeeded + self.failed
        return found

    @property
    def seconds(self) -> float:
        return (len(self.succeeded) - 1) * self.block_s + (self.block_s if self.last_s is None else self.last_s)

    def of_width(self, wanted_s: float) -> "Blocks":
        """The same in blocks about so wide; what is left over joins the last one."""
        together = max(1, round(wanted_s / self.block_s))
        starts = np.arange(0, max(1, len(self.succeeded) // together) * together, together)
        return Blocks(
            self.block_s * together,
            self.bins,
            np.add.reduceat(self.succeeded, starts, axis=0),
            np.add.reduceat(self.failed, starts, axis=0),
            self.seconds - (len(starts) - 1) * self.block_s * together,
        )


@dataclass(frozen=True)
class Interval:
    """A value that was measured, and the 95 % interval around it."""

    value: float
    low: float
    high: float


def needed_samples(percentile: float) -> int:
    """30 for the median, 100 for p90, 200 for p95, 1,000 for p99: ten beyond the percentile."""
    return max(_FEWEST_SAMPLES, math.ceil(round(10 / (1 - percentile / 100), 6)))


def block_width_s(blocks: Blocks, levels: Floats) -> float | None:
    """How long blocks must be to be independent, as far as the memory of their levels tells, but never so long that
    there are fewer than ten; None where the window is too short for that."""
    span = len(blocks.succeeded) * blocks.block_s
    wanted = max(SHORTEST_BLOCK_S, 2 * correlation_time(levels) * blocks.block_s, span / BLOCKS)
    most = span / FEWEST_BLOCKS
    if most < SHORTEST_BLOCK_S:
        return None
    # Rounded down to whole blocks, or there would be nine of them.
    return max(1, math.floor(min(wanted, most) / blocks.block_s + 1e-9)) * blocks.block_s


def draws(*name: str) -> np.random.Generator:
    """Random numbers that are the same for the same name."""
    seed = hashlib.sha256("\0".join(name).encode("utf-8", "replace")).digest()
    return np.random.default_rng(int.from_bytes(seed[:8]))


def weights(count: int, *name: str) -> Floats:
    """How often each block is drawn in each replicate. The same name gives the same draws."""
    return draws(*name).multinomial(count, np.full(count, 1 / count), REPLICATES).astype(float)


def percentiles_of(counts: Floats, bins: NDArray[np.int64], wanted: Sequence[float]) -> Floats:
    """Percentiles in milliseconds of each row of counts, by the definition `linear`, within a bin evenly by logarithm.
    Not a number where a row is empty."""
    cumulated = np.cumsum(counts, axis=-1)
    totals = cumulated[..., -1]
    found = np.full((*totals.shape, len(wanted)), np.nan)
    there = totals > 0
    for number, percentile in enumerate(wanted):
        position = percentile / 100 * np.maximum(totals - 1, 0)
        place = np.minimum((cumulated <= position[..., None]).sum(axis=-1), counts.shape[-1] - 1)
        inside = np.take_along_axis(counts, place[..., None], -1)[..., 0]
        before = np.take_along_axis(cumulated, place[..., None], -1)[..., 0] - inside
        share = np.divide(position - before + 0.5, inside, out=np.zeros_like(totals), where=inside > 0)
        values = np.exp((bins[place] + np.clip(share, 0, 1)) * _LOG_BIN) / 1000
        found[..., number] = np.where(there, values, np.nan)
    return found


def means_of(counts: Floats, bins: NDArray[np.int64]) -> Floats:
    """The means in milliseconds of each row of counts."""
    centres = np.exp((bins + 0.5) * _LOG_BIN) / 1000
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = (counts @ centres) / counts.sum(axis=-1)
    return found


def percentile_interval(blocks: Blocks, percentile: float, exact_ms: float, *name: str) -> Interval | None:
    """The interval around a percentile of all samples that was computed exactly; None where none can be told."""
    width = block_width_s(blocks, levels_of(blocks, blocks.everything))
    if width is None:
        return None
    wide = blocks.of_width(width)
    drawn = weights(len(wide.succeeded), *name) @ wide.everything
    replicates = percentiles_of(drawn, wide.bins, [percentile])[:, 0]
    measured = float(percentiles_of(wide.everything.sum(axis=0), wide.bins, [percentile])[0])
    low, high = _ends(replicates) * exact_ms / measured
    return Interval(exact_ms, min(float(low), exact_ms), max(float(high), exact_ms))


def share_interval(errors: int, samples: int, blocks: Blocks | None, *name: str) -> Interval:
    """Around a share of failures: Wilson's, or that of the blocks where it is wider, as failures come in bursts."""
    low, high = wilson(errors, samples)
    width = block_width_s(blocks, without_jump(_failing(blocks))) if blocks is not None and errors >= 5 else None
    if blocks is not None and width is not None:
        wide = blocks.of_width(width)
        drawn = weights(len(wide.failed), *name)
        of_all = drawn @ wide.everything.sum(axis=1)
        shares = np.divide(drawn @ wide.failed.sum(axis=1), of_all, out=np.zeros(len(drawn)), where=of_all > 0)
        ends = _ends(shares)
        low, high = min(low, float(ends[0])), max(high, float(ends[1]))
    return Interval(errors / samples, low, high)


def rate_interval(blocks: Blocks, exact_per_s: float, *name: str) -> Interval | None:
    """Around a throughput."""
    width = block_width_s(blocks, blocks.everything.sum(axis=1))
    if width is None or not blocks.samples:
        return None
    counts = blocks.of_width(width).everything.sum(axis=1)
    replicates = weights(len(counts), *name) @ counts / counts.sum()
    low, high = _ends(replicates) * exact_per_s
    return Interval(exact_per_s, min(float(low), exact_per_s), max(float(high), exact_per_s))


def wilson(errors: int, samples: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    from scipy import stats

    found = stats.binomtest(errors, samples).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def levels_of(blocks: Blocks, counts: Floats) -> Floats:
    """The mean logarithm of the times of each block; blocks without samples are passed over."""
    totals = counts.sum(axis=1)
    there = totals > 0
    found: Floats = (counts[there] @ (blocks.bins * _LOG_BIN)) / totals[there]
    return found


def _failing(blocks: Blocks) -> Floats:
    """The share of failures of each block; blocks without samples are passed over."""
    totals = blocks.everything.sum(axis=1)
    there = totals > 0
    found: Floats = blocks.failed.sum(axis=1)[there] / totals[there]
    return found


def _ends(replicates: Floats) -> Floats:
    tail = (1 - CONFIDENCE) / 2 * 100
    found: Floats = np.nanpercentile(replicates, [tail, 100 - tail])
    return found
