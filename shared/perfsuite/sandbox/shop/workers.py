"""The queue in front of the workers, computed rather than awaited.

Requests are served in the order of their arrival, and how long each one takes is known as soon as its worker is. So a
whole visit can be computed when it begins: the next worker that is free takes the request then. Nothing drifts because
a timer was late, and what a busy machine adds is not multiplied by the queue.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from perfsuite.sandbox.shop.spec import ShopSpec

Outcome = Literal["served", "rejected", "timed_out"]


@dataclass(frozen=True)
class Visit:
    """What becomes of a request. Times are in seconds since the epoch; `host` is None when no worker took it."""

    outcome: Outcome
    host: int | None
    arrived: float
    begins: float
    leaves: float


class Workers:
    """The workers of all hosts behind one queue."""

    def __init__(self, spec: ShopSpec) -> None:
        self._spec = spec
        self._free = [(0.0, worker) for worker in range(spec.workers)]
        self._waiting: list[float] = []

    def admit(self, now: float, service_s: Callable[[int], float]) -> Visit:
        """Let a request in; `service_s` says how long it takes on a host."""
        waiting = self.waiting(now)
        free_at, worker = self._free[0]
        begins = max(now, free_at)
        if begins > now and waiting >= self._spec.queue_length:
            return Visit("rejected", None, now, now, now)
        gives_up = now + self._spec.queue_timeout_ms / 1000
        if begins > gives_up:
            heapq.heappush(self._waiting, gives_up)
            return Visit("timed_out", None, now, gives_up, gives_up)
        host = self._spec.host_of(worker)
        leaves = begins + service_s(host)
        heapq.heapreplace(self._free, (leaves, worker))
        if begins > now:
            heapq.heappush(self._waiting, begins)
        return Visit("served", host, now, begins, leaves)

    def waiting(self, now: float) -> int:
        """How many requests stand in the queue."""
        while self._waiting and self._waiting[0] <= now:
            heapq.heappop(self._waiting)
        return len(self._waiting)
