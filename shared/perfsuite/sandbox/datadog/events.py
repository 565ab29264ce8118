"""Log lines and spans that a service under load leaves: the same ones whenever they are asked for."""

import heapq
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, Literal, TypeVar

import numpy as np

from perfsuite.sandbox.datadog.curves import Floats
from perfsuite.sandbox.datadog.kubernetes import Service
from perfsuite.sandbox.datadog.searches import Event
from perfsuite.sandbox.datadog.spec import LogRow, ServiceSpec
from perfsuite.sandbox.datadog.world import World

EventKind = Literal["log", "span"]
T = TypeVar("T")

RETENTION_S: Final = 15 * 86_400
_STRETCH_S: Final = 3600
_BLOCK_S: Final = 10
"""What is drawn at once, from numbers that begin anew with each of them."""
_PATHS: Final = (("GET", "/items"), ("GET", "/items/{id}"), ("POST", "/checkout"), ("POST", "/login"))
_FAILURES: Final = (
    (503, "UpstreamUnavailable", "upstream connect error or disconnect before headers"),
    (504, "TimeoutError", "timed out after 5000 ms waiting for the inventory"),
    (500, "NullPointerException", 'Cannot invoke "Cart.total()" because "cart" is null'),
    (500, "SQLTransientConnectionException", "shop-pool - Connection is not available, request timed out"),
)
_SLOW_SHARE: Final = 0.03
_AFTER_MODELLED: Final = 100_000
"""Where the numbers of given lines begin, of which no part of the model makes as many."""


