"""Thread groups of every kind: how many users, for how long, how often."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import ceil, isfinite
from typing import Final

from perfsuite_jmeter.core.jmx import Element, Located, Property, Record
from perfsuite_jmeter.core.plans.running import phase_of
from perfsuite_jmeter.core.plans.schedule import UnreadableSchedule, read_schedule
from perfsuite_jmeter.core.properties import Scope, Unresolved, resolve
from perfsuite_jmeter.models.plan import EndsBy, ThreadGroup

_INTEGER: Final = re.compile(r"[+-]?\d{1,19}")
_LARGEST_INT: Final = 2**31 - 1
_FOREVER: Final = -1
_ULTIMATE_PROPERTY: Final = "threads_schedule"
_DYNAMIC: Final = "com.blazemeter.jmeter.threads."


@dataclass
class Settings:
    """The settings of a group, read one by one; what is not known is noted."""

    element: Element
    scope: Scope
    unresolved: list[str] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str | None:
        return self._resolved(name, self.element.properties.get(name, default))

    def _resolved(self, name: str, value: Property) -> str | None:
        found = resolve(value if isinstance(value, str) else "", self.scope)
        if isinstance(found, Unresolved):
            self.unresolved.append(f"{name}: {found.reason}")
            return None
        return found

    def whole(self, name: str, default: str = "") -> int | None:
        """As JMeter reads it: what is no whole number counts as 0. That is said, for nobody means it."""
        text = self.text(name, default)
        return None if text is None else self._as_int(name, text)

    def _as_int(self, name: str, text: str) -> int:
        value = int(text) if _INTEGER.fullmatch(text) else None
        if value is None or abs(value) > _LARGEST_INT:
            if text:
                self.unresolved.append(f"{name}: {text!r} is no whole number, and JMeter takes 0")
            return 0
        return value

    def seconds(self, name: str, default: str, factor: float) -> float | None:
        """A duration in the unit of a dynamic group."""
        text = self.text(name, default)
        if text is None:
            return None
        try:
            value = float(text) if text else 0.0
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            self.unresolved.append(f"{name}: {text!r} is no number")
            return None
        return value * factor

    def rows(self, name: str) -> list[list[int | None]]:
        """A table of whole numbers."""
        table = self.element.properties.get(name, ())
        rows = [row for row in table if isinstance(row, tuple)] if isinstance(table, tuple) else []
        return [[self._cell(name, cell) for cell in row] for row in rows]

    def _cell(self, name: str, value: Property) -> int | None:
        text = self._resolved(name, value)
        return None if text is None else self._as_int(name, text)

    def controller(self) -> "Settings":
        """The loop controller inside a group. It has no name, so the group's stands in for it."""
        value = self.element.properties.get("ThreadGroup.main_controller")
        inner = value.properties if isinstance(value, Record) else {}
        holder = Element("", "", self.element.name, self.element.line, inner)
        return Settings(holder, self.scope, self.unresolved)


@dataclass(frozen=True)
class _Load:
    users: int | None = None
    ramp_s: float | None = None
    delay_s: float = 0.0
    duration_s: float | None = None
    loops: int | None = None
    arrivals_per_s: float | None = None
    ends_by: EndsBy = "unknown"


def read_group(located: Located, scope: Scope) -> ThreadGroup:
    """What a group will do."""
    settings = Settings(located.element, scope)
    load = _reader(located.element.kind)(settings)
    return ThreadGroup(
        name=located.element.name,
        kind=located.element.kind.rpartition(".")[2],
        line=located.element.line,
        phase=phase_of(located.element),
        users=load.users,
        ramp_s=load.ramp_s,
        delay_s=load.delay_s,
        duration_s=load.duration_s,
        loops=load.loops,
        arrivals_per_s=load.arrivals_per_s,
        ends_by=load.ends_by,
        unresolved=tuple(dict.fromkeys(settings.unresolved)),
    )


def _reader(kind: str) -> Callable[[Settings], _Load]:
    return {
        "ThreadGroup": _plain,
        "SetupThreadGroup": _plain,
        "PostThreadGroup": _plain,
        "OpenModelThreadGroup": _open_model,
        f"{_DYNAMIC}concurrency.ConcurrencyThreadGroup": _concurrency,
        f"{_DYNAMIC}arrivals.ArrivalsThreadGroup": _arrivals,
        f"{_DYNAMIC}arrivals.FreeFormArrivalsThreadGroup": _free_form,
        "kg.apc.jmeter.threads.UltimateThreadGroup": _ultimate,
        "kg.apc.jmeter.threads.SteppingThreadGroup": _stepping,
    }.get(kind, _unknown)


def _plain(settings: Settings) -> _Load:
    users, ramp = settings.whole("ThreadGroup.num_threads"), settings.whole("ThreadGroup.ramp_time")
    loops = _loops(settings.controller())
    scheduled = settings.text("ThreadGroup.scheduler")
    timed = scheduled is not None and scheduled.lower() == "true"
    delay = settings.whole("ThreadGroup.delay") if timed else 0
    duration = settings.whole("ThreadGroup.duration") if timed else None
    if duration is not None and duration <= 0:
        settings.unresolved.append(f"ThreadGroup.duration: with {duration} seconds the group does not start")
    known = duration is not None and delay is not None
    return _Load(
        users=None if users is None else max(0, users),
        ramp_s=ramp,
        delay_s=delay or 0,
        duration_s=max(0, duration or 0) + max(0, delay or 0) if known else None,
        loops=loops,
        ends_by="unknown" if scheduled is None else _ends_by(timed, known, loops),
    )


