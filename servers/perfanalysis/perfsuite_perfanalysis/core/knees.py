"""Where throughput ceases to grow with the users: only where a bent line says it better than a straight one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from perfsuite.artifacts.correlations import Knee, Level, ScalabilityFit
from perfsuite_perfanalysis.core.series import Floats

BIC_GAIN: Final = 6.0
BEND: Final = 0.5
"""The slope after the bend, as a share of the one before it."""
FLAT: Final = 0.10
"""The same, where nothing more comes of more users."""
RISE: Final = 1.5
"""By how much users and p95 must rise beyond the bend for it to be a plateau."""
_LEVELS_EACH_SIDE: Final = 2
_FAR_ENOUGH: Final = 1.2
"""Times the users at the bend that must have been tested, for it to be more than an end that frays."""
_PLACES: Final = 200


@dataclass(frozen=True)
class _Bend:
    at: float
    slope_before: float
    slope_after: float
    residual: float
    low: float
    high: float


def find_knee(levels: Sequence[Level], *, is_paced: bool) -> Knee:
    """A plateau, a bend, or none; and none of them where a timer in the script holds the throughput."""
    if len(levels) < 2 * _LEVELS_EACH_SIDE:
        are = "1 level is" if len(levels) == 1 else f"{len(levels)} levels are"
        return Knee(verdict="not_evaluable", reason=f"{are} too few to tell a bend from a line.")
    if is_paced:
        return Knee(
            verdict="paced", reason="A timer in the script holds the throughput, so it says nothing of capacity."
        )
    # Levels and not their buckets: neighbours in time are alike, and would count as many.
    users, per_s = np.array([one.users for one in levels]), np.array([one.throughput_per_s for one in levels])
    bend, straight = _best_bend(users, per_s), _straight(users, per_s)
    if bend is None or straight <= 0:
        return Knee(verdict="none", reason="Throughput grows evenly with the users.")
    count = len(levels)
    gain = count * np.log(straight / max(bend.residual, 1e-12 * straight)) - 2 * np.log(count)
    ratio = bend.slope_after / bend.slope_before if bend.slope_before > 0 else None
    numbers = {"bic_gain": float(gain), "slope_ratio": ratio}
    if gain < BIC_GAIN or ratio is None or ratio > BEND or users[-1] < _FAR_ENOUGH * bend.at:
        reason = "A straight line describes throughput against users as well as a bent one."
        return Knee.model_validate({"verdict": "none", "reason": reason, **numbers})
    return _judged(bend, levels, numbers)


def beside(fit: ScalabilityFit, knee: Knee, levels: Sequence[Level]) -> ScalabilityFit:
    """The law as it may be told beside a knee: where a bent line says it better, its peak would be made up."""
    if knee.verdict != "plateau" or fit.verdict != "valid" or fit.r_squared is None:
        return fit
    users, per_s = np.array([one.users for one in levels]), np.array([one.throughput_per_s for one in levels])
    bend, count = _best_bend(users, per_s), len(levels)
    over = (1 - fit.r_squared) * float(((per_s - per_s.mean()) ** 2).sum())
    # The bent line has one number more to choose.
    if bend is None or count * np.log(max(over, 1e-12) / max(bend.residual, 1e-12)) - np.log(count) < BIC_GAIN:
        return fit
    reason = f"Throughput is flat beyond {knee.users:.0f} users, and the law knows no such course."
    nothing = dict.fromkeys(("peak_users", "peak_users_low", "peak_users_high", "peak_per_s"))
    return fit.model_copy(update={"verdict": "not_valid", "reason": reason, **nothing})


def _judged(bend: _Bend, levels: Sequence[Level], numbers: dict[str, float | None]) -> Knee:
    above = [one for one in levels if one.users >= bend.at]
    below = [one for one in levels if one.users < bend.at]
    before = float(np.median([one.p95_ms or one.mean_ms for one in below]))
    rise = (above[-1].p95_ms or above[-1].mean_ms) / before
    more_users = above[-1].users / bend.at
    where = {
        "users": bend.at,
        # Between two levels nothing was tested, so it is not known better than these.
        "users_low": min(bend.low, below[-1].users),
        "users_high": max(bend.high, above[0].users),
        "throughput_per_s": max(one.throughput_per_s for one in levels),
        "p95_ratio": rise,
        **numbers,
    }
    ratio = numbers["slope_ratio"] or 0.0
    if ratio <= FLAT and more_users >= RISE and rise >= RISE:
        reason = (
            f"Beyond {bend.at:.0f} users there is no more throughput: {more_users:.1f} times as many users, and p95 is "
            f"{rise:.1f} times as long."
        )
        return Knee.model_validate({"verdict": "plateau", "reason": reason, **where})
    if rise < RISE:
        reason = (
            f"Throughput bends at {bend.at:.0f} users and p95 hardly rises ({rise:.1f} times): users wait for "
            "something in the script, and not for the service."
        )
        return Knee.model_validate({"verdict": "paced", "reason": reason, **where})
    reason = (
        f"Throughput grows {ratio:.0%} as fast beyond {bend.at:.0f} users, where p95 becomes {rise:.1f} times as long."
    )
    return Knee.model_validate({"verdict": "bend", "reason": reason, **where})


def _straight(users: Floats, per_s: Floats) -> float:
    return _residual(np.stack([np.ones_like(users), users], axis=1), per_s)[0]


def _best_bend(users: Floats, per_s: Floats) -> _Bend | None:
    """The continuous line of two parts that leaves least over, with two levels on each side."""
    first, last = float(users[_LEVELS_EACH_SIDE - 1]), float(users[-_LEVELS_EACH_SIDE])
    if last <= first:
        return None
    places = np.linspace(first, last, _PLACES)
    fits = [
        _residual(np.stack([np.ones_like(users), users, np.maximum(users - at, 0)], axis=1), per_s) for at in places
    ]
    residuals = np.array([one[0] for one in fits])
    best = int(np.argmin(residuals))
    _, slope, more = fits[best][1]
    # The places that a test of the likelihood would not tell from the best one.
    count = len(users)
    near = places[count * np.log(np.maximum(residuals, 1e-12) / max(residuals[best], 1e-12)) <= 3.84]
    return _Bend(
        float(places[best]), float(slope), float(slope + more), float(residuals[best]), float(near[0]), float(near[-1])
    )


def _residual(columns: Floats, values: Floats) -> tuple[float, Floats]:
    found: Floats = np.linalg.lstsq(columns, values, rcond=None)[0].astype(np.float64)
    return float(((values - columns @ found) ** 2).sum()), found
