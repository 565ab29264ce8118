"""From changes to verdicts: what is a regression, what is noise, and what cannot be told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from perfsuite.artifacts.comparisons import ChangeVerdict, Compared
from perfsuite_perfanalysis.core.changes import Change
from perfsuite_perfanalysis.core.identity import shown

Tier = Literal["minor", "major", "critical"]

FALSE_DISCOVERIES: Final = 0.05
TIERS: Final[tuple[tuple[float, Tier], ...]] = ((0.5, "critical"), (0.2, "major"), (0.1, "minor"))
SHARE_TIERS: Final[tuple[tuple[float, Tier], ...]] = ((0.05, "critical"), (0.01, "major"), (0.005, "minor"))
"""Of error rates: differences, because a ratio to nothing says nothing."""
SHARE_FLOOR: Final = 0.005
FEWEST_ERRORS: Final = 5
QUANTUM_MS: Final = 1.0
_WORST_FIRST: Final[tuple[ChangeVerdict, ...]] = (
    "regression", "improvement", "inconclusive", "within_noise", "insufficient_data",
)  # fmt: skip
LOWER_IS_BETTER: Final = {"throughput_per_s": False}
"""All else is better when it is lower."""


@dataclass(frozen=True)
class Floors:
    """What is too small to matter."""

    relative: float = 0.10
    absolute_ms: float = 10.0


def judged(changes: Sequence[Change], floors: Floors, incomparable: str = "") -> list[Compared]:
    """Verdicts on all changes of a pair of runs, with the false discoveries among them controlled together."""
    adjusted = _adjusted([one.p_value if not incomparable else None for one in changes])
    return [_judged(one, p, floors, incomparable) for one, p in zip(changes, adjusted, strict=True)]


def overall(found: Sequence[Compared]) -> tuple[ChangeVerdict, Tier | None]:
    """What is certain comes first, and what is worse before what is better. Where some became worse and others better,
    that is a regression both ways round, of the tier of what became worse; `better_tier` is its mirror."""
    there = {one.verdict for one in found}
    verdict: ChangeVerdict = next((one for one in _WORST_FIRST if one in there), "incomparable")
    return verdict, _worst_tier(found, verdict)


def better_tier(found: Sequence[Compared]) -> Tier | None:
    """The largest tier of what became better; None where nothing did."""
    return _worst_tier(found, "improvement")


def _worst_tier(found: Sequence[Compared], verdict: ChangeVerdict) -> Tier | None:
    tiers = {one.tier for one in found if one.verdict == verdict}
    return next((tier for _, tier in TIERS if tier in tiers), None)


def _adjusted(p_values: Sequence[float | None]) -> list[float | None]:
    from scipy import stats

    known = [p for p in p_values if p is not None]
    found = iter(stats.false_discovery_control(known, method="bh").tolist() if known else [])
    return [None if p is None else float(next(found)) for p in p_values]


def _judged(change: Change, p_adjusted: float | None, floors: Floors, incomparable: str) -> Compared:
    verdict, reason = _verdict(change, p_adjusted, floors, incomparable)
    is_told = verdict in ("regression", "improvement")
    nearest = 0.0 if change.low <= 0 <= change.high else min(abs(change.low), abs(change.high))
    is_known = not change.lacking and not incomparable
    return Compared(
        label=shown(change.label),
        kind=change.kind,
        metric=change.metric,
        verdict=verdict,
        tier=_tier(change, abs(change.shift)) if is_told else None,
        at_least=_tier(change, nearest) if is_told else None,
        reason=reason,
        baseline=change.baseline,
        candidate=change.candidate,
        change=_share(change, change.shift) if is_known else None,
        change_low=_share(change, change.low) if is_known else None,
        change_high=_share(change, change.high) if is_known else None,
        p_value=change.p_value if is_known else None,
        p_adjusted=p_adjusted,
        samples_baseline=change.samples[0],
        samples_candidate=change.samples[1],
    )


def _verdict(change: Change, p_adjusted: float | None, floors: Floors, incomparable: str) -> tuple[ChangeVerdict, str]:
    if incomparable:
        return "incomparable", incomparable
    if change.lacking:
        return "insufficient_data", change.lacking
    floor = _floor(change, floors)
    is_certain = p_adjusted is not None and p_adjusted <= FALSE_DISCOVERIES and not change.low <= 0 <= change.high
    if is_certain and abs(change.shift) >= floor and _matters(change, floors):
        is_worse = (change.shift > 0) == LOWER_IS_BETTER.get(change.metric, True)
        return ("regression" if is_worse else "improvement"), f"{_told(change)}, beyond the noise floor."
    if change.low >= -floor and change.high <= floor:
        return "within_noise", f"{_told(change)}: the whole interval lies within the noise floor."
    if change.metric.endswith("_ms") and max(abs(change.absolute_low), abs(change.absolute_high)) <= floors.absolute_ms:
        return "within_noise", f"{_told(change)}: the whole interval lies within {floors.absolute_ms:g} ms."
    if change.metric == "error_rate" and not any(change.errors):
        return "within_noise", "No sample failed on either side."
    return "inconclusive", f"{_told(change)}: that may be noise, and may be more."


def _floor(change: Change, floors: Floors) -> float:
    if not change.is_ratio:
        return SHARE_FLOOR
    smaller = min(change.baseline or 0.0, change.candidate or 0.0)
    quantum = QUANTUM_MS / smaller if change.metric.endswith("_ms") and smaller > 0 else 0.0
    return math.log1p(max(floors.relative, quantum))


def _matters(change: Change, floors: Floors) -> bool:
    if change.metric == "error_rate":
        return max(change.errors) >= FEWEST_ERRORS
    if change.metric.endswith("_ms"):
        return abs((change.candidate or 0.0) - (change.baseline or 0.0)) >= floors.absolute_ms
    return True


def _tier(change: Change, shift: float) -> Tier | None:
    """By how much the larger value is above the smaller one, so that it is the same both ways round."""
    size, tiers = (math.expm1(shift), TIERS) if change.is_ratio else (shift, SHARE_TIERS)
    return next((tier for least, tier in tiers if size >= least - 1e-12), None)


def _share(change: Change, shift: float) -> float:
    return math.expm1(shift) if change.is_ratio else shift


def _told(change: Change) -> str:
    unit = "" if change.is_ratio else " percentage points"
    share, low, high = (100 * _share(change, one) for one in (change.shift, change.low, change.high))
    sign = "%" if change.is_ratio else unit
    return f"{share:+.1f}{sign} ({low:+.1f} to {high:+.1f})"
