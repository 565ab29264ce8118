"""What of the load is taken out before metrics and responses are put side by side, and whether clocks agree."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from perfsuite.artifacts.correlations import ClockCheck
from perfsuite_perfanalysis.core.association import is_constant, partial_correlation
from perfsuite_perfanalysis.core.screening import Candidate
from perfsuite_perfanalysis.core.series import Floats

RAMPED: Final = 0.5
_CONSEQUENCE: Final = -0.3
_ALPHA: Final = 0.05
_STEADY_SPREAD: Final = 0.01
_SAME_COURSE: Final = 0.6
_FURTHEST: Final = 6
_FEWEST: Final = 30
_REQUESTS: Final = re.compile(r"request|\bhits?\b|throughput|\brps\b", re.IGNORECASE)
_NO_COUNT: Final = re.compile(r"duration|latency|time|size|error|_pct|memory|cpu", re.IGNORECASE)


def load_given(
    response: Floats, arrivals: Floats, users: Floats
) -> tuple[tuple[Floats, ...], tuple[str, ...], tuple[str, ...]]:
    """The load, its names, and remarks: arrivals and users where they vary, and time where they are ramped."""
    given, names, notes = list[Floats](), list[str](), list[str]()
    if _varies(users):
        given.append(users)
        names.append("users")
    time = np.arange(len(arrivals), dtype=np.float64)
    is_ramped = any(_follows(one, time) for one in (arrivals, users) if _varies(one))
    if is_ramped:
        given.append(time)
        names.append("time")
    if _varies(arrivals):
        r, p = partial_correlation(response, arrivals, given)
        if r < _CONSEQUENCE and p < _ALPHA:
            notes.append(
                "Arrivals fall when responses take longer: users wait for them. They are a consequence and no cause, "
                "and were not taken out."
            )
        else:
            given.insert(0, arrivals)
            names.insert(0, "arrivals")
    return tuple(given), tuple(names), tuple(notes)


def check_clock(arrivals: Floats, candidates: Sequence[Candidate], width_s: float) -> ClockCheck:
    """Whether requests reach the service when they are sent, by a metric that counts them."""
    counting = [one for one in candidates if _REQUESTS.search(one.metric) and not _NO_COUNT.search(one.metric)]
    found = [_shift(arrivals, one.values) for one in counting]
    best = max(found, key=lambda one: one[1], default=(0, 0.0))
    if not counting:
        reason = "No metric counts the requests that the service got, so whether clocks agree is not known."
        return ClockCheck(verdict="not_evaluable", reason=reason)
    shift, r = best
    if r < _SAME_COURSE:
        reason = f"No metric that counts requests has the course of the arrivals (best correlation {r:.2f})."
        return ClockCheck(verdict="not_evaluable", reason=reason, correlation=r)
    skew = shift * width_s
    if shift == 0:
        reason = f"Requests are counted when they are sent, within {width_s:g} s."
        return ClockCheck(verdict="agree", reason=reason, skew_s=0.0, correlation=r)
    word = "late" if shift > 0 else "early"
    reason = (
        f"The service counts requests {abs(skew):g} s too {word}: clocks are apart, or metrics are delayed. Lags are "
        "wrong by as much, and were not corrected."
    )
    return ClockCheck(verdict="apart", reason=reason, skew_s=skew, correlation=r)


def _varies(values: Floats) -> bool:
    known = values[np.isfinite(values)]
    if not len(known) or is_constant(values):
        return False
    return float(known.std()) > _STEADY_SPREAD * abs(float(known.mean()))


def _follows(values: Floats, time: Floats) -> bool:
    from scipy import stats

    known = np.isfinite(values)
    r = float(stats.spearmanr(values[known], time[known]).statistic)
    return bool(np.isfinite(r)) and abs(r) >= RAMPED


def _shift(arrivals: Floats, counted: Floats) -> tuple[int, float]:
    """By how many buckets the count comes late, and how alike the changes of both are then."""
    best = (0, 0.0)
    a, b = np.diff(arrivals), np.diff(counted)
    for lag in sorted(range(-_FURTHEST, _FURTHEST + 1), key=abs):
        x, y = (a[: len(a) - lag], b[lag:]) if lag >= 0 else (a[-lag:], b[:lag])
        known = np.isfinite(x) & np.isfinite(y)
        if known.sum() < _FEWEST or x[known].std() == 0 or y[known].std() == 0:
            continue
        r = float(np.corrcoef(x[known], y[known])[0, 1])
        best = (lag, r) if r > best[1] + 1e-9 else best
    return best