def _ends_by(timed: bool, known: bool, loops: int | None) -> EndsBy:
    if timed:
        return "duration" if known else "unknown"
    if loops is None:
        return "unknown"
    return "never" if loops == _FOREVER else "loops"


def _loops(controller: Settings) -> int | None:
    # A controller that does not say so goes on for ever.
    forever = controller.text("LoopController.continue_forever", "true")
    loops = controller.whole("LoopController.loops")
    if forever is None or loops is None:
        return None
    return _FOREVER if forever.lower() == "true" or loops < 0 else loops


def _open_model(settings: Settings) -> _Load:
    text = settings.text("OpenModelThreadGroup.schedule")
    if text is None:
        return _Load()
    try:
        schedule = read_schedule(text)
    except UnreadableSchedule as error:
        settings.unresolved.append(f"OpenModelThreadGroup.schedule: {error}")
        return _Load()
    # Nothing limits how many run at once but that there are no more: a target that hangs collects them all.
    return _Load(
        users=schedule.arrivals,
        duration_s=schedule.duration_s,
        arrivals_per_s=round(schedule.peak_per_s, 6),
        ends_by="duration",
    )


def _factor(settings: Settings) -> float | None:
    unit = settings.text("Unit")
    return None if unit is None else 60.0 if unit == "M" else 1.0


def _held(settings: Settings, factor: float | None) -> tuple[float | None, float | None]:
    if factor is None:
        return None, None
    ramp, hold = settings.seconds("RampUp", "", factor), settings.seconds("Hold", "1", factor)
    return ramp, None if ramp is None or hold is None else ramp + hold


def _concurrency(settings: Settings) -> _Load:
    users = settings.whole("TargetLevel", "1")
    ramp, duration = _held(settings, _factor(settings))
    return _Load(
        users=None if users is None else max(0, users),
        ramp_s=ramp,
        duration_s=duration,
        ends_by="unknown" if duration is None else "duration",
    )


def _arrivals(settings: Settings) -> _Load:
    factor = _factor(settings)
    level = settings.whole("TargetLevel", "1")
    ramp, duration = _held(settings, factor)
    return _Load(
        users=_limit(settings),
        ramp_s=ramp,
        duration_s=duration,
        arrivals_per_s=None if factor is None or level is None else level / factor,
        ends_by="unknown" if duration is None else "duration",
    )


def _free_form(settings: Settings) -> _Load:
    factor, rows = _factor(settings), settings.rows("Schedule")
    known = [[one for one in row if one is not None] for row in rows]
    if factor is None or any(len(row) < 3 for row in known):
        return _Load(users=_limit(settings))
    return _Load(
        users=_limit(settings),
        duration_s=sum(row[2] for row in known) * factor,
        arrivals_per_s=max((max(row[:2]) for row in known), default=0) / factor,
        ends_by="duration",
    )


def _limit(settings: Settings) -> int | None:
    """How many may run at once; without a limit there is none."""
    limit = settings.whole("ConcurrencyLimit")
    return limit if limit is not None and limit > 0 else None


def _ultimate(settings: Settings) -> _Load:
    if _ULTIMATE_PROPERTY in settings.scope.properties:
        settings.unresolved.append(f"the property {_ULTIMATE_PROPERTY!r} takes the place of its table")
        return _Load()
    rows = [[one for one in row if one is not None] for row in settings.rows("ultimatethreadgroupdata")]
    if any(len(row) < 5 for row in rows):
        return _Load()
    return _Load(
        users=_peak((max(0, users), delay, delay + up + hold + down) for users, delay, up, hold, down, *_ in rows),
        ramp_s=max((delay + up for _, delay, up, *_ in rows), default=0),
        duration_s=max((sum(row[1:5]) for row in rows), default=0),
        ends_by="duration",
    )


def _peak(rows: Iterable[tuple[int, int, int]]) -> int:
    """Most at the same time of (how many, from, to)."""
    changes = [change for count, start, end in rows for change in ((start, 0, count), (end, 1, -count))]
    peak = current = 0
    for _, _, change in sorted(changes):
        current += change
        peak = max(peak, current)
    return peak


_STEPPING: Final = (
    "ThreadGroup.num_threads", "Threads initial delay", "Start users count", "Start users count burst",
    "Start users period", "rampUp", "flighttime", "Stop users count", "Stop users period",
)  # fmt: skip


def _stepping(settings: Settings) -> _Load:
    found = [settings.whole(name) for name in _STEPPING]
    users, delay, step, burst, period, ramp, flight, down, down_period = (max(0, one or 0) for one in found)
    first = min(burst, users) or step or users
    rises = ceil(max(0, users - first) / (step or users or 1))
    rise_s = rises * (period + ramp) + ramp
    fall_s = down_period * (max(0, users - 1) // (down or users or 1))
    known = None not in found
    return _Load(
        users=None if found[0] is None else users,
        ramp_s=rise_s if known else None,
        delay_s=delay,
        duration_s=delay + rise_s + flight + fall_s if known else None,
        ends_by="duration" if known else "unknown",
    )


def _unknown(settings: Settings) -> _Load:
    settings.unresolved.append(f"nothing is known of thread groups of the class {settings.element.class_name!r}")
    return _Load()
