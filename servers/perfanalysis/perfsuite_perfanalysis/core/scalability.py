"""The Universal Scalability Law, fitted to throughput against users (N. Gunther, Guerrilla Capacity Planning)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from perfsuite.artifacts.correlations import Level, ScalabilityFit
from perfsuite_perfanalysis.core.series import Floats

FEWEST_LEVELS: Final = 6
SPAN: Final = 4.0
FURTHEST: Final = 2.0
"""Times the most users tested: beyond that no peak is told."""
REPLICATES: Final = 200
GOOD: Final = 0.9
_SEED: Final = 20_240_229
_NOTHING: Final = 1e-7


def throughput(users: Floats, parameters: Floats) -> Floats:
    """X = lambda N / (1 + alpha (N - 1) + beta N (N - 1))."""
    scale, alpha, beta = parameters
    found: Floats = scale * users / (1 + alpha * (users - 1) + beta * users * (users - 1))
    return found


def peak_of(parameters: Floats) -> float:
    """The users at which throughput is highest: the square root of (1 - alpha) / beta; infinite without beta."""
    _, alpha, beta = parameters
    return float(np.sqrt(max(0.0, 1 - alpha) / beta)) if beta > _NOTHING else float("inf")


def fit_scalability(users: Floats, per_s: Floats, group: NDArray[np.int64], levels: Sequence[Level]) -> ScalabilityFit:
    """The law with 95 % intervals, by drawing the buckets of each level again."""
    if len(levels) < FEWEST_LEVELS or levels[-1].users < SPAN * levels[0].users:
        reason = (
            f"{len(levels)} levels from {levels[0].users:g} to {levels[-1].users:g} users: {FEWEST_LEVELS} levels over "
            f"{SPAN:g} times the users are needed."
        )
        return ScalabilityFit(verdict="not_valid", reason=reason)
    numbers = [np.flatnonzero(group == one) for one in np.unique(group[group >= 0])]
    at = np.array([one.users for one in levels])
    measured = np.array([one.throughput_per_s for one in levels])
    best = fitted(at, measured)
    rng = np.random.default_rng(_SEED)
    drawn = [
        fitted(at, np.array([per_s[rng.choice(one, len(one))].mean() for one in numbers]), best)
        for _ in range(REPLICATES)
    ]
    return _told(at, measured, best, np.array(drawn))


def fitted(users: Floats, per_s: Floats, start: Floats | None = None) -> Floats:
    """The parameters that fit, with outliers counted softly."""
    from scipy import optimize

    first = per_s[0] / users[0]
    begin = np.array([max(first, 1e-9), 0.01, 1e-4]) if start is None else np.clip(start, [1e-9, 1e-9, 1e-12], None)
    scale = max(float(np.median(per_s)), 1e-9)

    def missed(parameters: Floats) -> Floats:
        left: Floats = (throughput(users, parameters) - per_s) / scale
        return left

    found = optimize.least_squares(
        missed,
        begin,
        bounds=([0.0, 0.0, 0.0], [np.inf, 1.0, 1.0]),
        loss="soft_l1",
        f_scale=0.05,
        x_scale=[max(first, 1e-9), 0.05, 1e-3],
    )
    result: Floats = found.x
    return result


def _told(users: Floats, per_s: Floats, best: Floats, drawn: Floats) -> ScalabilityFit:
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    peaks = np.array([peak_of(one) for one in drawn])
    furthest = FURTHEST * float(users.max())
    peak = peak_of(best)
    spread = float(((per_s - per_s.mean()) ** 2).sum())
    r_squared = 1 - float(((throughput(users, best) - per_s) ** 2).sum()) / spread if spread > 0 else 0.0
    has_peak = peak <= furthest and (peaks <= furthest).mean() >= 0.9
    reason = (
        f"Throughput peaks at about {peak:.0f} users."
        if has_peak
        else f"No peak shows up to {furthest:.0f} users, twice what was tested; further is not told."
    )
    is_valid = r_squared >= GOOD
    ends = np.quantile(np.minimum(peaks, furthest), [0.025, 0.975])
    return ScalabilityFit(
        verdict="valid" if is_valid else "not_valid",
        reason=reason if is_valid else f"The law fits badly (R2 = {r_squared:.2f}).",
        lambda_per_s=float(best[0]),
        alpha=float(best[1]),
        alpha_low=float(low[1]),
        alpha_high=float(high[1]),
        beta=float(best[2]),
        beta_low=float(low[2]),
        beta_high=float(high[2]),
        peak_users=peak if has_peak and is_valid else None,
        peak_users_low=float(ends[0]) if has_peak and is_valid else None,
        peak_users_high=float(ends[1]) if has_peak and is_valid else None,
        peak_per_s=float(throughput(np.array([peak]), best)[0]) if has_peak and is_valid else None,
        r_squared=r_squared,
    )
