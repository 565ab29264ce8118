"""How much a label changed between two runs, and how sure that is: before any verdict.

Ratios are logarithms, so that what is a rise one way round is the same fall the other way round. Every draw belongs to
a run and not to its place in the comparison: swapping the runs turns the signs, and nothing else.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from perfsuite_perfanalysis.core.blocks import (
    CONFIDENCE,
    REPLICATES,
    Blocks,
    block_width_s,
    draws,
    levels_of,
    means_of,
    needed_samples,
    percentiles_of,
    share_interval,
    weights,
)
from perfsuite_perfanalysis.core.series import Floats

PERCENTILES: Final = (50.0, 90.0, 95.0, 99.0)
RUN_EFFECT: Final = 0.04
"""How much two runs of the same thing differ (standard deviation), whatever each holds within: one run on each side
cannot tell, so it is assumed, and p says how likely such runs differ as much as these."""
_FEWEST: Final = 30
_NORMAL_95: Final = 1.959963984540054


@dataclass(frozen=True)
class Side:
    """One label in the steady state of one run."""

    run_id: str
    label: str
    kind: str
    blocks: Blocks


@dataclass(frozen=True)
class Change:
    """A metric on both sides. `shift` is a logarithm of a ratio, or for shares their difference; its interval and p
    are None where `lacking` says why."""

    label: str
    kind: str
    metric: str
    baseline: float | None
    candidate: float | None
    samples: tuple[int, int]
    lacking: str = ""
    shift: float = 0.0
    low: float = 0.0
    high: float = 0.0
    p_value: float | None = None
    absolute_low: float = 0.0
    absolute_high: float = 0.0
    """The interval of the difference."""
    errors: tuple[int, int] = (0, 0)

    @property
    def is_ratio(self) -> bool:
        return self.metric != "error_rate"


def label_changes(baseline: Side, candidate: Side, *, with_times: bool = True) -> Iterator[Change]:
    """Every metric of a label. Times are of successes alone."""
    both = (baseline, candidate)
    drawn = tuple(_drawn(side) for side in both)
    if with_times:
        yield from _times(both, drawn)
    yield _error_rate(both)
    yield _throughput(both, drawn)


@dataclass(frozen=True)
class _Drawn:
    """The blocks of a side, and how often each is drawn in each replicate."""

    wide: Blocks
    times: Floats
    effect: Floats
    """What the run as a whole adds to the logarithms, in each replicate."""


def _drawn(side: Side) -> _Drawn | None:
    width = block_width_s(side.blocks, levels_of(side.blocks, side.blocks.succeeded))
    if width is None:
        return None
    wide, name = side.blocks.of_width(width), (side.run_id, side.kind, side.label)
    effect = draws(*name, "effect").normal(0, RUN_EFFECT / math.sqrt(2), REPLICATES)
    return _Drawn(wide, weights(len(wide.succeeded), *name), effect)


def _times(both: tuple[Side, Side], drawn: Sequence[_Drawn | None]) -> Iterator[Change]:
    measured = [_measured(side).tolist() for side in both]
    replicates = [_replicates(one) if one else None for one in drawn]
    for place, (name, needed) in enumerate(_time_metrics()):
        values = measured[0][place], measured[1][place]
        yield _ratio(
            both, name, values, [None if one is None else one[:, place] for one in replicates], drawn, needed,
            (both[0].blocks.successes, both[1].blocks.successes),
        )  # fmt: skip


def _time_metrics() -> tuple[tuple[str, int], ...]:
    return (*((f"p{p:g}_ms", needed_samples(p)) for p in PERCENTILES), ("mean_ms", _FEWEST))


def _measured(side: Side) -> Floats:
    counts = side.blocks.succeeded.sum(axis=0)
    found = percentiles_of(counts, side.blocks.bins, PERCENTILES)
    return np.append(found, means_of(counts, side.blocks.bins))


def _replicates(one: _Drawn) -> Floats:
    counts = one.times @ one.wide.succeeded
    found = percentiles_of(counts, one.wide.bins, PERCENTILES)
    return np.column_stack([found, means_of(counts, one.wide.bins)])


def _throughput(both: tuple[Side, Side], drawn: Sequence[_Drawn | None]) -> Change:
    samples = both[0].blocks.samples, both[1].blocks.samples
    values = samples[0] / both[0].blocks.seconds, samples[1] / both[1].blocks.seconds
    replicates = [
        None if one is None else one.times @ one.wide.everything.sum(axis=1) / side.blocks.seconds
        for side, one in zip(both, drawn, strict=True)
    ]
    return _ratio(both, "throughput_per_s", values, replicates, drawn, _FEWEST, samples)


def _ratio(
    both: tuple[Side, Side],
    metric: str,
    values: tuple[float, float],
    replicates: Sequence[Floats | None],
    drawn: Sequence[_Drawn | None],
    needed: int,
    samples: tuple[int, int],
) -> Change:
    known = [
        float(value) if math.isfinite(value) and n >= needed else None for value, n in zip(values, samples, strict=True)
    ]
    change = Change(both[0].label, both[0].kind, metric, known[0], known[1], samples)
    before, after = replicates
    if min(samples) < needed:
        return replace(change, lacking=f"{min(samples)} samples are too few; {needed} are needed on both sides.")
    if before is None or after is None or drawn[0] is None or drawn[1] is None:
        return replace(change, lacking="The window is too short for ten blocks of time.")
    with np.errstate(divide="ignore", invalid="ignore"):
        shifts = np.log(after) - np.log(before)
    if not np.isfinite(shifts).all() or min(values) <= 0:
        return replace(change, lacking="Too many blocks of time hold no sample.")
    low, high = _ends(shifts)
    absolute = _ends(after - before)
    fewest = min(len(drawn[0].wide.succeeded), len(drawn[1].wide.succeeded))
    return replace(
        change,
        shift=math.log(values[1]) - math.log(values[0]),
        low=low,
        high=high,
        p_value=_p_value(shifts + drawn[1].effect - drawn[0].effect, fewest - 1),
        absolute_low=absolute[0],
        absolute_high=absolute[1],
    )


def _error_rate(both: tuple[Side, Side]) -> Change:
    """The difference of the shares of failures, after Newcombe: each side brings its own interval, and the bursts in
    which failures come are in it."""
    errors = both[0].blocks.errors, both[1].blocks.errors
    samples = both[0].blocks.samples, both[1].blocks.samples
    change = Change(both[0].label, both[0].kind, "error_rate", None, None, samples, errors=errors)
    if min(samples) < _FEWEST:
        return replace(change, lacking=f"{min(samples)} samples are too few; {_FEWEST} are needed on both sides.")
    first, second = (
        share_interval(side.blocks.errors, side.blocks.samples, side.blocks, side.run_id, side.kind, side.label)
        for side in both
    )
    shift = second.value - first.value
    below = math.hypot(second.value - second.low, first.high - first.value)
    above = math.hypot(second.high - second.value, first.value - first.low)
    return replace(
        change,
        baseline=first.value,
        candidate=second.value,
        shift=shift,
        low=shift - below,
        high=shift + above,
        p_value=_normal_p(shift, below if shift > 0 else above),
    )


def _p_value(shifts: Floats, freedom: int) -> float:
    """Two-sided: how many replicates lie on the other side of no change. Where none does, the tail of Student's t."""
    from scipy import stats

    below, above = float((shifts <= 0).mean()), float((shifts >= 0).mean())
    found = min(1.0, 2 * min(below, above))
    least = 1 / (REPLICATES + 1)
    if found > least:
        return found
    spread = float(shifts.std())
    return min(least, float(2 * stats.t.sf(abs(float(shifts.mean())) / spread, max(1, freedom)))) if spread else least


def _normal_p(shift: float, half_width: float) -> float:
    from scipy import stats

    if shift == 0 or half_width <= 0:
        return 1.0
    return float(2 * stats.norm.sf(abs(shift) / half_width * _NORMAL_95))


def _ends(replicates: Floats) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(replicates, [tail, 100 - tail])
    return float(low), float(high)
