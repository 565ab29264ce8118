"""How much something must move to be worth a word: what hardly moves can be certain, and still not matter."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from perfsuite_perfanalysis.core.series import Floats

LEAST_POINTS: Final = 2.0
"""Percentage points between the 5th and the 95th percentile of a metric in percent."""
LEAST_SHARE: Final = 0.05
"""The same of any other metric, as a share of its level."""
LEAST_SLOWER: Final = 0.10
"""The same of response times."""
LEAST_ERRORS: Final = 0.01
"""The same of a share of errors, as it is."""
_LITTLE: Final = "it moves by less than"


def too_little_of_metric(metric: str, values: Floats) -> str:
    """Why a metric moves too little; empty where it moves enough."""
    spread, level = _spread(values)
    if metric.endswith("_pct"):
        return "" if spread >= LEAST_POINTS else f"{_LITTLE} {LEAST_POINTS:g} points"
    return _relative(spread, level, LEAST_SHARE)


def too_little_of_response(values: Floats, *, is_share: bool) -> str:
    """Why response times, or a share of errors, move too little; empty where they move enough."""
    spread, level = _spread(values)
    if is_share:
        return "" if spread >= LEAST_ERRORS else f"{_LITTLE} {LEAST_ERRORS:.0%} of the requests"
    return _relative(spread, level, LEAST_SLOWER)


def is_calm(untestable: Mapping[str, str], responses: Iterable[str]) -> bool:
    """Whether all responses were left out, because they hardly moved: then there is nothing to explain."""
    whys = [untestable.get(one, "") for one in responses]
    return bool(whys) and all(why.startswith(_LITTLE) for why in whys)


def _relative(spread: float, level: float, least: float) -> str:
    return "" if spread >= least * level and spread > 0 else f"{_LITTLE} {least:.0%} of its level"


def _spread(values: Floats) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    low, level, high = np.percentile(known, [5, 50, 95])
    return float(high - low), abs(float(level))
