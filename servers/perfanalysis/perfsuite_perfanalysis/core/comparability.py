"""Whether two runs can be compared: the same load, long enough, by a generator that kept up."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from perfsuite.artifacts.analyses import GeneratorHealth, Phases
from perfsuite.artifacts.comparisons import Gate
from perfsuite_perfanalysis.core.widths import rounded_down

SHORTEST_S: Final = 300.0
ALIKE: Final = 0.10
SAME_SAMPLES: Final = "The samples of both runs are the same, byte by byte: was one result imported twice?"
_MOST_REJECTED: Final = 0.01
_REPAIRS: Final = {
    "steady_window": f"hold one load for at least {SHORTEST_S / 60:.0f} minutes after the ramp",
    "load": "put both under the same users and pauses, or the same rate",
    "generator": "make the load from a generator that is not busy",
}


@dataclass(frozen=True)
class RunLoad:
    """What a run was put under, in its steady state."""

    run_id: str
    phases: Phases
    generator: GeneratorHealth
    users: float | None
    per_s: float
    mean_s: float
    """Of all samples."""
    rejected_share: float = 0.0
    type: str | None = None
    environment: str | None = None

    @property
    def steady_s(self) -> float:
        return (self.phases.steady_to_s or 0.0) - (self.phases.steady_from_s or 0.0)


def gates(baseline: RunLoad, candidate: RunLoad, *, same_samples: bool = False) -> tuple[Gate, ...]:
    """Every condition; swapping the runs changes none."""
    both = sorted((baseline, candidate), key=lambda one: one.run_id)
    first, second = both
    return (
        *(_window(one) for one in both),
        _load(first, second),
        *(_generator(one) for one in both),
        Gate(name="percentile_method", holds=True, text="Both are computed by the same method, from the same bins."),
        *_doubts(first, second),
        *([Gate(name="same_samples", holds=None, text=SAME_SAMPLES)] if same_samples else []),
    )


def broken(found: tuple[Gate, ...]) -> str:
    """Why the runs cannot be compared; empty where they can."""
    return " ".join(one.text for one in found if one.holds is False)


def repairs(found: Iterable[Gate]) -> str:
    """What to do so that runs can be compared; empty where they can."""
    broken_ones = dict.fromkeys(one.name for one in found if one.holds is False)
    return "; ".join(_REPAIRS[name] for name in broken_ones)


def throughput_is_an_outcome(baseline: RunLoad, candidate: RunLoad) -> bool:
    """Whether the service decides the throughput: the same users, who wait for their answers."""
    return baseline.users is not None and candidate.users is not None and _alike(baseline.users, candidate.users)


def _window(one: RunLoad) -> Gate:
    if not one.phases.has_steady_state:
        return Gate(name="steady_window", holds=False, text=f"{one.run_id!r} has no steady state: {one.phases.reason}")
    holds = one.steady_s >= SHORTEST_S
    return Gate(
        name="steady_window",
        holds=holds,
        text=f"The steady state of {one.run_id!r} lasts {rounded_down(one.steady_s):g} s; "
        f"at least {SHORTEST_S:.0f} are needed.",
    )


def _load(first: RunLoad, second: RunLoad) -> Gate:
    told = f"{_told(first)}, {_told(second)}"
    same_rate = _alike(first.per_s, second.per_s)
    if first.users is None or second.users is None:
        return Gate(name="load", holds=same_rate, text=f"Users are unknown; requests per second: {told}.")
    if same_rate:
        return Gate(name="load", holds=True, text=f"As many requests per second: {told}.")
    if _alike(first.users, second.users) and _waits_alike(first, second):
        text = f"As many users, who wait for their answers: slower answers mean fewer requests: {told}."
        return Gate(name="load", holds=True, text=text)
    return Gate(name="load", holds=False, text=f"The load differs by more than {ALIKE:.0%}: {told}.")


def _waits_alike(first: RunLoad, second: RunLoad) -> bool:
    """Little's law: what users do between two requests is as long in both runs, so only the service differs."""
    cycles = [(one.users or 0.0) / one.per_s if one.per_s else 0.0 for one in (first, second)]
    pauses = [cycle - one.mean_s for cycle, one in zip(cycles, (first, second), strict=True)]
    return abs(pauses[0] - pauses[1]) <= ALIKE * min(cycles)


def _generator(one: RunLoad) -> Gate:
    holds = {"healthy": True, "saturated": False, "unknown": None}[one.generator.verdict]
    return Gate(name="generator", holds=holds, text=f"The generator of {one.run_id!r}: {one.generator.reason}")


def _doubts(first: RunLoad, second: RunLoad) -> list[Gate]:
    """What does not forbid a comparison, and should be known."""
    found = [
        Gate(name="drift", holds=None, text=f"{one.run_id!r} drifts: {one.phases.drift.reason}")
        for one in (first, second)
        if one.phases.drift.verdict == "drift"
    ]
    found += [
        Gate(name="rejected_rows", holds=None, text=f"{one.rejected_share:.1%} of the rows of {one.run_id!r} are lost.")
        for one in (first, second)
        if one.rejected_share > _MOST_REJECTED
    ]
    for name, one, other in (
        ("type", first.type, second.type),
        ("environment", first.environment, second.environment),
    ):
        if one and other and one != other:
            found.append(Gate(name=name, holds=None, text=f"The {name} differs: {one!r} and {other!r}."))
    return found


def _told(one: RunLoad) -> str:
    users = "" if one.users is None else f" by {one.users:.3g} users"
    return f"{one.run_id!r} {one.per_s:.4g} per s{users}"


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= ALIKE * min(one, other)
