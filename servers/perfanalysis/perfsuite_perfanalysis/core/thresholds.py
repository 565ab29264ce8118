"""From where on a metric says that something is short, and what is derived from what."""

import math
from typing import Final

CPU_PCT: Final = 85.0
MEMORY_PCT: Final = 90.0
THROTTLED_PCT: Final = 5.0
IOWAIT_PCT: Final = 20.0
STOLEN_PCT: Final = 10.0
DISK_PCT: Final = 90.0
RUN_QUEUE: Final = 1.0
"""Of waiting or running threads by processor."""

CPU: Final = "cpu_util_pct"
MEMORY: Final = "mem_util_pct"
THROTTLED: Final = "cpu_throttled_pct"
CPU_REQUEST: Final = "cpu_request_pct"
MEMORY_REQUEST: Final = "mem_request_pct"
RESTARTS: Final = "kubernetes.containers.restarts"

_PERCENT: Final = {
    CPU: CPU_PCT,
    MEMORY: MEMORY_PCT,
    THROTTLED: THROTTLED_PCT,
    "system.cpu.iowait": IOWAIT_PCT,
    "system.cpu.stolen": STOLEN_PCT,
    "system.disk.in_use": DISK_PCT,
}
RATED: Final = {
    CPU: ("kubernetes.cpu.usage.total", "no limit"),
    MEMORY: ("kubernetes.memory.working_set", "no limit"),
    CPU_REQUEST: ("kubernetes.cpu.usage.total", "no request"),
    MEMORY_REQUEST: ("kubernetes.memory.working_set", "no request"),
}
"""What is in percent of a limit or a request, what it is without one, and why it may be so."""
_DERIVED: Final = {
    CPU: ("system.cpu.idle", "kubernetes.cpu.usage.total"),
    MEMORY: ("system.mem.pct_usable", "system.mem.usable", "kubernetes.memory.working_set"),
    THROTTLED: ("kubernetes.cpu.cfs.throttled.periods", "kubernetes.cpu.cfs.periods"),
}
_SHARES: Final = frozenset({
    "system.cpu.idle", "system.cpu.user", "system.cpu.system", "system.cpu.iowait", "system.cpu.stolen",
    "system.disk.in_use", "system.mem.pct_usable",
})  # fmt: skip
_ROUNDING: Final = 0.01
_SETTINGS: Final = (".limits", ".requests", ".total.capacity", "mem.total")
_WORST: Final = (".min", ".max", "_max", "_min")


def threshold_of(metric: str, unit: str) -> float | None:
    """The threshold in the unit of the metric; None where none is known for it."""
    if metric == "system.load.norm.1":
        return RUN_QUEUE
    percent = _PERCENT.get(metric)
    if percent is None:
        return None
    return percent / 100 if unit in ("fraction", "ratio") else percent


def possible(metric: str, unit: str, *, is_host: bool) -> tuple[float, float]:
    """Between which values a metric can be. A container may use more than it requested, or its limit."""
    whole = 1.0 if unit in ("fraction", "ratio") else 100.0
    if not (metric.endswith("_pct") or metric in _PERCENT or unit in ("percent", "fraction", "ratio")):
        return -math.inf, math.inf
    is_share = metric in (MEMORY, THROTTLED) or metric in _SHARES or (metric == CPU and is_host)
    return -_ROUNDING * whole, (1 + _ROUNDING) * whole if is_share else math.inf


def worth_correlating(metric: str, others: set[str]) -> bool:
    """Whether a metric says something of its own: not a setting, nor what another metric is computed from."""
    if metric.endswith(_SETTINGS) or (metric in (CPU_REQUEST, MEMORY_REQUEST) and _rated(metric) in others):
        return False
    if any(metric.endswith(end) and metric.removesuffix(end) in others for end in _WORST):
        return False
    return not any(derived in others and metric in parts for derived, parts in _DERIVED.items())


def _rated(metric: str) -> str:
    return CPU if metric == CPU_REQUEST else MEMORY
