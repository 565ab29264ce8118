"""The most requests a second that a thread group can make, where timers or arrivals limit it."""

import re
from typing import Final

from perfsuite_jmeter.core.jmx import Element, Located, Property
from perfsuite_jmeter.core.plans.running import Plan, Running
from perfsuite_jmeter.core.properties import Scope, resolve
from perfsuite_jmeter.models.plan import ThreadGroup

_MINUTE_S: Final = 60.0
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_REPEATING: Final = frozenset({"LoopController", "WhileController", "ForeachController", "RunTime"})
# Timers that wait at least their constant delay. A Gaussian one may wait less.
_DELAYING: Final = frozenset({"ConstantTimer", "UniformRandomTimer", "PoissonRandomTimer"})
_SHAPING: Final = "kg.apc.jmeter.timers.VariableThroughputTimer"


def with_rate(group: ThreadGroup, located: Located, plan: Plan, scope: Scope) -> ThreadGroup:
    """The group, with what it is limited to."""
    mine = plan.samplers_by_group.get(id(located.element), [])
    limits = [_by_arrivals(group, mine), *_by_timers(group, mine, scope)]
    known = [one for one in limits if one is not None]
    return group.model_copy(update={"requests_per_s": round(min(known), 3) if known else None})


def _by_arrivals(group: ThreadGroup, samplers: list[Running]) -> float | None:
    """An arrival runs each sampler once, if no controller repeats it."""
    repeated = any(one.kind in _REPEATING for running in samplers for one in _controllers(running))
    return None if group.arrivals_per_s is None or repeated else group.arrivals_per_s * len(samplers)


def _controllers(running: Running) -> tuple[Element, ...]:
    return running.located.above[len(running.group.above) + 1 :]


def _by_timers(group: ThreadGroup, samplers: list[Running], scope: Scope) -> list[float]:
    """Limits that hold because every sampler of the group waits for the same thing."""
    if not samplers:
        return [0.0]
    around = [running.around for running in samplers]
    limits = [limit for timer in _shared(around) if (limit := _limit(timer, group.users, scope)) is not None]
    pauses = [_pause_ms(timers, scope) for timers in around]
    if group.users is not None and min(pauses) > 0:
        limits.append(group.users * 1_000 / min(pauses))
    return limits


def _shared(around: list[tuple[Element, ...]]) -> list[Element]:
    """Elements that are in force for every sampler."""
    everywhere = set.intersection(*({id(one) for one in elements} for elements in around))
    return [one for one in around[0] if id(one) in everywhere]


def _pause_ms(elements: tuple[Element, ...], scope: Scope) -> float:
    delays = (_number(one.properties.get("ConstantTimer.delay"), scope) for one in elements if one.kind in _DELAYING)
    return sum(delay for delay in delays if delay is not None)


def _limit(timer: Element, users: int | None, scope: Scope) -> float | None:
    if timer.kind == "ConstantThroughputTimer":
        rate = _number(timer.properties.get("throughput"), scope)
        mode = resolve(timer.text("calcMode", "0"), scope)
        # Mode 0 limits each user, the others all of them together.
        each = users if mode in ("0", "calcMode.1") else 1
        return None if rate is None or each is None or rate == 0 else rate / _MINUTE_S * each
    if timer.kind == "PreciseThroughputTimer":
        rate = _number(timer.properties.get("throughput"), scope)
        period = _number(timer.properties.get("throughputPeriod", "3600"), scope)
        return None if rate is None or not period else rate / period
    if timer.kind == _SHAPING and "load_profile" not in scope.properties:
        return _peak(timer.properties.get("load_profile"), scope)
    return None


def _peak(table: Property | None, scope: Scope) -> float | None:
    rows = [row for row in table if isinstance(row, tuple)] if isinstance(table, tuple) else []
    ends = [_number(cell, scope) for row in rows for cell in row[:2]]
    known = [one for one in ends if one is not None]
    return max(known) if known and len(known) == len(ends) else None


def _number(value: Property | None, scope: Scope) -> float | None:
    text = resolve(value, scope) if isinstance(value, str) else None
    return float(text) if isinstance(text, str) and _NUMBER.fullmatch(text) else None
