"""Services on Kubernetes under load: pods, containers with and without limits, restarts, throttling, Java's heap."""

import hashlib
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from perfsuite.sandbox.datadog.catalog import METRICS, Metric
from perfsuite.sandbox.datadog.curves import Curve, Floats, noise
from perfsuite.sandbox.datadog.sources import Source, Values
from perfsuite.sandbox.datadog.spec import ContainerSpec, ServiceSpec

_MIB: Final = 1024.0 * 1024.0
_NANO: Final = 1e9
_HOUR_S: Final = 3600.0
_AWAY_S: Final = 40.0
"""How long a restarted container sends nothing."""
_PERIODS_PER_S: Final = 10.0
"""The scheduler's periods take 100 ms."""
_BURST_SHARE: Final = 0.6
_POD_SHARE_IN: Final = 0.4
_NODES: Final = 3
_PODS = frozenset({"kubernetes.network.rx_bytes", "kubernetes.network.tx_bytes", "kubernetes.pods.running"})


@dataclass(frozen=True)
class Container:
    """A container of one pod."""

    service: ServiceSpec
    spec: ContainerSpec
    pod: int
    curve: Curve
    seed: int
    leaks_from: float

    @property
    def share(self) -> float:
        """Of the load of the service, the part that comes to this pod. The first one gets more than the others."""
        hot = self.service.hot_pod_factor if self.service.pods > 1 else 1.0
        return (hot if self.pod == 0 else 1.0) / (self.service.pods - 1 + hot)

    @property
    def restarts(self) -> tuple[float, ...]:
        return self.service.restarts_at if self.pod == 0 else ()

    def cores_wanted(self, times: Floats) -> Floats:
        wanted = self.spec.idle_cores + self.spec.cores_per_user * self.share * self.curve.users(times)
        return wanted * (1 + 0.08 * noise(times, self._seed))

    def cores(self, times: Floats) -> Floats:
        """What the container got: never more than its limit."""
        return self._present(times, np.minimum(self.cores_wanted(times), self.spec.cpu_limit or math.inf))

    def throttled_share(self, times: Floats) -> Floats:
        """Of the scheduler's periods, those in which it was held back: bursts are, long before the average is."""
        if self.spec.cpu_limit is None:
            return np.zeros_like(times)
        usage = self.cores_wanted(times) / self.spec.cpu_limit
        return self._present(times, np.clip((usage - _BURST_SHARE) / (1.2 - _BURST_SHARE), 0.0, 1.0))

    def memory_mib(self, times: Floats) -> Floats:
        """What cannot be taken back from it, which is what the kernel kills for."""
        since = np.full_like(times, self.leaks_from)
        for restart in self.restarts:
            since = np.where(times >= restart, max(restart, self.leaks_from), since)
        leaked = self.spec.leak_mib_per_hour * np.maximum(0.0, times - since) / _HOUR_S
        held = self.spec.idle_memory_mib + self.spec.memory_mib_per_user * self.share * self.curve.users(times) + leaked
        held = held * (1 + 0.01 * noise(times, self._seed + 1))
        return self._present(times, np.minimum(held, 0.995 * (self.spec.memory_limit_mib or math.inf)))

    def restart_count(self, times: Floats) -> Floats:
        return np.searchsorted(np.sort(self.restarts), times, side="right").astype(np.float64)

    @property
    def _seed(self) -> int:
        return zlib.crc32(f"{self.service.name}/{self.pod}/{self.spec.name}".encode()) % 9_973 + self.seed

    def _present(self, times: Floats, values: Floats) -> Floats:
        for restart in self.restarts:
            values = np.where((times >= restart) & (times < restart + _AWAY_S), np.nan, values)
        return values

    def _is_restarting(self, times: Floats) -> Floats:
        return self.restart_count(times) - self.restart_count(times - 20)

    def values(self, metric: str) -> Values | None:
        """How a metric of this container goes, or None where it has none, as without a limit."""
        return self._cpu().get(metric) or self._memory().get(metric) or self._java().get(metric)

    def _cpu(self) -> dict[str, Values | None]:
        spec = self.spec
        periods = 20 * _PERIODS_PER_S
        return {
            "kubernetes.cpu.usage.total": lambda t: _NANO * self.cores(t),
            "container.cpu.usage": lambda t: _NANO * self.cores(t),
            "kubernetes.cpu.limits": _constant(spec.cpu_limit),
            "kubernetes.cpu.requests": _constant(spec.cpu_request),
            "container.cpu.limit": _constant(spec.cpu_limit, _NANO),
            "kubernetes.cpu.cfs.periods": lambda t: self._present(t, np.full_like(t, periods)),
            "kubernetes.cpu.cfs.throttled.periods": lambda t: periods * self.throttled_share(t),
            "kubernetes.containers.restarts": self.restart_count,
        }

    def _memory(self) -> dict[str, Values | None]:
        spec, limit = self.spec, self.spec.memory_limit_mib
        of_limit: Values | None = (lambda t: self.memory_mib(t) / limit) if limit else None
        return {
            "kubernetes.memory.working_set": lambda t: _MIB * self.memory_mib(t),
            "kubernetes.memory.usage": lambda t: _MIB * 1.25 * self.memory_mib(t),
            "kubernetes.memory.cache": lambda t: _MIB * 0.25 * self.memory_mib(t),
            "kubernetes.memory.rss": lambda t: _MIB * 0.93 * self.memory_mib(t),
            "container.memory.working_set": lambda t: _MIB * self.memory_mib(t),
            "container.memory.usage": lambda t: _MIB * 1.25 * self.memory_mib(t),
            "kubernetes.memory.limits": _constant(limit, _MIB),
            "container.memory.limit": _constant(limit, _MIB),
            "kubernetes.memory.requests": _constant(spec.memory_request_mib, _MIB),
            "kubernetes.memory.usage_pct": of_limit,
            "container.memory.oom_events": self._is_restarting if self.restarts else np.zeros_like,
        }

    def _java(self) -> dict[str, Values | None]:
        if not self.spec.heap_share:
            return {}
        most = self.spec.heap_share * (self.spec.memory_limit_mib or 4 * self.spec.idle_memory_mib)
        return {
            "jvm.heap_memory": lambda t: _MIB * np.minimum(self.memory_mib(t) * self.spec.heap_share, most),
            "jvm.heap_memory_max": lambda t: np.full_like(t, _MIB * most),
            "jvm.non_heap_memory": lambda t: np.full_like(t, _MIB * 90),
            "jvm.gc.major_collection_count": lambda t: np.floor(self.memory_mib(t) / (most or 1.0)),
        }


