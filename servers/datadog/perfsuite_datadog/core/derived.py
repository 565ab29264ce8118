"""What is computed from the metrics of one host or one container."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from perfsuite_datadog.core.ratios import percent_of, rest_of_hundred, scaled, usable_share
from perfsuite_datadog.models.timeseries import Series

Found = Mapping[str, Series]

NO_LIMIT: Final = "no limit"
NO_REQUEST: Final = "no request"
_UNCLEAR: Final = "unit and values of usable memory contradict each other"
_UNKNOWN: Final = "not known at this time"
_CPU: Final = "kubernetes.cpu.usage.total"
_MEMORY: Final = "kubernetes.memory.working_set"
# Label, what is above the line and below it, their documented units, and what it means when there is no lower one.
_OF_CONTAINER: Final = (
    ("cpu_util_pct", _CPU, "kubernetes.cpu.limits", "nanocore", "core", NO_LIMIT),
    ("cpu_util_pct_max", f"{_CPU}.max", "kubernetes.cpu.limits", "nanocore", "core", NO_LIMIT),
    ("cpu_request_pct", _CPU, "kubernetes.cpu.requests", "nanocore", "core", NO_REQUEST),
    ("mem_util_pct", _MEMORY, "kubernetes.memory.limits", "byte", "byte", NO_LIMIT),
    ("mem_util_pct_max", f"{_MEMORY}.max", "kubernetes.memory.limits", "byte", "byte", NO_LIMIT),
    ("mem_request_pct", _MEMORY, "kubernetes.memory.requests", "byte", "byte", NO_REQUEST),
)
_THROTTLED: Final = "kubernetes.cpu.cfs.throttled.periods"
_PERIODS: Final = "kubernetes.cpu.cfs.periods"


@dataclass(frozen=True)
class Derived:
    """A percentage over time. `note` says why values are missing."""

    label: str
    values: list[float | None]
    note: str = ""


def of_host(found: Found) -> Iterator[Derived]:
    """CPU is all but idle: user and system alone would leave out waiting for disks and what the hypervisor took."""
    for label, rollup in (("", ""), ("_max", ".min")):
        if idle := found.get(f"system.cpu.idle{rollup}"):
            yield Derived(f"cpu_util_pct{label}", rest_of_hundred(scaled(idle, "percent")))
        if memory := _memory(found, rollup):
            yield Derived(f"mem_util_pct{label}", *memory)


def of_container(found: Found) -> Iterator[Derived]:
    """Use in percent of limits and requests, as they were at the time. Above 100 is possible, and kept."""
    for label, above, below, unit, unit_below, missing in _OF_CONTAINER:
        if part := found.get(above):
            whole = found.get(below)
            if whole is None:
                yield Derived(label, [None] * len(part.values), missing)
            else:
                yield Derived(label, percent_of(scaled(part, unit), scaled(whole, unit_below)), _UNKNOWN)
    throttled, periods = found.get(_THROTTLED), found.get(_PERIODS)
    if throttled and periods:
        yield Derived("cpu_throttled_pct", percent_of(throttled.values, periods.values), "no periods")


def _memory(found: Found, rollup: str) -> tuple[list[float | None], str] | None:
    """From the share that is usable; else from bytes. What is used would count the page cache as well."""
    share = found.get(f"system.mem.pct_usable{rollup}")
    usable = usable_share(share) if share else None
    if usable is not None and any(value is not None for value in usable):
        return rest_of_hundred(usable), _UNKNOWN
    part, whole = found.get(f"system.mem.usable{rollup}"), found.get("system.mem.total")
    if part and whole:
        return rest_of_hundred(percent_of(scaled(part, "mebibyte"), scaled(whole, "mebibyte"))), _UNKNOWN
    return ([None] * len(share.values), _UNCLEAR) if share else None
