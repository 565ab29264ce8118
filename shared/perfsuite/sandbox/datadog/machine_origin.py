"""This machine as a host: its processors and memory as they are measured while somebody watches."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from perfsuite.sandbox.datadog.catalog import METRICS, Metric
from perfsuite.sandbox.datadog.curves import Floats
from perfsuite.sandbox.datadog.sources import Source

_WIDTH_S: Final = 10
_MIB: Final = 1024.0 * 1024.0
_MOST: Final = 10_000
_CPU: Final = ("idle", "user", "system", "iowait", "stolen")
_NAMES: Final = (
    *(f"system.cpu.{part}" for part in _CPU), "system.mem.total", "system.mem.usable", "system.mem.pct_usable",
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What the machine says: seconds of all processors since its start, and bytes of memory."""

    cpu_s: dict[str, float]
    total: float
    usable: float


@dataclass
class MachineOrigin:
    """Tells of every ten seconds that it saw from their beginning to their end."""

    host: str
    env: str = "perf"
    _buckets: dict[int, dict[str, float]] = field(default_factory=dict)
    _last: tuple[int, Reading] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def metrics(self) -> dict[str, Metric]:
        return {name: self._metric(name) for name in _NAMES}

    def sources(self, metric: str) -> list[Source]:
        if metric not in _NAMES:
            return []
        with self._lock:
            times = np.array(sorted(self._buckets), dtype=np.float64)
            values = np.array([self._buckets[int(at)][metric] for at in times])

        def looked_up(asked: Floats) -> Floats:
            return values[np.searchsorted(times, asked)] if len(times) else asked

        tags = frozenset({f"host:{self.host}", f"env:{self.env}"})
        return [Source(self._metric(metric), tags, looked_up, times=times)]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Measure for as long as the block lasts."""
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(over,), name="machine", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def note(self, at_s: int, reading: Reading) -> None:
        """Take what was read at the end of ten seconds, which are known if their beginning was read as well."""
        with self._lock:
            before, self._last = self._last, (at_s, reading)
            if before is None or before[0] != at_s - _WIDTH_S:
                return
            self._buckets[before[0]] = _between(before[1], reading)
            for old in sorted(self._buckets)[:-_MOST]:
                del self._buckets[old]

    def _watch(self, over: threading.Event) -> None:
        while True:
            next_s = (int(time.time()) // _WIDTH_S + 1) * _WIDTH_S
            if over.wait(max(0.0, next_s - time.time())):
                return
            self.note(next_s, read_machine())

    def _metric(self, name: str) -> Metric:
        return Metric(name, unit=METRICS[name].unit, interval_s=_WIDTH_S)


def read_machine() -> Reading:
    """What the machine says now."""
    import psutil

    times, memory = psutil.cpu_times(), psutil.virtual_memory()
    cpu = {
        "idle": times.idle,
        "user": times.user + getattr(times, "nice", 0.0),
        "system": times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0),
        "iowait": getattr(times, "iowait", 0.0),
        "stolen": getattr(times, "steal", 0.0),
    }
    return Reading(cpu, memory.total, memory.available)


def _between(first: Reading, last: Reading) -> dict[str, float]:
    spent = {part: max(0.0, last.cpu_s[part] - first.cpu_s[part]) for part in _CPU}
    in_all = sum(spent.values()) or 1.0
    return {
        **{f"system.cpu.{part}": 100 * seconds / in_all for part, seconds in spent.items()},
        "system.mem.total": last.total / _MIB,
        "system.mem.usable": last.usable / _MIB,
        "system.mem.pct_usable": last.usable / last.total,
    }
