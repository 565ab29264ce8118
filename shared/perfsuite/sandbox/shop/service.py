"""The shop itself: what one request costs, and what becomes of it."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.shop.access_log import AccessLog
from perfsuite.sandbox.shop.faults import Fault, Faults, Period
from perfsuite.sandbox.shop.meter import Meter, iso
from perfsuite.sandbox.shop.spec import STEPS, ShopSpec, Step
from perfsuite.sandbox.shop.workers import Outcome, Visit, Workers

_LOOK_AGAIN_S: Final = 0.05
_STATUS: Final[dict[Outcome, int]] = {"served": 200, "rejected": 503, "timed_out": 504}
_REASONS: Final = {
    500: "an error of the shop, as it was asked for",
    503: "the queue is full",
    504: "the request waited too long",
}


@dataclass(frozen=True)
class Reply:
    """How the shop answered: 200, or an error and its reason."""

    status: int
    host: str | None
    reason: str | None


class Shop:
    """A shop that is open."""

    def __init__(self, spec: ShopSpec, *, clock: Clock | None = None, access_log: Path | None = None) -> None:
        self.spec = spec
        self.clock = clock or Clock.real()
        self.started = self.clock.now()
        self.faults = Faults(spec.host_names)
        self.meter = Meter(spec, self.faults, self.started)
        self.access_log = AccessLog(access_log)
        self._workers = Workers(spec)
        self._chance = random.Random(spec.seed)  # noqa: S311 - the same seed must give the same shop

    async def serve(self, step: Step, method: str, path: str) -> Reply:
        """Let a request wait for a worker, and the worker take its time."""
        arrived = self.clock.now()
        while self.faults.is_hanging(self.clock.now()):
            await self.clock.sleep(_LOOK_AGAIN_S)
        visit = self._workers.admit(self.clock.now(), self._service_s)
        self.meter.note_visit(visit, self._workers.waiting(visit.arrived))
        await self.clock.sleep(max(0.0, visit.leaves - self.clock.now()))
        reply = self._reply(visit)
        ended = self.clock.now()
        self.meter.note_answer(visit, reply.status, arrived, ended)
        self.access_log.write(
            {
                "timestamp": iso(ended),
                "service": "shop",
                "host": reply.host,
                "level": "error" if reply.reason else "info",
                "message": f"{method} {path} {reply.status}" + (f": {reply.reason}" if reply.reason else ""),
                "step": step,
                "http": {"method": method, "path": path, "status_code": reply.status},
                "duration_ms": round((ended - arrived) * 1000, 3),
                "waited_ms": round((visit.begins - arrived) * 1000, 3),
            }
        )
        return reply

    def switch_on(self, fault: Fault) -> Period:
        return self.faults.switch_on(fault, self.clock.now())

    def end_faults(self, kind: str | None = None) -> int:
        return self.faults.end(self.clock.now(), kind)

    def is_down(self) -> bool:
        return self.faults.is_down(self.clock.now())

    def truth(self, think_ms: float) -> dict[str, Any]:
        """What an analysis should find out."""
        now = self.clock.now()
        return {
            "now": iso(now),
            "started": iso(self.started),
            "spec": self.spec.model_dump(),
            "steps": STEPS,
            "host_names": self.spec.host_names,
            "model": "closed: N users think Z, ask for a step and wait; c workers take s per step, in one queue",
            "formulas": {
                "knee_users": "c * (1 + Z / s)",
                "throughput_per_s": "min(N / (Z + s), c / s)",
                "response_time": "max(s, N * s / c - Z)",
            },
            "think_ms": think_ms,
            "knee_users": self.spec.knee(think_ms),
            "faults": [self.told(period) for period in self.faults.periods],
        }

    def told(self, period: Period) -> dict[str, Any]:
        """A fault and when it was there."""
        return {
            **period.fault.model_dump(exclude={"after_s", "for_s"}),
            "begins": iso(period.begins),
            "ends": None if period.ends is None else iso(period.ends),
            "active": period.covers(self.clock.now()),
        }

    def _service_s(self, host: int) -> float:
        varied = self.spec.service_ms / 1000 * (1 + self.spec.spread * self._chance.uniform(-1, 1))
        return varied * self.faults.latency_factor(self.spec.host_names[host], self.clock.now())

    def _reply(self, visit: Visit) -> Reply:
        status = _STATUS[visit.outcome]
        if visit.outcome == "served" and self._chance.random() < self.faults.error_rate(visit.leaves):
            status = 500
        host = None if visit.host is None else self.spec.host_names[visit.host]
        return Reply(status, host, _REASONS.get(status))
