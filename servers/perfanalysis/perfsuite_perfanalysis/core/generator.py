"""Whether the machine that made the load kept up: from the readings that its supervisor wrote."""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from statistics import median
from typing import Final, NamedTuple

from perfsuite.artifacts.analyses import GeneratorHealth

BUSY_PCT: Final = 80.0
"""Of its processors: beyond it, samples wait for the generator, and their times are not the service's."""
COLLECTING_PCT: Final = 10.0
"""Of the time in garbage collections, during which no thread measures."""
LIMITS: Final = {"machine_cpu_pct": BUSY_PCT, "java_cpu_pct": BUSY_PCT, "gc_pct": COLLECTING_PCT}
MEASURES: Final = (*LIMITS, "rss_mb", "heap_used_mb", "load1", "threads")
_LARGER: Final = "Repeat with a larger or a second generator."
_IN_A_ROW: Final = 3
"""Readings: fewer are a start-up or a hiccup."""
_MOST: Final = 1_000_000
_LONGEST_LINE: Final = 4_096


class Reading(NamedTuple):
    """One row: seconds after the first sample, and what was measured."""

    at_s: float
    values: dict[str, float]

    @property
    def strain(self) -> float:
        """How near it is to the limit that is nearest, which is at 1."""
        return max(self.values.get(name, 0.0) / limit for name, limit in LIMITS.items())

    @property
    def is_saturated(self) -> bool:
        return self.strain >= 1


def readings(lines: Iterable[str], first_us: int) -> Iterator[Reading]:
    """The readings that can be understood, of at most a million."""
    rows = csv.DictReader(line for line in lines if len(line) < _LONGEST_LINE and "\0" not in line)
    for row, _ in zip(rows, range(_MOST), strict=False):
        at = _moment_us(row.get("timestamp_utc") or "")
        values = {name: value for name in MEASURES if (value := _number(row.get(name))) is not None}
        if at is not None and values:
            yield Reading((at - first_us) / 1e6, values)


def judge_generator(found: Iterable[Reading], from_s: float, to_s: float) -> GeneratorHealth:
    """Whether it was saturated for at least three readings in a row while it made load, by what, and by whom."""
    inside = [one for one in found if from_s <= one.at_s <= to_s]
    if not inside:
        return unknown_generator("No reading of the generator lies within the run.")
    busy = [one for one in inside if one.is_saturated]
    since = _saturated_from(inside)
    typical, worst = _medians(busy or inside), max(inside, key=lambda one: one.strain)
    reason, advice = ("", "") if since is None else _blamed(busy, len(inside), typical)
    return GeneratorHealth(
        verdict="healthy" if since is None else "saturated",
        reason=reason or _calm(len(busy), len(inside)),
        readings=len(inside),
        saturated_readings=len(busy),
        advice=advice,
        typical=typical,
        worst=worst.values,
        worst_at_s=round(worst.at_s, 3),
        saturated_from_s=since,
    )


def _saturated_from(inside: Sequence[Reading]) -> float | None:
    run = 0
    for number, one in enumerate(inside, start=1):
        run = run + 1 if one.is_saturated else 0
        if run == _IN_A_ROW:
            return inside[number - _IN_A_ROW].at_s
    return None


def _blamed(busy: Sequence[Reading], readings: int, typical: dict[str, float]) -> tuple[str, str]:
    """What was short and who took it, and what to do."""
    collecting = sum(one.values.get("gc_pct", 0.0) >= COLLECTING_PCT for one in busy)
    if 2 * collecting >= len(busy):
        told = f"Garbage collections took {COLLECTING_PCT:g} % of the time or more in {collecting} of {readings}"
        return f"{told} readings: response times hold the pauses of JMeter.", "Give JMeter a larger heap, and repeat."
    told = f"Its processors were at {BUSY_PCT:g} % or more in {len(busy) - collecting} of {readings} readings"
    java, machine = typical.get("java_cpu_pct"), typical.get("machine_cpu_pct")
    if java is None:
        return f"{told}: response times may hold its delays.", _LARGER
    if machine is not None and java < machine / 2:
        reason = f"{told}, but JMeter took {java:.2g} % of them (median): something else used this machine, and "
        return reason + "response times may hold its delays.", "Find what else ran on the generator, move it, repeat."
    return f"{told}, and JMeter took {java:.2g} % of them (median): response times hold its own delays.", _LARGER


def _calm(busy: int, readings: int) -> str:
    limits = f"{BUSY_PCT:g} % of its processors, and {COLLECTING_PCT:g} % of its time in garbage collections"
    if not busy:
        return f"It stayed below {limits}."
    return f"It stayed below {limits}, but for {busy} of {readings} readings, and never {_IN_A_ROW} in a row."


def _medians(found: Sequence[Reading]) -> dict[str, float]:
    known = {name: [one.values[name] for one in found if name in one.values] for name in MEASURES}
    return {name: median(values) for name, values in known.items() if values}


def unknown_generator(reason: str) -> GeneratorHealth:
    """Where nobody watched it."""
    return GeneratorHealth(verdict="unknown", reason=reason)


def _moment_us(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1e6)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
