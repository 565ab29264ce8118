"""Throughput and response times against concurrency: levels, the Universal Scalability Law, knee, Little's law."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from perfsuite.artifacts.correlations import Capacity, Level, LittlesLaw
from perfsuite_perfanalysis.core.knees import beside, find_knee
from perfsuite_perfanalysis.core.scalability import fit_scalability
from perfsuite_perfanalysis.core.series import Floats

BUCKET_S: Final = 10.0
SHORTEST_S: Final = 20.0
FEWEST_LEVELS: Final = 3
MOST_LEVELS: Final = 15
SAME_THINKING: Final = 0.10
_PACED: Final = 1.5
_SAME_TIMES: Final = 1.2
_ALIKE: Final = 0.05
_IN_STEPS: Final = 0.7
"""The share of the time in which users stay, for their levels to be taken as they are."""


@dataclass(frozen=True)
class Points:
    """Buckets of time: users, completed requests by second, times, errors."""

    at_s: Floats
    width_s: float
    users: Floats
    per_s: Floats
    mean_ms: Floats
    p95_ms: Floats
    error_rate: Floats

    def only(self, kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> "Points":
        return Points(
            self.at_s[kept], self.width_s, self.users[kept], self.per_s[kept], self.mean_ms[kept], self.p95_ms[kept],
            self.error_rate[kept],
        )  # fmt: skip


def find_capacity(found: Points) -> Capacity:
    """Everything that throughput against users tells."""
    known = found.only(np.isfinite(found.users) & np.isfinite(found.mean_ms) & (found.users > 0))
    if not len(known.users):
        return Capacity(verdict="not_evaluable", reason=f"{_why_none(found)}, so nothing can be said of concurrency.")
    group = _groups(known)
    levels = tuple(_level(known.only(group == number)) for number in np.unique(group[group >= 0]))
    if len(levels) < FEWEST_LEVELS:
        most = f"{known.users.max():g}"
        had = "1 level" if len(levels) == 1 else f"{len(levels)} levels"
        reason = f"The load had {had} of at least {SHORTEST_S:.0f} s (at most {most} users): a capacity "
        return Capacity(verdict="not_evaluable", reason=reason + "shows only where the load varies.", levels=levels)
    little = little_of(levels)
    knee = find_knee(levels, is_paced=little.verdict == "paced")
    if knee.users is not None:
        reached = known.at_s[known.users >= knee.users]
        knee = knee.model_copy(update={"reached_at_s": float(reached[0]) if len(reached) else None})
    return Capacity(
        verdict="evaluated",
        reason=f"{len(levels)} levels from {levels[0].users:g} to {levels[-1].users:g} users.",
        levels=levels,
        fit=beside(fit_scalability(known.users, known.per_s, group, levels), knee, levels),
        knee=knee,
        little=little,
    )


def little_of(levels: Sequence[Level]) -> LittlesLaw:
    """N = X (R + Z): what users spend outside of requests should not depend on how many they are."""
    thinking = np.array([one.think_time_s for one in levels])
    cycle = np.array([one.users / max(one.throughput_per_s, 1e-9) for one in levels])
    times = np.array([one.mean_ms for one in levels])
    median = float(np.median(thinking))
    if thinking.min() < -_ALIKE * cycle[int(np.argmin(thinking))]:
        reason = (
            "More requests were under way than there were users: users are counted wrong, or requests run in parallel."
        )
        return LittlesLaw(verdict="inconsistent", reason=reason)
    if np.abs(thinking - median).max() <= max(SAME_THINKING * cycle.max(), SAME_THINKING * median):
        reason = (
            f"Users spend {median:.2f} s outside of requests at every level: throughput follows from users and times."
        )
        return LittlesLaw(verdict="consistent", reason=reason, think_time_s=median)
    grows = thinking[-1] >= _PACED * max(thinking[0], 1e-3) and thinking[-1] - thinking[0] > SAME_THINKING * cycle[0]
    if grows and times[-1] <= _SAME_TIMES * times[0]:
        reason = (
            f"More users wait longer between requests ({thinking[0]:.2f} s, then {thinking[-1]:.2f} s) while responses "
            "take as long as before: a timer in the script holds the throughput."
        )
        return LittlesLaw(verdict="paced", reason=reason)
    reason = f"Users spend {thinking.min():.2f} to {thinking.max():.2f} s outside of requests, depending on the level."
    return LittlesLaw(verdict="inconsistent", reason=reason)


def _why_none(found: Points) -> str:
    if not len(found.users):
        return f"The results do not last for one whole interval of {found.width_s:g} s"
    if not (found.users > 0).any():
        return "The results do not tell how many users there were"
    return f"In no interval of {found.width_s:g} s did a request succeed while users were there"


def _groups(found: Points) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """The level of each bucket, -1 where it belongs to none: steps as they are, ramps in even parts."""
    users = np.round(found.users, 6)
    distinct, counts = np.unique(users, return_counts=True)
    needed = max(1, round(SHORTEST_S / found.width_s))
    steps = distinct[counts >= needed]
    if len(distinct) <= MOST_LEVELS or counts[counts >= needed].sum() > _IN_STEPS * len(users):
        place = np.searchsorted(steps, users) if len(steps) else np.zeros(len(users), dtype=np.int64)
        return np.where(np.isin(users, steps), np.minimum(place, len(steps) - 1), -1).astype(np.int64)
    edges = np.linspace(users.min(), users.max() + 1e-9, MOST_LEVELS + 1)
    place = np.clip(np.searchsorted(edges, users, side="right") - 1, 0, MOST_LEVELS - 1)
    sizes = np.bincount(place, minlength=MOST_LEVELS)
    return np.where(sizes[place] >= needed, place, -1).astype(np.int64)


def _level(found: Points) -> Level:
    per_s = float(found.per_s.mean())
    weights = np.maximum(found.per_s, 1e-9)
    mean_ms = float(np.average(found.mean_ms, weights=weights))
    known = np.isfinite(found.p95_ms)
    in_service = per_s * mean_ms / 1000
    users = float(found.users.mean())
    return Level(
        users=round(users, 6),
        seconds=len(found.users) * found.width_s,
        throughput_per_s=per_s,
        mean_ms=mean_ms,
        p95_ms=float(np.median(found.p95_ms[known])) if known.any() else None,
        error_rate=float(np.average(found.error_rate, weights=weights)),
        in_service=in_service,
        think_time_s=(users - in_service) / per_s if per_s > 0 else 0.0,
    )
