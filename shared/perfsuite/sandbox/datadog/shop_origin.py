"""The hosts of a shop that is open on this machine, by the metrics that it publishes."""

import threading
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import numpy as np

from perfsuite.errors import Refused, Unreachable
from perfsuite.sandbox.datadog.catalog import METRICS, Metric
from perfsuite.sandbox.datadog.curves import Floats
from perfsuite.sandbox.datadog.sources import Source

_WIDTH_S: Final = 10
_LONGEST_S: Final = 35_000
"""A little less than what one answer of the shop covers."""
_NAMES: Final = (
    "system.cpu.idle",
    "system.cpu.user",
    "system.mem.total",
    "system.mem.usable",
    "system.mem.pct_usable",
)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass
class ShopOrigin:
    """Asks the shop when it is asked."""

    url: str
    env: str = "perf"
    _buckets: dict[int, dict[str, Any]] = field(default_factory=dict)
    _sizes: dict[str, dict[str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if httpx.URL(self.url).host not in _LOOPBACK:
            raise Refused(f"{self.url!r} is not on this machine.", next_step="Give the control address of a shop here.")

    def metrics(self) -> dict[str, Metric]:
        return {name: self._metric(name) for name in _NAMES}

    def sources(self, metric: str) -> list[Source]:
        if metric not in _NAMES:
            return []
        with self._lock:
            self._catch_up()
            return [self._source(metric, host) for host in self._sizes]

    def _metric(self, name: str) -> Metric:
        return Metric(name, unit=METRICS[name].unit, interval_s=_WIDTH_S)

    def _catch_up(self) -> None:
        latest = max(self._buckets, default=0)
        asked = {"bucket_s": _WIDTH_S, **({"from": latest + 1} if latest else {})}
        try:
            answer = httpx.get(f"{self.url.rstrip('/')}/_metrics", params=asked, timeout=5, trust_env=False)
            found = answer.raise_for_status().json()
        except httpx.HTTPError as error:
            raise Unreachable(f"The shop does not answer: {error}.", next_step="Start it, or leave it out.") from None
        self._sizes = found["hosts"]
        self._buckets |= {int(one["timestamp_s"]): one["hosts"] for one in found["buckets"]}
        for old in sorted(self._buckets)[: -_LONGEST_S // _WIDTH_S]:
            del self._buckets[old]

    def _source(self, name: str, host: str) -> Source:
        times = np.array(sorted(self._buckets), dtype=np.float64)
        values = np.array([_value(name, self._buckets[int(at)][host], self._sizes[host]) for at in times])

        def looked_up(asked: Floats) -> Floats:
            return values[np.searchsorted(times, asked)] if len(times) else asked

        return Source(self._metric(name), frozenset({f"host:{host}", f"env:{self.env}"}), looked_up, times=times)


def _value(name: str, bucket: dict[str, float], size: dict[str, float]) -> float:
    total, used = size["memory_mb"], bucket["mem_used_mb"]
    return {
        "system.cpu.idle": 100 - bucket["cpu_pct"],
        "system.cpu.user": bucket["cpu_pct"],
        "system.mem.total": total,
        "system.mem.usable": total - used,
        "system.mem.pct_usable": (total - used) / total,
    }[name]
