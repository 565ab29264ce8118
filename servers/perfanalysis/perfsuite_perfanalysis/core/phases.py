"""Where a run is steady: after the ramp of its users, after its warm-up, and before the first of them leave."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from perfsuite.artifacts.analyses import Drift, Phase, Phases
from perfsuite_perfanalysis.core.series import FEWEST, Floats, Trend, grouped, trend

RAMPED: Final = 0.95
"""Of the most users: from there on, the ramp is over."""
BUSY: Final = 0.7
"""Of the throughput's 90th percentile: the same, where nobody told the users."""
MSER_BATCH_S: Final = 5
DRIFT: Final = 0.10
"""Of the median over the steady state."""
SIGNIFICANT: Final = 0.01
_VISIBLE: Final = 0.0005
_WARMER: Final = 1.10
"""A start this much slower than the rest is a warm-up. A quicker one is kept: cutting it would hide what came after."""
_SHORTEST_S: Final = 60.0
_SMALLEST_SHARE: Final = 0.2
_LONG_ENOUGH_S: Final = 300.0
_HOLE_S: Final = 10
_BUCKETS: Final = 60


@dataclass(frozen=True)
class Timeline:
    """A run in even steps: completed requests, the sum of their times, and users (not a number where unknown)."""

    width_s: float
    span_s: float
    completed: Floats
    sum_ms: Floats
    users: Floats


@dataclass(frozen=True)
class _Stretch:
    start: int
    end: int
    how: str


def find_phases(run: Timeline) -> Phases:
    """Ramp by the users, warm-up by MSER-5, drift by Theil-Sen and Kendall."""
    stretch = _under_load(run)
    cut, warm_up = _warm_up(run, stretch)
    start, end = stretch.start + cut, stretch.end
    from_s, to_s = start * run.width_s, min(end * run.width_s, run.span_s)
    phases = _phases(run, stretch, cut, warm_up)
    length = to_s - from_s
    if length < _SHORTEST_S or (length < _SMALLEST_SHARE * run.span_s and length < _LONG_ENOUGH_S):
        reason = (
            f"The load held its level for {max(length, 0):.0f} s of {run.span_s:.0f} s only. At least "
            f"{_SHORTEST_S:.0f} s are needed, and {_SMALLEST_SHARE:.0%} of the run or {_LONG_ENOUGH_S:.0f} s."
        )
        untested = Drift(verdict="not_tested", reason="There is no steady state.")
        return Phases(has_steady_state=False, reason=reason, phases=phases, drift=untested)
    return Phases(
        has_steady_state=True,
        reason=f"{stretch.how}; {warm_up}",
        steady_from_s=from_s,
        steady_to_s=to_s,
        excluded_s=round(run.span_s - length, 3),
        phases=phases,
        drift=find_drift(run, start, end),
    )


def find_drift(run: Timeline, start: int, end: int) -> Drift:
    """Whether response times rise or fall between two steps."""
    width = max(1, math.ceil(max(10.0, (end - start) * run.width_s / _BUCKETS) / run.width_s))
    found = trend(_means(run.sum_ms[start:end], run.completed[start:end], width))
    if found is None or found.median <= 0:
        return Drift(verdict="not_tested", reason=f"Fewer than {FEWEST} stretches of time hold samples.")
    change = found.change / found.median
    is_drift = abs(change) > DRIFT and found.p_value < SIGNIFICANT
    jump_s = None if found.step_at is None else (start + found.step_at * width) * run.width_s
    return Drift(
        verdict="drift" if is_drift else "steady",
        reason=_drifting(found, jump_s) if is_drift else _standing(change, found.p_value),
        step_at_s=jump_s if is_drift else None,
        change=change,
        change_low=found.change_low / found.median,
        change_high=found.change_high / found.median,
        start_ms=found.start,
        end_ms=found.end,
        p_value=found.p_value,
        n=found.n,
        n_effective=found.n_effective,
    )


def _drifting(found: Trend, jump_s: float | None) -> str:
    word = "rise" if found.change > 0 else "fall"
    if found.start > 0 and found.end > 0:
        by = f"from {found.start:.4g} to {found.end:.4g} ms ({found.end / found.start - 1:+.0%})"
    else:
        by = f"by {abs(found.change):.4g} ms"
    how = f", most of it at {jump_s:.0f} s" if jump_s is not None else ""
    return f"Response times {word} {by} over the window{how}, p = {found.p_value:.2g}."


