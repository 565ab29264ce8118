"""Hosts under load, with the accounting of the agent: `user` and `system` leave out waiting and stolen time."""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from perfsuite.sandbox.datadog.catalog import METRICS, Metric
from perfsuite.sandbox.datadog.curves import Curve, Floats, noise
from perfsuite.sandbox.datadog.sources import Source
from perfsuite.sandbox.datadog.spec import HostSpec

_MOST_BUSY: Final = 99.0
_BYTES_IN: Final = 1_800.0
_BYTES_OUT: Final = 14_000.0
_HOUR_S: Final = 3600.0
_IN_BYTES: Final = 1024.0 * 1024.0
_SYSTEM_SHARE: Final = 0.22


@dataclass(frozen=True)
class Host:
    """One host, and every number that its agent would send."""

    spec: HostSpec
    curve: Curve
    seed: int
    leaks_from: float

    @property
    def tags(self) -> frozenset[str]:
        return frozenset({f"host:{self.spec.name}", f"env:{self.spec.env}", *self.spec.tags})

    def busy(self, times: Floats) -> Floats:
        """Percent of all cores that is not idle."""
        wanted = self.spec.idle_cpu_pct + self.spec.cpu_pct_per_user * self.curve.users(times)
        return np.clip(wanted * (1 + 0.05 * noise(times, self._seed)), 0.0, _MOST_BUSY)

    def programs_mib(self, times: Floats) -> Floats:
        """Memory that programs hold; the rest is usable, though the page cache may fill it."""
        spec = self.spec
        leaked = spec.leak_mib_per_hour * np.maximum(0.0, times - self.leaks_from) / _HOUR_S
        held = spec.idle_memory_mib + spec.memory_mib_per_user * self.curve.users(times) + leaked
        return np.clip(held * (1 + 0.01 * noise(times, self._seed + 1)), 0.0, 0.98 * spec.memory_mib)

    def values(self, metric: str) -> Callable[[Floats], Floats] | None:
        """How a metric of this host goes, or None where it has none."""
        return self._cpu().get(metric) or self._memory().get(metric) or self._others().get(metric)

    @property
    def _seed(self) -> int:
        return zlib.crc32(self.spec.name.encode()) % 9_973 + self.seed

    def _cpu(self) -> dict[str, Callable[[Floats], Floats]]:
        spec = self.spec
        working = 1 - spec.iowait_share - spec.stolen_share
        return {
            "system.cpu.idle": lambda t: 100 - self.busy(t),
            "system.cpu.iowait": lambda t: spec.iowait_share * self.busy(t),
            "system.cpu.stolen": lambda t: spec.stolen_share * self.busy(t),
            "system.cpu.system": lambda t: _SYSTEM_SHARE * working * self.busy(t),
            "system.cpu.user": lambda t: (1 - _SYSTEM_SHARE) * working * self.busy(t),
            "system.cpu.interrupt": lambda t: 0.1 * _SYSTEM_SHARE * working * self.busy(t),
            "system.cpu.guest": np.zeros_like,
            "system.cpu.num_cores": lambda t: np.full_like(t, spec.cores),
            "system.load.norm.1": lambda t: self.busy(t) / 90,
            "system.load.1": lambda t: self.busy(t) / 90 * spec.cores,
        }

    def _memory(self) -> dict[str, Callable[[Floats], Floats]]:
        total = self.spec.memory_mib

        def usable(t: Floats) -> Floats:
            return total - self.programs_mib(t)

        def cached(t: Floats) -> Floats:
            return self.spec.page_cache_share * usable(t)

        return {
            "system.mem.total": lambda t: np.full_like(t, total),
            "system.mem.usable": usable,
            "system.mem.cached": cached,
            "system.mem.free": lambda t: usable(t) - cached(t),
            "system.mem.used": lambda t: total - usable(t) + cached(t),
            "system.mem.pct_usable": lambda t: usable(t) / total,
            "system.swap.pct_free": np.ones_like,
        }

    def _others(self) -> dict[str, Callable[[Floats], Floats]]:
        rate = self.curve.requests_per_s
        return {
            "system.net.bytes_rcvd": lambda t: 900 + _BYTES_IN * rate(t),
            "system.net.bytes_sent": lambda t: 700 + _BYTES_OUT * rate(t),
            "system.disk.in_use": lambda t: np.full_like(t, 0.41),
            "system.disk.utilized": lambda t: np.full_like(t, 41.0),
        }

    def told(self, now: float, *, with_metadata: bool) -> dict[str, Any]:
        """The host as the list of hosts shows it."""
        at = np.array([now])
        found: dict[str, Any] = {
            "name": self.spec.name,
            "host_name": self.spec.name,
            "id": zlib.crc32(self.spec.name.encode()),
            "aliases": [self.spec.name],
            "apps": ["agent", "ntp"],
            "sources": ["agent"],
            "up": True,
            "is_muted": False,
            "mute_timeout": None,
            "last_reported_time": int(now),
            "tags_by_source": {"Datadog": sorted(self.tags)},
            "metrics": {
                "cpu": float(self.busy(at)[0]),
                "iowait": float(self.spec.iowait_share * self.busy(at)[0]),
                "load": float(self.busy(at)[0] / 90),
            },
        }
        return {**found, "meta": self._metadata()} if with_metadata else {**found, "meta": None}

    def _metadata(self) -> dict[str, Any]:
        memory = {"total": f"{int(self.spec.memory_mib * 1024)}kB", "swap_total": "0kB"}
        return {
            "cpuCores": self.spec.cores,
            "platform": "linux",
            "machine": "amd64",
            "agent_version": "7.60.0",
            "socket-hostname": self.spec.name,
            "gohai": json.dumps({"cpu": {"cpu_cores": str(self.spec.cores)}, "memory": memory}),
        }


@dataclass(frozen=True)
class Hosts:
    """Every host of the model."""

    hosts: tuple[Host, ...]
    memory_unit: str

    def metrics(self) -> dict[str, Metric]:
        return {name: self._metric(name) for name in METRICS if name.startswith("system.")}

    def sources(self, metric: str) -> list[Source]:
        known = METRICS.get(metric)
        if known is None or not metric.startswith("system."):
            return []
        return [found for host in self.hosts if (found := self._source(metric, host))]

    def _source(self, name: str, host: Host) -> Source | None:
        values = host.values(name)
        if values is None:
            return None
        device = {"device:eth0"} if ".net." in name else {"device:/dev/vda1"} if ".disk." in name else set()
        ends = host.spec.silent_from if host.spec.silent_from is not None else float("inf")
        metric = self._metric(name)
        scale = _IN_BYTES if metric.unit == "byte" and ".mem." in name else 1.0
        return Source(metric, host.tags | device, lambda t: scale * values(t), ends=ends)

    def _metric(self, name: str) -> Metric:
        metric = METRICS[name]
        if metric.unit != "mebibyte":
            return metric
        return Metric(name, metric.kind, self.memory_unit, metric.per, metric.interval_s)
