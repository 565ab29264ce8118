"""Whether one series moves with others, given the load: partial rank correlation that knows how little series say
that remember, at several lags.

Two questions are asked of a pair. Of levels: Spearman's correlation of what the load leaves over, with Bartlett's
effective sample size. Of changes: the same after the memory of the metric was taken out of both series, which finds
what levels cannot when both remember long. The better answer pays for both questions and for every lag.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from perfsuite_perfanalysis.core.series import Floats

LAGS: Final = 6
FEWEST_BUCKETS: Final = 30
SURE_LAG: Final = 0.1
"""By which the best lag must beat lag 0 to be told."""
LEAST_MOVING: Final = 0.2
"""The share of values that must differ from the usual one."""
_MOST_MEMORY: Final = 20
_LONGEST_MEMORY: Final = 0.98
_QUESTIONS: Final = 2
_SHORTEST_OVERLAP: Final = 0.6

Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Association:
    """What was found of one pair. A positive lag means that the metric moves first, by so many steps."""

    raw: float
    partial: float
    lag: int
    is_lag_sure: bool
    n: int
    n_effective: float
    p_value: float
    by: Literal["levels", "changes"]


@dataclass(frozen=True)
class _Answers:
    """Correlations and what they are worth: one row for each lag, one column for each metric."""

    r: Floats
    n: Floats
    n_effective: Floats
    p: Floats


def associate(response: Floats, metrics: Floats, given: Sequence[Floats]) -> list[Association | None]:
    """The response against each row of metrics, given the load; None where too few moments are known of both."""
    found: list[Association | None] = [None] * len(metrics)
    usable = np.isfinite(response)
    for one in given:
        usable = usable & np.isfinite(one)
    masks: dict[bytes, list[int]] = {}
    for number, row in enumerate(metrics):
        masks.setdefault((usable & np.isfinite(row)).tobytes(), []).append(number)
    for numbers in masks.values():
        known = usable & np.isfinite(metrics[numbers[0]])
        if known.sum() >= FEWEST_BUCKETS:
            answers = _of_mask(response, metrics[numbers], given, known)
            for number, answer in zip(numbers, answers, strict=True):
                found[number] = answer
    return found


def partial_correlation(response: Floats, other: Floats, given: Sequence[Floats]) -> tuple[float, float]:
    """At lag 0: Spearman's correlation given the others, and its p-value by the effective sample size."""
    known = np.isfinite(response) & np.isfinite(other)
    for one in given:
        known = known & np.isfinite(one)
    if known.sum() < FEWEST_BUCKETS:
        return 0.0, 1.0
    y, x = (_spread(_left_over(_ranks(one[None, known]), given, known), known) for one in (response, other))
    answers = _answers(x, y, known, len(given), lags=0)
    return float(answers.r[0, 0]), float(answers.p[0, 0])


def kendall(response: Floats, other: Floats, given: Sequence[Floats], lag: int) -> float | None:
    """Kendall's tau of what the load leaves over, at a lag: it minds ties less where there are few moments."""
    from scipy import stats

    known = np.isfinite(response) & np.isfinite(other)
    for one in given:
        known = known & np.isfinite(one)
    y, x = (_spread(_left_over(_ranks(one[None, known]), given, known), known)[0] for one in (response, other))
    length = len(known)
    early, late = slice(max(0, -lag), length - max(0, lag)), slice(max(0, lag), length - max(0, -lag))
    both = known[early] & known[late]
    tau = float(stats.kendalltau(x[early][both], y[late][both]).statistic)
    return tau if np.isfinite(tau) else None


def is_constant(values: Floats) -> bool:
    """Whether so few values differ from the usual one that ranks say nothing. A processor that is at its end for more
    than half of the time is none of these: how it came there is what matters."""
    known = values[np.isfinite(values)]
    if not len(known):
        return True
    apart = np.abs(known - np.median(known)) > 1e-12 * max(1.0, float(np.abs(known).max()))
    return float(apart.mean()) < LEAST_MOVING


def _of_mask(response: Floats, metrics: Floats, given: Sequence[Floats], known: Booleans) -> list[Association | None]:
    y = _left_over(_ranks(response[None, known]), given, known)
    x = _left_over(_ranks(metrics[:, known]), given, known)
    levels = _answers(_spread(x, known), _spread(np.broadcast_to(y, x.shape), known), known, len(given))
    changes = _of_changes(_spread(x, known), _spread(y, known), known, len(given))
    raw = _raw(response, metrics, known)
    return [_better(number, levels, changes, float(raw[number])) for number in range(len(metrics))]


