"""When something began: by looking forward in time only, so that what comes later does not leak into its onset."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from perfsuite_perfanalysis.core.series import Floats

RISE: Final = 1.3
"""Times the calm level."""
IN_A_ROW: Final = 3
_CALM: Final = 20.0
"""The percentile that stands for calm: the start would not do, as it may be the ramp."""
_BEYOND_NOISE: Final = 4.0
FEWEST: Final = 9
_LEAST_ERRORS: Final = 0.01


@dataclass(frozen=True)
class Rise:
    """A rise that stays: the bucket in which it began, the levels before and after, and by when that was reached."""

    at: int
    calm: float
    then: float
    by: int

    @property
    def ratio(self) -> float:
        return self.then / self.calm if self.calm > 0 else np.inf


def find_rise(values: Floats, least: float = RISE) -> Rise | None:
    """The first of three buckets in a row beyond the calm level and its noise; None where there is none."""
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < FEWEST:
        return None
    line = values[known]
    calm = float(np.percentile(line, _CALM))
    quiet = line[line <= np.median(line)]
    noise = 1.4826 * float(np.median(np.abs(quiet - np.median(quiet))))
    high = line >= max(least * calm, calm + _BEYOND_NOISE * noise)
    if calm <= 0 or (start := first_in_a_row(high)) is None:
        return None
    then = float(np.median(line[start:][high[start:]]))
    return Rise(int(known[start]), calm, then, int(known[start + int(np.argmax(line[start:] >= then))]))


def first_in_a_row(holds: "np.ndarray[tuple[int], np.dtype[np.bool_]]", times: int = IN_A_ROW) -> int | None:
    """Where something begins to hold so many times in a row."""
    if len(holds) < times:
        return None
    runs = np.convolve(holds.astype(int), np.ones(times, dtype=int), mode="valid")
    places = np.flatnonzero(runs == times)
    return int(places[0]) if len(places) else None


def find_error_onset(errors: Floats, completed: Floats) -> Rise | None:
    """The first of three buckets in a row whose error rate is surely above that of the calmer half."""
    known = np.flatnonzero(completed > 0)
    if not len(known) or not errors.sum():
        return None
    bad, all_of = errors[known], completed[known]
    order = np.argsort(bad / all_of, kind="stable")
    calmer = order[: max(1, len(order) // 2)]
    calm = float(bad[calmer].sum() / all_of[calmer].sum())
    ceiling = max(_LEAST_ERRORS, float(wilson(bad[calmer].sum(), all_of[calmer].sum())[1]))
    low, _ = wilson(bad, all_of)
    high = low > ceiling
    start = 0 if calm > _LEAST_ERRORS and high.mean() < 0.5 and _is_everywhere(bad, all_of) else first_in_a_row(high)
    if start is None:
        return None
    after = bad[start:].sum() / all_of[start:].sum()
    return Rise(int(known[start]), calm if start else 0.0, float(after), int(known[start]))


def wilson(bad: "Floats | float", all_of: "Floats | float") -> tuple[Floats, Floats]:
    """The 95 % interval of a share."""
    z = 1.959964
    n = np.maximum(np.asarray(all_of, dtype=np.float64), 1.0)
    share = np.asarray(bad, dtype=np.float64) / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def _is_everywhere(bad: Floats, all_of: Floats) -> bool:
    """Whether requests fail from the first buckets on, as they do when something was wrong all the time."""
    first = slice(0, IN_A_ROW)
    return bool(wilson(bad[first].sum(), all_of[first].sum())[0] > _LEAST_ERRORS)
