"""Series that remember: how much they say, and how far they move."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST: Final = 10
CONFIDENCE: Final = 0.95
_CLEARLY: Final = 0.75
"""Of what a line leaves over: noise that remembers often looks a little more like a jump."""


@dataclass(frozen=True)
class Trend:
    """A straight line through a series: Theil and Sen's slope, and Kendall's test with the effective sample size."""

    change: float
    """From the first to the last moment, in the unit of the series."""
    change_low: float
    change_high: float
    median: float
    start: float
    end: float
    """At both ends of the line, or before and after the jump."""
    p_value: float
    n: int
    n_effective: float
    step_at: int | None
    """Where the series jumps, if a jump describes it better than a line."""


def grouped(values: Floats, width: int) -> Floats:
    """The sums of each `width` values; what is left over at the end is dropped."""
    whole = len(values) // width * width
    sums: Floats = values[:whole].reshape(-1, width).sum(axis=1)
    return sums


def autocorrelation(values: Floats, lags: int) -> Floats:
    """From lag 0 to `lags`; nothing but lag 0 where the series is constant."""
    centred = values - values.mean()
    power = float(centred @ centred)
    if power <= 1e-12 * max(1.0, float(values @ values)):
        return np.eye(1, lags + 1).ravel()
    found: Floats = np.array([centred[: len(centred) - lag] @ centred[lag:] for lag in range(lags + 1)]) / power
    return found


def correlation_time(values: Floats) -> float:
    """The integrated autocorrelation time in steps, 1 for white noise: the sum ends where pairs of lags turn negative,
    after Geyer."""
    if len(values) < FEWEST:
        return 1.0
    found = autocorrelation(values, len(values) // 2)
    pairs = found[1 : len(found) - 1 : 2] + found[2::2] if len(found) > 2 else np.zeros(0)
    negative = np.flatnonzero(pairs <= 0)
    kept = pairs[: negative[0]] if len(negative) else pairs
    return max(1.0, 1.0 + 2.0 * float(kept.sum()))


def trend(values: Floats) -> Trend | None:
    """The trend of evenly spaced values, of which some may be no number; None where there are too few."""
    from scipy import stats

    moments = np.flatnonzero(np.isfinite(values))
    if len(moments) < FEWEST:
        return None
    known = values[moments]
    slope, level, low, high = stats.theilslopes(known, moments, CONFIDENCE)
    residuals, step = _residuals(known, level + slope * moments)
    n_effective = len(known) / correlation_time(residuals)
    span = float(moments[-1] - moments[0])
    line = level + slope * moments[[0, -1]]
    start, end = line if step is None else (np.median(known[:step]), np.median(known[step:]))
    return Trend(
        change=float(slope) * span,
        change_low=float(low) * span,
        change_high=float(high) * span,
        median=float(np.median(known)),
        start=float(start),
        end=float(end),
        p_value=_kendall_p(moments.astype(np.float64), known, n_effective),
        n=len(known),
        n_effective=n_effective,
        step_at=None if step is None else int(moments[step]),
    )


def without_jump(values: Floats) -> Floats:
    """What is left of a series around its levels before and after its clearest jump, if it has one: an outage that
    begins at some moment is no memory."""
    if len(values) < FEWEST:
        return values
    around, _ = _jump(values)
    centred = values - values.mean()
    return around if around @ around < _CLEARLY * (centred @ centred) else centred


def _jump(values: Floats) -> tuple[Floats, int]:
    """The series around its mean before and after the jump that explains most, and where that is."""
    places = np.arange(FEWEST // 2, len(values) - FEWEST // 2 + 1)
    before = np.cumsum(values)[places - 1] / places
    after = (values.sum() - before * places) / (len(values) - places)
    gain = places * (len(values) - places) / len(values) * (before - after) ** 2
    best = int(np.argmax(gain))
    around = values - np.where(np.arange(len(values)) < places[best], before[best], after[best])
    return around, int(places[best])


def _residuals(values: Floats, line: Floats) -> tuple[Floats, int | None]:
    """What a line leaves over, or a jump where that leaves less: a jump looks like memory to whoever fits a line."""
    from_line = values - line
    around, place = _jump(values)
    is_jump = around @ around < _CLEARLY * (from_line @ from_line)
    return (around, place) if is_jump else (from_line, None)


def _kendall_p(moments: Floats, values: Floats, n_effective: float) -> float:
    """Two-sided, by the normal approximation with as many independent points as the series is worth."""
    from scipy import stats

    tau = float(stats.kendalltau(moments, values).statistic)
    n = max(n_effective, 4.0)
    if not np.isfinite(tau):
        return 1.0
    spread = np.sqrt(2 * (2 * n + 5) / (9 * n * (n - 1)))
    return float(2 * stats.norm.sf(abs(tau) / spread))