def _of_changes(x: Floats, y: Floats, known: Booleans, given: int) -> _Answers:
    """Both series without the metric's memory of one step. Ranked again, or one jump in both would decide."""
    count = int(known.sum())
    memory = _memory(x, 1)[0]
    # The estimate is too low on average, by so much (Kendall).
    memory = np.clip(memory + (1 + 3 * np.clip(memory, 0, 1)) / count, 0, _LONGEST_MEMORY)[:, None]
    both = known[1:] & known[:-1]
    new_x = (x[:, 1:] - memory * x[:, :-1])[:, both]
    new_y = (y[:, 1:] - memory * y[:, :-1])[:, both]
    return _answers(_spread(_centred(_ranks(new_x)), both), _spread(_centred(_ranks(new_y)), both), both, given)


def _answers(x: Floats, y: Floats, known: Booleans, given: int, lags: int = LAGS) -> _Answers:
    """At every lag. What is not known is zero in both series and counts for nothing."""
    from scipy import stats

    count = int(known.sum())
    most = min(count // 4, _MOST_MEMORY)
    weights = 1 - np.arange(1, most + 1) / count
    spread = 1 + 2 * (weights[:, None] * _memory(x, most) * _memory(y, most)).sum(axis=0)
    rows = [_at_lag(x, y, known, lag) for lag in range(-lags, lags + 1)]
    r, n = np.array([one for one, _ in rows]), np.array([both for _, both in rows], dtype=np.float64)[:, None]
    n_effective = np.clip(n / np.maximum(spread, 1e-9), 3.0, n)
    freedom = np.maximum(n_effective - 2 - given, 1.0)
    statistic = np.abs(r) * np.sqrt(freedom / np.maximum(1 - r**2, 1e-12))
    p = np.where(n >= _SHORTEST_OVERLAP * count, 2 * stats.t.sf(statistic, freedom), 1.0)
    return _Answers(r, n, n_effective, p)


def _at_lag(x: Floats, y: Floats, known: Booleans, lag: int) -> tuple[Floats, int]:
    length = len(known)
    if lag >= 0:
        first, then, both = x[:, : length - lag], y[:, lag:], known[: length - lag] & known[lag:]
    else:
        first, then, both = x[:, -lag:], y[:, :lag], known[-lag:] & known[:lag]
    power = ((first**2) * both).sum(axis=1) * ((then**2) * both).sum(axis=1)
    r = np.divide((first * then * both).sum(axis=1), np.sqrt(power), out=np.zeros(len(x)), where=power > 1e-9)
    return np.clip(r, -1.0, 1.0), int(both.sum())


def _better(number: int, levels: _Answers, changes: _Answers, raw: float) -> Association | None:
    p_levels, p_changes = (float(one.p[:, number].min()) for one in (levels, changes))
    by: Literal["levels", "changes"] = "levels" if p_levels <= p_changes else "changes"
    found = levels if by == "levels" else changes
    best = int(np.argmin(found.p[:, number]))
    lags = len(found.r)
    partial, at_once = float(found.r[best, number]), float(found.r[lags // 2, number])
    return Association(
        raw=raw,
        partial=partial,
        lag=best - lags // 2,
        is_lag_sure=abs(partial) - abs(at_once) > SURE_LAG,
        n=int(found.n[best, 0]),
        n_effective=float(found.n_effective[best, number]),
        p_value=min(1.0, float(found.p[best, number]) * lags * _QUESTIONS),
        by=by,
    )


def _raw(response: Floats, metrics: Floats, known: Booleans) -> Floats:
    y, x = _centred(_ranks(response[None, known])), _centred(_ranks(metrics[:, known]))
    power = (x**2).sum(axis=1) * (y**2).sum()
    found: Floats = np.divide((x * y).sum(axis=1), np.sqrt(power), out=np.zeros(len(x)), where=power > 1e-9)
    return found


def _left_over(ranks: Floats, given: Sequence[Floats], known: Booleans) -> Floats:
    """What the ranks of the load do not explain."""
    columns = [np.ones(ranks.shape[1]), *(_ranks(one[None, known])[0] for one in given)]
    basis, _ = np.linalg.qr(np.stack(columns, axis=1))
    found: Floats = ranks - (ranks @ basis) @ basis.T
    # What is left of a series that the load explains wholly is the noise of arithmetic.
    found[(found**2).sum(axis=1) < 1e-9 * (ranks**2).sum(axis=1)] = 0.0
    return found


def _memory(series: Floats, most: int) -> Floats:
    """Autocorrelations, one row for each lag from 1 on."""
    power = np.maximum((series**2).sum(axis=1), 1e-12)
    length = series.shape[1]
    found: Floats = np.array(
        [(series[:, : length - lag] * series[:, lag:]).sum(axis=1) / power for lag in range(1, most + 1)]
    )
    return found


def _ranks(rows: Floats) -> Floats:
    from scipy import stats

    found: Floats = stats.rankdata(rows, axis=1)
    return found


def _centred(rows: Floats) -> Floats:
    found: Floats = rows - rows.mean(axis=1, keepdims=True)
    return found


def _spread(rows: Floats, known: Booleans) -> Floats:
    """Back at their moments, and zero in between."""
    found = np.zeros((len(rows), len(known)))
    found[:, known] = rows
    return found
