"""The load generator, processors and memory."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from perfsuite.artifacts.bottlenecks import Confidence
from perfsuite_perfanalysis.core import thresholds
from perfsuite_perfanalysis.core.bottlenecks.facts import (
    CORRELATIONS,
    GENERATOR,
    METRICS,
    SAMPLES,
    Case,
    Facts,
    Look,
    Machine,
    found,
    not_evaluable,
    not_found,
)
from perfsuite_perfanalysis.core.bottlenecks.onsets import RISE, Rise, find_rise
from perfsuite_perfanalysis.core.readings import MetricSeries
from perfsuite_perfanalysis.core.resource_findings import SUSTAINED_S
from perfsuite_perfanalysis.core.resources import above

IDLE_PCT: Final = 60.0
_MOST_CASES: Final = 10
_LATER_S: Final = 60.0
_NOT_ALWAYS: Final = 0.8
_CPU_WORDS: Final = ("cpu", "load")
_MEMORY_WORDS: Final = ("mem", "swap", "heap", "gc")


@dataclass(frozen=True)
class _Hot:
    """A machine that was short of something for a while."""

    machine: Machine
    series: MetricSeries
    threshold: float
    from_s: float
    seconds: float


def load_generator(facts: Facts) -> Look:
    """First of all: where it is short, the times are its own."""
    health = facts.generator
    if health.verdict == "unknown":
        return not_evaluable("load_generator", health.reason)
    if health.verdict == "healthy":
        return not_found("load_generator", health.reason)
    case = Case(
        kind="load_generator",
        subject="load generator",
        text=f"The load generator was short itself. {health.reason}",
        confidence="medium",
        next_check=f"{health.advice} Until then judge no response time.".strip(),
        onset=None if health.saturated_from_s is None else facts.onset(max(0.0, health.saturated_from_s)),
    )
    case.says(health.reason, GENERATOR, **health.typical)
    _kept_up(facts, case)
    if not case.counter and health.saturated_readings * 2 >= health.readings:
        case.confidence = "high"
    for hot in _hot(facts, thresholds.CPU, thresholds.CPU_PCT):
        case.doubts(f"{hot.machine.resource.name!r} was short of processors too.", METRICS, seconds=hot.seconds)
    return found(case)


def _kept_up(facts: Facts, case: Case) -> None:
    """What shows that it sent and measured as it should all the same."""
    health, little = facts.generator, facts.capacity.little
    if little is not None and little.verdict == "consistent":
        text = f"It sent as it should at every level: users spend {little.think_time_s:.2f} s outside of requests."
        case.doubts(text, CORRELATIONS, think_time_s=little.think_time_s)
    had_room = health.saturated_readings <= _NOT_ALWAYS * health.readings
    if had_room and not facts.too_few and find_rise(facts.everything.p95_ms) is None:
        case.doubts("p95 did not begin to rise at any time, whether it was short or not.", SAMPLES)


def cpu(facts: Facts) -> Look:
    """Processors that are taken for minutes while responses take longer."""
    names = (thresholds.CPU, thresholds.THROTTLED)
    measured = [one for one in facts.machines if any(name in one.series for name in names)]
    if not measured:
        return not_evaluable("cpu", facts.without_metrics or "No use of processors was collected.")
    hot = _hot(facts, thresholds.CPU, thresholds.CPU_PCT) + _hot(facts, thresholds.THROTTLED, thresholds.THROTTLED_PCT)
    if not hot and (thinly := facts.thinly_measured(*names)):
        return not_evaluable("cpu", thinly)
    if not hot:
        return not_found("cpu", f"Of {len(measured)} hosts and containers none was short for {SUSTAINED_S:.0f} s.")
    cases = [case for one in hot if (case := _cpu_case(facts, one)) is not None]
    if not cases:
        name = hot[0].machine.resource.name
        return not_found("cpu", f"{name!r} was hot, but responses took no longer and throughput still grew.")
    return found(*_surest(cases))


def memory(facts: Facts) -> Look:
    """Memory that is taken, fills up, or whose holder was restarted."""
    measured = [one for one in facts.machines if one.resource.leak != "not_evaluable" or _has_memory(one)]
    if not measured:
        return not_evaluable("memory", facts.without_metrics or "No use of memory was collected.")
    cases = [case for one in measured if (case := _leak_case(facts, one)) is not None]
    for one in _hot(facts, thresholds.MEMORY, thresholds.MEMORY_PCT):
        case = _cpu_case(facts, one)
        if case is not None and all(case.subject != other.subject for other in cases):
            cases.append(case)
    cases += [_restarted(facts, one) for one in facts.machines if one.resource.restarts]
    if cases:
        return found(*_surest(cases))
    if thinly := facts.thinly_measured(*{name for one in measured for name in one.series if _is_memory(name)}):
        return not_evaluable("memory", thinly)
    untested = [one for one in measured if one.resource.leak == "not_evaluable"]
    leaks = f" Leaks could not be looked for: {untested[0].resource.leak_reason}" if untested else ""
    return not_found("memory", f"Of {len(measured)} hosts and containers none was short of memory.{leaks}")


def _hot(facts: Facts, metric: str, percent: float) -> list[_Hot]:
    hot = []
    for machine in facts.machines:
        series = machine.series.get(metric)
        if series is None:
            continue
        _, longest, since = above(series, percent)
        if since is not None and longest >= SUSTAINED_S:
            hot.append(_Hot(machine, series, percent, max(0.0, since), longest))
    return hot


def _cpu_case(facts: Facts, hot: _Hot) -> Case | None:
    """Suspected only where responses suffer, or throughput stands still, while it is hot."""
    rise = find_rise(facts.everything.mean_ms)
    slower, knee = _slower_while(facts, hot), facts.capacity.knee
    is_plateau = knee is not None and knee.verdict == "plateau" and _within(hot, knee.reached_at_s)
    if hot.from_s > 2 * hot.series.interval_s and (slower is None or slower < RISE) and not is_plateau:
        return None
    is_memory = hot.series.metric == thresholds.MEMORY
    pairs = facts.pairs_of(hot.machine, *(_MEMORY_WORDS if is_memory else _CPU_WORDS))
    is_timely = rise is not None and _within(hot, float(facts.at_s[rise.at]))
    case = Case(
        kind="memory" if is_memory else "cpu",
        subject=hot.machine.resource.name,
        text=_hot_text(hot, slower, knee.reached_at_s if knee is not None and is_plateau else None),
        confidence=_confidence(is_timely=is_timely, has_second=bool(pairs) or is_plateau, slower=slower),
        next_check=_next_check(hot),
        onset=facts.onset(hot.from_s),
    )
    case.says(
        f"{hot.series.metric} was at {hot.threshold:g} or more for {hot.seconds:.0f} s from {hot.from_s:.0f} s on.",
        METRICS, seconds=hot.seconds, maximum=float(hot.series.known.max()),
    )  # fmt: skip
    _effects(facts, case, rise if is_timely else None, slower, is_plateau=is_plateau)
    for pair in pairs[:2]:
        case.says(pair.text, CORRELATIONS, partial=pair.partial, p_adjusted=pair.p_adjusted)
    if not pairs:
        _without_pairs(facts, case, hot)
    return case


def _without_pairs(facts: Facts, case: Case, hot: _Hot) -> None:
    metric = hot.series.metric
    if why := facts.why_untested(hot.machine, metric):
        case.doubts(f"Whether {metric} of it moves with the responses was not tested: {why}.", CORRELATIONS)
    else:
        case.doubts(f"That {metric} of it moves with the responses beyond what the load explains is not certain.",
                    CORRELATIONS)  # fmt: skip


def _effects(facts: Facts, case: Case, rise: Rise | None, slower: float | None, *, is_plateau: bool) -> None:
    if rise is not None:
        at_s, by_s = float(facts.at_s[rise.at]), float(facts.at_s[rise.by])
        text = (
            f"Responses begin to take longer at {at_s:.0f} s: {rise.calm:.0f} ms in calm times, {rise.then:.0f} ms "
            f"({rise.ratio:.1f} times as much) by {by_s:.0f} s."
        )
        case.says(text, SAMPLES, calm_ms=rise.calm, then_ms=rise.then, at_s=at_s, by_s=by_s)
    elif slower is None:
        case.doubts("It was hot from the start, so there is no time before to compare with.", SAMPLES)
    else:
        case.doubts("Responses did not begin to take longer when it became hot.", SAMPLES, ratio=slower)
    knee = facts.capacity.knee
    if is_plateau and knee is not None:
        case.says(knee.reason, CORRELATIONS, users=knee.users, throughput_per_s=knee.throughput_per_s)
    if facts.generator.verdict == "saturated":
        case.doubts("The load generator was short too: times may hold its delays.", GENERATOR)


def _slower_while(facts: Facts, hot: _Hot) -> float | None:
    """How many times as long responses take while it is hot; None where it always was."""
    inside = (facts.at_s >= hot.from_s) & (facts.at_s < hot.from_s + hot.seconds)
    before = facts.everything.mean_ms[facts.at_s < hot.from_s]
    during, before = facts.everything.mean_ms[inside], before[np.isfinite(before)]
    during = during[np.isfinite(during)]
    if len(before) < 3 or not len(during):
        return None
    return float(np.median(during) / np.median(before))


def _within(hot: _Hot, at_s: float | None) -> bool:
    """Whether something began while it was hot, or just before: a metric shows late what its interval holds."""
    if at_s is None:
        return False
    early = hot.from_s - 2 * hot.series.interval_s
    return early <= at_s <= hot.from_s + hot.seconds + _LATER_S


def _confidence(*, is_timely: bool, has_second: bool, slower: float | None) -> Confidence:
    if is_timely and has_second:
        return "high"
    return "medium" if is_timely or has_second or (slower is not None and slower >= RISE) else "low"


def _hot_text(hot: _Hot, slower: float | None, plateau_s: float | None) -> str:
    what = {thresholds.THROTTLED: "was throttled", thresholds.MEMORY: "had hardly any memory left"}
    # It may be hot before throughput is at its end.
    grows = "throughput grew no more" if plateau_s is None or plateau_s <= hot.from_s else (
        f"throughput grew no more from {plateau_s:.0f} s on"
    )  # fmt: skip
    slowly = f"responses took {slower:.1f} times as long" if slower else ""
    effect = grows if plateau_s is not None else slowly
    name = hot.machine.resource.name
    told = f"{name!r} {what.get(hot.series.metric, 'had no processor time left')} for {hot.seconds:.0f} s"
    return f"{told}, while {effect}." if effect else f"{told}, from the start on."


def _next_check(hot: _Hot) -> str:
    if hot.series.metric == thresholds.THROTTLED:
        return "Raise the CPU limit of the container, and repeat the test at the same load."
    if hot.series.metric == thresholds.MEMORY:
        return "Look at what holds the memory (heap, caches, swap), and repeat the test with more of it."
    return f"Profile what runs on {hot.machine.resource.name!r} at that load, or repeat the test with more processors."


def _leak_case(facts: Facts, machine: Machine) -> Case | None:
    resource = machine.resource
    if resource.leak != "suspected":
        return None
    drift = facts.phases.drift
    is_slower = drift.verdict == "drift" and (drift.change or 0) > 0
    case = Case(
        kind="memory",
        subject=resource.name,
        text=f"The memory of {resource.name!r} fills up under constant load, as a leak does.",
        confidence="medium" if is_slower else "low",
        next_check="Take heap dumps at the start and the end of a longer test and compare what grew.",
        onset=facts.onset(facts.phases.steady_from_s or 0.0),
    )
    case.says(resource.leak_reason, METRICS)
    if is_slower:
        case.says(drift.reason, SAMPLES, change=drift.change, p_value=drift.p_value)
    else:
        case.doubts("Response times do not drift.", SAMPLES, change=drift.change)
    return case


def _restarted(facts: Facts, machine: Machine) -> Case:
    resource = machine.resource
    case = Case(
        kind="memory",
        subject=resource.name,
        text=f"{resource.name!r} restarted {_times(resource.restarts or 0)} during the test.",
        confidence="low",
        next_check="Ask the cluster why it was restarted: OOMKilled, a failed probe, or a deployment.",
    )
    case.says(f"Its counter of restarts rose by {resource.restarts}.", METRICS, restarts=resource.restarts)
    case.doubts("Why it restarted is not among the metrics: it need not have been its memory.", METRICS)
    return case


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _has_memory(machine: Machine) -> bool:
    return any(map(_is_memory, machine.series))


def _is_memory(name: str) -> bool:
    return any(word in name for word in ("mem_util", "memory", "system.mem", "swap"))


def _surest(cases: list[Case]) -> list[Case]:
    order: dict[Confidence, int] = {"high": 0, "medium": 1, "low": 2}
    return sorted(cases, key=lambda one: (order[one.confidence], one.subject))[:_MOST_CASES]
