"""Logs and spans in the shapes of answers: one by one, and counted."""

import base64
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from perfsuite.sandbox.datadog.events import EventKind, iso
from perfsuite.sandbox.datadog.searches import Event

_DEFAULT_GROUPS: Final = 10
_MOST_GROUPS: Final = 10_000


def event_id(kind: EventKind, event: Event) -> str:
    return base64.urlsafe_b64encode(f"{kind}/{event.at_ms}/{event.number}".encode()).decode().rstrip("=")


def cursor_after(event: Event) -> str:
    """The cursor that leads on after an event."""
    return base64.urlsafe_b64encode(json.dumps({"after": event.key}).encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[int, int]:
    """The place that a cursor stands for; ValueError where it is none."""
    padded = cursor + "=" * (-len(cursor) % 4)
    found = json.loads(base64.urlsafe_b64decode(padded.encode()))["after"]
    return int(found[0]), int(found[1])


def shown(kind: EventKind, event: Event) -> dict[str, Any]:
    """An event as a page of results shows it."""
    make = _log if kind == "log" else _span
    return {"id": event_id(kind, event), "type": "log" if kind == "log" else "spans", "attributes": make(event)}


def _log(event: Event) -> dict[str, Any]:
    kept = {name: event.reserved[name] for name in ("host", "service", "status")}
    shown = {"timestamp": iso(event.at_ms), "message": event.text, "tags": list(event.tags)}
    return {**shown, **kept, "attributes": event.attributes}


def _span(event: Event) -> dict[str, Any]:
    duration_ms = event.attributes["duration"] / 1e6
    shown = {
        "start_timestamp": iso(event.at_ms),
        "end_timestamp": iso(event.at_ms + duration_ms),
        "tags": list(event.tags),
        "parent_id": "0",
        "single_span": False,
        "ingestion_reason": "auto",
        "retained_by": "diversity_sampling",
    }
    return {**shown, **event.reserved, "custom": event.attributes, "attributes": {}}


@dataclass(frozen=True)
class Aggregate:
    """What is counted, of which groups."""

    computes: list[dict[str, Any]]
    groups: list[dict[str, Any]] = field(default_factory=list)

    def buckets(self, events: Iterable[Event]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """(group, computed), the largest first, each `group_by` cut to its own limit."""
        found: dict[tuple[str, ...], list[Event]] = {}
        for event in events:
            for group in self._groups(event):
                found.setdefault(group, []).append(event)
        ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        facets = [one["facet"] for one in self.groups]
        return [
            (dict(zip(facets, group, strict=True)), self._computed(members))
            for group, members in islice(ordered, self._most())
        ]

    def _most(self) -> int:
        asked = (int(one.get("limit") or _DEFAULT_GROUPS) for one in self.groups)
        return min(math.prod(asked), _MOST_GROUPS)

    def _groups(self, event: Event) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = [()]
        for one in self.groups:
            values = [str(value) for value in event.values(one["facet"])[:1]]
            if not values and "missing" in one:
                values = [str(one["missing"])]
            found = [(*group, value) for group in found for value in values]
        return found

    def _computed(self, events: list[Event]) -> dict[str, Any]:
        return {f"c{number}": _compute(one, events) for number, one in enumerate(self.computes)}


def _compute(compute: dict[str, Any], events: list[Event]) -> Any:
    if compute.get("type") == "timeseries":
        width_ms = _width_ms(str(compute.get("interval", "5m")))
        stretches: dict[int, list[Event]] = {}
        for event in events:
            stretches.setdefault(event.at_ms // width_ms * width_ms, []).append(event)
        return [{"time": iso(at), "value": _total(compute, found)} for at, found in sorted(stretches.items())]
    return _total(compute, events)


def _width_ms(text: str) -> int:
    scale = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
    number = text.rstrip("msdh")
    return max(1, int(number) * scale[text[len(number) :] or "ms"])


def _total(compute: dict[str, Any], events: list[Event]) -> float | int | None:
    how = compute["aggregation"]
    if how == "count":
        return len(events)
    values = [value for event in events for value in event.values(compute.get("metric") or "")]
    if how == "cardinality":
        return len({str(value) for value in values})
    numbers = sorted(float(value) for value in values if isinstance(value, int | float))
    return FUNCTIONS[how](numbers) if numbers else None


def _percentile(percent: float) -> Callable[[list[float]], float]:
    return lambda numbers: numbers[min(len(numbers) - 1, math.ceil(percent / 100 * len(numbers)) - 1)]


FUNCTIONS: Final[dict[str, Callable[[list[float]], float]]] = {
    "sum": math.fsum,
    "min": min,
    "max": max,
    "avg": lambda numbers: math.fsum(numbers) / len(numbers),
    "median": _percentile(50),
    **{f"pc{percent}": _percentile(percent) for percent in (75, 90, 95, 98, 99)},
}