def _standing(change: float, p_value: float) -> str:
    if abs(change) < _VISIBLE:
        return "Response times neither rise nor fall over the window."
    why = f"within {DRIFT:.0%}" if abs(change) <= DRIFT else f"not certain (p = {p_value:.2g})"
    return f"Response times {'rise' if change > 0 else 'fall'} by {abs(change):.1%} over the window, which is {why}."


def _under_load(run: Timeline) -> _Stretch:
    known = np.isfinite(run.users)
    if known.any():
        most = float(np.nanmax(run.users))
        how = f"users are at {RAMPED:.0%} of their {most:g} or more"
        return _Stretch(*_longest(run.users >= RAMPED * most, run.width_s), how)
    width = max(1, round(10 / run.width_s))
    level = np.repeat(grouped(run.completed, width), width)
    if not len(level):
        return _Stretch(0, len(run.completed), "the run is too short to tell phases apart")
    busy = float(np.quantile(level, 0.9))
    how = f"users are unknown; throughput is at {BUSY:.0%} of its 90th percentile or more"
    return _Stretch(*_longest(level >= BUSY * busy, run.width_s), how)


def _longest(holds: "np.ndarray[tuple[int], np.dtype[np.bool_]]", width_s: float) -> tuple[int, int]:
    """The longest stretch in which something holds, apart from moments too short to matter."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]])))
    if not len(edges):
        return 0, 0
    starts, ends = edges[::2], edges[1::2]
    joined = (starts[1:] - ends[:-1]) * width_s <= _HOLE_S
    starts, ends = starts[np.append(True, ~joined)], ends[np.append(~joined, True)]
    best = int(np.argmax(ends - starts))
    return int(starts[best]), int(ends[best])


def _warm_up(run: Timeline, stretch: _Stretch) -> tuple[int, str]:
    """How many steps to cut, and why."""
    width = max(1, round(MSER_BATCH_S / run.width_s))
    means = _means(run.sum_ms[stretch.start : stretch.end], run.completed[stretch.start : stretch.end], width)
    known = np.flatnonzero(np.isfinite(means))
    if len(known) < 2 * FEWEST:
        return 0, "too short to look for a warm-up"
    values = means[known]
    cut = _mser(values)
    if cut == 0 or values[:cut].mean() < _WARMER * values[cut:].mean():
        return 0, "MSER-5 found no slower start"
    if cut >= 0.95 * (len(values) // 2):
        return 0, "MSER-5 found no end of the warm-up within the first half"
    return int(known[cut]) * width, f"MSER-5 cut {int(known[cut]) * width * run.width_s:.0f} s of slower start"


def _mser(values: Floats) -> int:
    """The start that leaves the mean of the rest with the smallest standard error, within the first half."""
    left = np.arange(len(values), 0, -1)
    sums = np.cumsum(values[::-1])[::-1]
    squares = np.cumsum((values**2)[::-1])[::-1]
    errors = (squares - sums**2 / left) / left.astype(np.float64) ** 2
    return int(np.argmin(errors[: max(1, len(values) // 2)]))


def _means(sums: Floats, counts: Floats, width: int) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = grouped(sums, width) / grouped(counts, width)
    return found


def _phases(run: Timeline, stretch: _Stretch, cut: int, warm_up: str) -> tuple[Phase, ...]:
    end_s = max(run.span_s, stretch.end * run.width_s)
    moments = [0.0, stretch.start * run.width_s, (stretch.start + cut) * run.width_s, stretch.end * run.width_s, end_s]
    told = (
        ("ramp_up", "before " + stretch.how),
        ("warm_up", warm_up),
        ("steady", stretch.how),
        ("ramp_down", f"after the last moment at which {stretch.how}"),
    )
    return tuple(
        Phase.model_validate({"name": name, "from_s": start, "to_s": min(end, run.span_s), "reason": reason})
        for (name, reason), start, end in zip(told, moments, moments[1:], strict=False)
        if min(end, run.span_s) - start >= run.width_s
    )