@dataclass(frozen=True)
class _Sender:
    """A pod that logs and traces."""

    service: ServiceSpec
    pod: int
    host: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Events:
    """All of one kind."""

    world: World
    kind: EventKind

    @cached_property
    def _senders(self) -> list[list[_Sender]]:
        return [[_sender(one, pod) for pod in range(one.spec.pods)] for one in self.world.services]

    def between(self, begin_ms: int, end_ms: int, now: float, *, newest_first: bool = False) -> Iterator[Event]:
        """In the order of their times, from `begin_ms` on and before `end_ms`."""
        first = max(begin_ms // 1000, int(now - RETENTION_S))
        last = min(-(-end_ms // 1000), int(np.ceil(now)))
        given = self._given[::-1] if newest_first else self._given
        modelled = self._modelled(first, last, newest_first)
        for event in heapq.merge(modelled, given, key=lambda event: event.key, reverse=newest_first):
            if max(begin_ms, first * 1000) <= event.at_ms < min(end_ms, now * 1000):
                yield event

    @cached_property
    def _given(self) -> list[Event]:
        rows = self.world.spec.log_rows if self.kind == "log" else ()
        found = [_given(row, _AFTER_MODELLED + place) for place, row in enumerate(rows)]
        return sorted(found, key=lambda event: event.key)

    def _modelled(self, first: int, last: int, newest_first: bool) -> Iterator[Event]:
        for start in _stretches(first, last, newest_first):
            times = np.arange(start, start + _STRETCH_S, _BLOCK_S, dtype=np.float64)
            counts, error_rates = _BLOCK_S * self._rates(times), self.world.curve.error_rate(times)
            places = range(len(times))
            for place in reversed(places) if newest_first else places:
                begin = start + place * _BLOCK_S
                if begin + _BLOCK_S > first and begin < last:
                    found = self._of_block(begin, float(counts[place]), float(error_rates[place]))
                    yield from reversed(found) if newest_first else found

    def _rates(self, times: Floats) -> Floats:
        """How many there are in a second."""
        log = self.world.spec.log
        if self.kind == "span":
            return self.world.curve.requests_per_s(times) * log.spans_per_request
        return self.world.curve.requests_per_s(times) * log.lines_per_request + log.lines_per_idle_minute / 60

    def _of_block(self, begin: int, expected: float, error_rate: float) -> list[Event]:
        drawn = random.Random(f"{self.world.spec.seed}/{self.kind}/{begin}").random  # noqa: S311 - a model, not a secret
        count = int(expected + drawn())
        if not count or not self._senders:
            return []
        millis = sorted(int(drawn() * _BLOCK_S * 1000) for _ in range(count))
        return [self._event(drawn, begin * 1000 + at, number, error_rate) for number, at in enumerate(millis)]

    def _event(self, drawn: Callable[[], float], at_ms: int, number: int, error_rate: float) -> Event:
        sender = _one_of(_one_of(self._senders, drawn()), drawn())
        method, path = _one_of(_PATHS, drawn())
        failure = _one_of(_FAILURES, drawn()) if drawn() < error_rate else None
        slow = drawn() < _SLOW_SHARE
        duration_ns = int(sender.service.base_ms * 1e6 * (0.5 + 1.5 * drawn()) * (8 if slow or failure else 1))
        code = failure[0] if failure else 200
        attributes: dict[str, Any] = {
            "duration": duration_ns,
            "http": {
                "method": method,
                "status_code": code,
                "url": f"http://{sender.service.name}.example{path}",
                "url_details": {"path": path},
            },
            "network": {"client": {"ip": f"10.0.{sender.pod}.{int(drawn() * 254) + 1}"}},
        }
        if failure:
            named = "kind" if self.kind == "log" else "type"
            attributes["error"] = {named: failure[1], "message": failure[2], "stack": f"{failure[1]}: {failure[2]}"}
        made = _log if self.kind == "log" else _span
        return made(sender, at_ms, number, attributes, "warn" if slow and not failure else "")


def _one_of(choices: Sequence[T], share: float) -> T:
    return choices[int(share * len(choices))]


def _given(row: LogRow, number: int) -> Event:
    reserved = {"service": row.service, "host": row.host, "status": row.status, "source": "given"}
    return Event(int(row.timestamp * 1000), number, reserved, row.tags, row.attributes, row.message)


def _stretches(first: int, last: int, newest_first: bool) -> Iterator[int]:
    starts = range(first // _STRETCH_S * _STRETCH_S, last, _STRETCH_S)
    return iter(reversed(starts) if newest_first else starts)


def _sender(service: Service, pod: int) -> "_Sender":
    """A pod with its tags, of which some come twice, as the real service shows them."""
    tags = sorted(service.pod_tags(pod))
    host = next(tag for tag in tags if tag.startswith("host:"))
    shown = (*(tag for tag in tags if tag != host), f"env:{service.spec.env}", "source:java")
    return _Sender(service.spec, pod, host.partition(":")[2], shown)


def _log(sender: _Sender, at_ms: int, number: int, attributes: dict[str, Any], status: str) -> Event:
    http = attributes["http"]
    error = attributes.get("error")
    status = "error" if error else status or "info"
    said = f"{http['method']} {http['url_details']['path']} {http['status_code']} {attributes['duration'] / 1e6:.1f} ms"
    text = f"{error['kind']}: {error['message']} ({said})" if error else said
    reserved = {"service": sender.service.name, "host": sender.host, "status": status, "source": "java"}
    return Event(at_ms, number, reserved, sender.tags, attributes, text)


def _span(sender: _Sender, at_ms: int, number: int, attributes: dict[str, Any], _: str) -> Event:
    http = attributes["http"]
    resource = f"{http['method']} {http['url_details']['path']}"
    span_id = f"{at_ms * 1000 + number:020d}"
    reserved = {
        "service": sender.service.name,
        "host": sender.host,
        "env": sender.service.env,
        "status": "error" if "error" in attributes else "ok",
        "resource_name": resource,
        "operation_name": "http.request",
        "type": "web",
        "span_id": span_id,
        "trace_id": f"{at_ms:032x}",
    }
    return Event(at_ms, number, reserved, sender.tags, attributes, resource)


def iso(at_ms: float) -> str:
    """A time as answers show it, in milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
