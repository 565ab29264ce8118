"""The load of the generator over time, from the rows that its supervisor wrote."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

BUSY_PCT: Final = 90.0
"""Of a machine's processors: beyond it, samples wait for the generator and their times are not the service's."""
COLLECTING_PCT: Final = 10.0
"""Of the time in garbage collections, during which no thread measures."""
_LIMITS: Final = {"machine_cpu_pct": BUSY_PCT, "java_cpu_pct": BUSY_PCT, "gc_pct": COLLECTING_PCT}
MEASURES: Final = (*_LIMITS, "rss_mb", "heap_used_mb")
_ENOUGH: Final = 3
"""Readings: fewer are a start-up or a hiccup."""


@dataclass
class HealthTotals:
    """All readings so far."""

    readings: int = 0
    saturated: int = 0
    by_limit: dict[str, int] = field(default_factory=dict)
    latest_at: str = ""
    latest: dict[str, float] = field(default_factory=dict)
    worst: dict[str, float] = field(default_factory=dict)

    def add(self, columns: list[str], line: str) -> None:
        """Count one row; one that is none of ours is passed over."""
        cells = dict(zip(columns, line.split(","), strict=False))
        found = {name: value for name in MEASURES if (value := _number(cells.get(name, ""))) is not None}
        at = cells.get("timestamp_utc", "")
        if not found or len(at) > 40:
            return
        self.readings += 1
        self.latest_at, self.latest = at, found
        self.worst = {name: max(found.get(name, 0.0), self.worst.get(name, 0.0)) for name in {*found, *self.worst}}
        over = [name for name, limit in _LIMITS.items() if found.get(name, 0.0) >= limit]
        self.saturated += bool(over)
        for name in over:
            self.by_limit[name] = self.by_limit.get(name, 0) + 1

    def findings(self) -> list[str]:
        """What a saturated generator means for the numbers."""
        if self.saturated < _ENOUGH:
            return []
        reasons = [text.format(self.by_limit[name]) for name, text in _REASONS.items() if name in self.by_limit]
        return [
            f"The load generator was saturated in {self.saturated} of {self.readings} readings: {'; '.join(reasons)}. "
            "Response times then hold its own delays: use fewer users, a larger or a second machine."
        ]

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "HealthTotals":
        return cls(
            readings=int(found["readings"]),
            saturated=int(found["saturated"]),
            by_limit={str(name): int(count) for name, count in found["by_limit"].items()},
            latest_at=str(found["latest_at"]),
            latest={str(name): float(value) for name, value in found["latest"].items()},
            worst={str(name): float(value) for name, value in found["worst"].items()},
        )


_REASONS: Final = {
    "machine_cpu_pct": f"its processors were at {BUSY_PCT:g} % or more in {{}}",
    "java_cpu_pct": f"JMeter alone took {BUSY_PCT:g} % of them or more in {{}}",
    "gc_pct": f"garbage collections took {COLLECTING_PCT:g} % of the time or more in {{}}",
}


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
