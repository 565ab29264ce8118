"""The modelled CPU and memory of every host, and what the shop did, by the second.

A worker that serves somebody uses its share of the host's CPU, so the CPU of a host is the share of its workers' time
that was spent serving. Seconds are those of UTC. Only buckets that are over are told: the current one would look idle.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil, floor
from typing import Any, Final

from perfsuite.sandbox.shop.faults import Faults
from perfsuite.sandbox.shop.spec import ShopSpec
from perfsuite.sandbox.shop.workers import Visit

BUCKETS_S: Final = (1, 10)
KEPT_S: Final = 6 * 3600
_IDLE_MB: Final = 512
_MB_PER_BUSY_WORKER: Final = 8


@dataclass
class _Second:
    busy_s: list[float]
    served: list[int]
    requests: int = 0
    errors: int = 0
    rejected: int = 0
    timed_out: int = 0
    total_ms: float = 0.0
    longest_queue: int = 0


@dataclass
class Meter:
    """Counts what happens, and tells it in buckets."""

    spec: ShopSpec
    faults: Faults
    started: float
    _seconds: dict[int, _Second] = field(default_factory=dict)

    def note_visit(self, visit: Visit, queue: int) -> None:
        """Note the time that a worker will have spent, second by second, and the queue at the arrival."""
        arrival = self._second(visit.arrived)
        arrival.longest_queue = max(arrival.longest_queue, queue)
        if visit.host is None:
            return
        for second in range(floor(visit.begins), ceil(visit.leaves)):
            spent = min(visit.leaves, second + 1) - max(visit.begins, second)
            self._second(second).busy_s[visit.host] += spent

    def note_answer(self, visit: Visit, status: int, arrived: float, now: float) -> None:
        """Note how a request was answered that had arrived before, perhaps long before its visit."""
        second = self._second(now)
        second.requests += 1
        second.errors += status >= 500
        second.rejected += visit.outcome == "rejected"
        second.timed_out += visit.outcome == "timed_out"
        second.total_ms += (now - arrived) * 1000
        if visit.host is not None:
            second.served[visit.host] += 1

    def buckets(self, now: float, width: int, begin: float, end: float) -> range:
        """When the buckets begin that lie between two times and are over, whether something happened in them or not."""
        first = ceil(max(begin, floor(self.started), now - KEPT_S) / width) * width
        last = floor(min(now, end) / width) * width
        return range(first, last, width)

    def bucket(self, start: int, width: int) -> dict[str, Any]:
        """What happened in so many seconds."""
        seconds = [found for second in range(start, start + width) if (found := self._seconds.get(second))]
        requests = sum(one.requests for one in seconds)
        return {
            "at": iso(start),
            "timestamp_s": start,
            "requests": requests,
            "errors": sum(one.errors for one in seconds),
            "rejected": sum(one.rejected for one in seconds),
            "timed_out": sum(one.timed_out for one in seconds),
            "mean_ms": round(sum(one.total_ms for one in seconds) / requests, 3) if requests else None,
            "longest_queue": max((one.longest_queue for one in seconds), default=0),
            "hosts": {name: self._host(host, seconds, start, width) for host, name in enumerate(self.spec.host_names)},
        }

    def _host(self, host: int, seconds: list[_Second], start: int, width: int) -> dict[str, Any]:
        busy_workers = sum(one.busy_s[host] for one in seconds) / width
        leaked = self.faults.leaked_mb(start + width)
        used = min(_IDLE_MB + busy_workers * _MB_PER_BUSY_WORKER + leaked, self.spec.memory_mb)
        return {
            "cpu_pct": round(100 * busy_workers / self.spec.workers_of(host), 3),
            "mem_used_mb": round(used, 3),
            "mem_pct": round(100 * used / self.spec.memory_mb, 3),
            "requests": sum(one.served[host] for one in seconds),
        }

    def _second(self, now: float) -> _Second:
        number = floor(now)
        if number not in self._seconds:
            self._seconds[number] = _Second([0.0] * self.spec.hosts, [0] * self.spec.hosts)
            if len(self._seconds) > KEPT_S:
                del self._seconds[min(self._seconds)]
        return self._seconds[number]


def iso(seconds: float) -> str:
    """A time as UTC, with its Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
