"""The metrics that the model knows, with the type and unit under which the agents send them."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["gauge", "count", "rate", "distribution"]

_HOST_S: Final = 15
_CONTAINER_S: Final = 20
_TRACE_S: Final = 10


@dataclass(frozen=True)
class Metric:
    """What is known about a metric besides its values."""

    name: str
    kind: Kind = "gauge"
    unit: str | None = None
    per: str | None = None
    interval_s: int = _HOST_S

    @property
    def integration(self) -> str:
        return self.name.partition(".")[0]


_HOST: Final = {
    "percent": "system.cpu.idle system.cpu.user system.cpu.system system.cpu.iowait system.cpu.stolen"
    " system.cpu.interrupt system.cpu.guest system.disk.utilized",
    "fraction": "system.mem.pct_usable system.swap.pct_free system.disk.in_use",
    "mebibyte": "system.mem.total system.mem.usable system.mem.used system.mem.free system.mem.cached",
    "core": "system.cpu.num_cores",
    "": "system.load.norm.1 system.load.1",
}
_CONTAINER: Final = {
    "nanocore": "kubernetes.cpu.usage.total container.cpu.usage container.cpu.limit",
    "core": "kubernetes.cpu.limits kubernetes.cpu.requests kubernetes.cpu.capacity",
    "byte": "kubernetes.memory.usage kubernetes.memory.working_set kubernetes.memory.rss kubernetes.memory.cache"
    " kubernetes.memory.limits kubernetes.memory.requests container.memory.usage container.memory.working_set"
    " container.memory.limit jvm.heap_memory jvm.heap_memory_max jvm.non_heap_memory",
    "fraction": "kubernetes.memory.usage_pct kubernetes.filesystem.usage_pct",
    "": "kubernetes.containers.restarts kubernetes.pods.running",
}


def _known() -> dict[str, Metric]:
    gauges = [
        Metric(name, unit=unit or None, interval_s=interval)
        for table, interval in ((_HOST, _HOST_S), (_CONTAINER, _CONTAINER_S))
        for unit, names in table.items()
        for name in names.split()
    ]
    others = [
        *(Metric(f"system.net.bytes_{way}", unit="byte", per="second") for way in ("rcvd", "sent")),
        *(
            Metric(f"kubernetes.network.{way}_bytes", unit="byte", per="second", interval_s=_CONTAINER_S)
            for way in ("rx", "tx")
        ),
        *(
            Metric(f"kubernetes.cpu.cfs.{what}", kind="count", interval_s=_CONTAINER_S)
            for what in ("periods", "throttled.periods")
        ),
        Metric("container.memory.oom_events", kind="count", interval_s=_CONTAINER_S),
        Metric("jvm.gc.major_collection_count", kind="count", interval_s=_CONTAINER_S),
        Metric("trace.http.request.hits", kind="count", unit="request", interval_s=_TRACE_S),
        Metric("trace.http.request.errors", kind="count", unit="error", interval_s=_TRACE_S),
        Metric("trace.http.request", kind="distribution", unit="second", interval_s=_TRACE_S),
    ]
    return {metric.name: metric for metric in (*gauges, *others)}


METRICS: Final = _known()
