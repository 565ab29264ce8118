"""Whether the machine that made the load kept up: from the readings that its supervisor wrote."""

import csv
import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from perfsuite.artifacts.analyses import GeneratorHealth

BUSY_PCT: Final = 80.0
"""Of its processors: beyond it, samples wait for the generator, and their times are not the service's."""
COLLECTING_PCT: Final = 10.0
"""Of the time in garbage collections, during which no thread measures."""
LIMITS: Final = {"machine_cpu_pct": BUSY_PCT, "java_cpu_pct": BUSY_PCT, "gc_pct": COLLECTING_PCT}
MEASURES: Final = (*LIMITS, "rss_mb", "heap_used_mb", "load1", "threads")
_IN_A_ROW: Final = 3
"""Readings: fewer are a start-up or a hiccup."""
_MOST: Final = 1_000_000
_LONGEST_LINE: Final = 4_096


class Reading(NamedTuple):
    """One row: seconds after the first sample, and what was measured."""

    at_s: float
    values: dict[str, float]

    @property
    def is_saturated(self) -> bool:
        return any(self.values.get(name, 0.0) >= limit for name, limit in LIMITS.items())


def readings(lines: Iterable[str], first_us: int) -> Iterator[Reading]:
    """The readings that can be understood, of at most a million."""
    rows = csv.DictReader(line for line in lines if len(line) < _LONGEST_LINE and "\0" not in line)
    for row, _ in zip(rows, range(_MOST), strict=False):
        at = _moment_us(row.get("timestamp_utc") or "")
        values = {name: value for name in MEASURES if (value := _number(row.get(name))) is not None}
        if at is not None and values:
            yield Reading((at - first_us) / 1e6, values)


def judge_generator(found: Iterable[Reading], from_s: float, to_s: float) -> GeneratorHealth:
    """Whether it was saturated for at least three readings in a row while it made load."""
    inside = [one for one in found if from_s <= one.at_s <= to_s]
    if not inside:
        return unknown_generator("No reading of the generator lies within the run.")
    run, since = 0, None
    for number, one in enumerate(inside, start=1):
        run = run + 1 if one.is_saturated else 0
        if run == _IN_A_ROW and since is None:
            since = inside[number - _IN_A_ROW].at_s
    saturated = sum(one.is_saturated for one in inside)
    worst = {name: max(one.values.get(name, -math.inf) for one in inside) for name in MEASURES}
    limits = f"{BUSY_PCT:g} % of its processors, or {COLLECTING_PCT:g} % of its time in garbage collections"
    return GeneratorHealth(
        verdict="healthy" if since is None else "saturated",
        reason=(
            f"It stayed below {limits}."
            if since is None
            else f"It reached {limits} in {saturated} of {len(inside)} readings: response times hold its own delays."
        ),
        readings=len(inside),
        saturated_readings=saturated,
        worst={name: value for name, value in worst.items() if math.isfinite(value)},
        saturated_from_s=since,
    )


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