def _constant(value: float | None, scale: float = 1.0) -> Values | None:
    return None if value is None else lambda t: np.full_like(t, value * scale)


@dataclass(frozen=True)
class Service:
    """A deployment and its pods."""

    spec: ServiceSpec
    curve: Curve
    seed: int
    leaks_from: float

    @property
    def tags(self) -> frozenset[str]:
        spec = self.spec
        return frozenset({
            f"env:{spec.env}", f"service:{spec.name}", f"kube_service:{spec.name}", f"kube_deployment:{spec.name}",
            f"kube_namespace:{spec.namespace}", f"kube_cluster_name:{spec.env}-cluster", *spec.tags,
        })  # fmt: skip

    def pod_name(self, number: int) -> str:
        drawn = hashlib.blake2b(f"{self.seed}/{self.spec.name}/{number}".encode(), digest_size=8).hexdigest()
        same = hashlib.blake2b(self.spec.name.encode(), digest_size=5).hexdigest()
        return f"{self.spec.name}-{same}-{drawn[:5]}"

    def pod_tags(self, number: int) -> frozenset[str]:
        node = zlib.crc32(self.pod_name(number).encode()) % _NODES + 1
        return self.tags | {f"pod_name:{self.pod_name(number)}", f"host:{self.spec.env}-node-{node}"}

    def sources(self, metric: Metric) -> Iterator[Source]:
        if metric.name.startswith("trace."):
            yield self._trace(metric)
        elif metric.name in _PODS:
            yield from self._of_pods(metric)
        else:
            yield from self._of_containers(metric)

    def slowness(self, times: Floats) -> Floats:
        """The mean response time in seconds: it grows as containers are held back."""
        held = np.nan_to_num(Container(self.spec, self.spec.containers[0], 0, *self._rest).throttled_share(times))
        return self.spec.base_ms / 1000 * (1 + 4 * held) * (1 + 0.1 * noise(times, self.seed))

    @property
    def _rest(self) -> tuple[Curve, int, float]:
        return self.curve, self.seed, self.leaks_from

    def _of_containers(self, metric: Metric) -> Iterator[Source]:
        for pod in range(self.spec.pods):
            for one in self.spec.containers:
                values = Container(self.spec, one, pod, *self._rest).values(metric.name)
                tags = {f"kube_container_name:{one.name}", f"container_name:{one.name}"}
                if values:
                    yield Source(metric, self.pod_tags(pod) | tags, values)

    def _of_pods(self, metric: Metric) -> Iterator[Source]:
        bytes_each = {"kubernetes.network.rx_bytes": 1_800.0, "kubernetes.network.tx_bytes": 14_000.0}.get(metric.name)
        for pod in range(self.spec.pods):
            share = Container(self.spec, self.spec.containers[0], pod, *self._rest).share
            yield Source(metric, self.pod_tags(pod), self._of_pod(bytes_each, share))

    def _of_pod(self, bytes_each: float | None, share: float) -> Values:
        if bytes_each is None:
            return np.ones_like
        return lambda t: bytes_each * share * self.curve.requests_per_s(t)

    def _trace(self, metric: Metric) -> Source:
        width = metric.interval_s
        hits: Callable[[Floats], Floats] = lambda t: np.round(width * self.curve.requests_per_s(t))  # noqa: E731
        if metric.name.endswith(".hits"):
            return Source(metric, self.tags, lambda t: _unless_none(hits(t)))
        if metric.name.endswith(".errors"):
            return Source(metric, self.tags, lambda t: _unless_none(np.round(hits(t) * self.curve.error_rate(t))))
        return Source(metric, self.tags, self.slowness, quantiles=lambda t, q: self.slowness(t) * _spread(q))


def _unless_none(counts: Floats) -> Floats:
    """Counters that count nothing are not sent, which makes their series sparse."""
    return np.where(counts > 0, counts, np.nan)


def _spread(quantile: float) -> float:
    """How far a quantile lies from the mean, as response times usually do."""
    return 0.8 - 0.45 * math.log(max(1e-4, 1 - quantile)) if quantile < 1 else 5.0


@dataclass(frozen=True)
class Services:
    """Every service of the model."""

    services: tuple[Service, ...]

    def metrics(self) -> dict[str, Metric]:
        return {name: metric for name, metric in METRICS.items() if not name.startswith("system.")}

    def sources(self, metric: str) -> list[Source]:
        known = self.metrics().get(metric)
        return [found for service in self.services for found in service.sources(known)] if known else []
