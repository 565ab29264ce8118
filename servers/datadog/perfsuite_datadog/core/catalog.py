"""What is asked about hosts and containers, and how it is aggregated over space and time.

Every metric is asked for as an average and, where load can hide in it, as its worst value too: averages hide peaks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from perfsuite_datadog.models.environments import Environment

Rollup = Literal["avg", "max", "min", "sum"]


@dataclass(frozen=True)
class Metric:
    """A metric. `worst` is the rollup under which trouble shows."""

    name: str
    space: Rollup
    worst: Rollup | None = None
    over_time: Rollup = "avg"


@dataclass(frozen=True)
class Wanted:
    """What is asked for, and the name that its values have in a file: a formula over named queries."""

    label: str
    formula: str
    queries: Mapping[str, str]

    @property
    def text(self) -> str:
        """What is noted about it."""
        return "; ".join(self.queries.values())


HOST_CPU: Final = (
    Metric("system.cpu.idle", "avg", "min"),
    Metric("system.cpu.iowait", "avg", "max"),
    Metric("system.cpu.stolen", "avg", "max"),
    Metric("system.load.norm.1", "avg", "max"),
)
HOST_MEMORY: Final = (
    Metric("system.mem.pct_usable", "avg", "min"),
    Metric("system.mem.usable", "avg", "min"),
    Metric("system.mem.total", "avg"),
    Metric("system.swap.pct_free", "avg", "min"),
)
HOST_TRAFFIC: Final = (
    # A host has several disks and network devices: the fullest disk counts, and the traffic of all.
    Metric("system.disk.in_use", "max", "max"),
    Metric("system.net.bytes_rcvd", "sum", "max"),
    Metric("system.net.bytes_sent", "sum", "max"),
)
HOST: Final = (HOST_CPU, HOST_MEMORY, HOST_TRAFFIC)

CONTAINER_CPU: Final = (
    Metric("kubernetes.cpu.usage.total", "sum", "max"),
    Metric("kubernetes.cpu.limits", "sum"),
    Metric("kubernetes.cpu.requests", "sum"),
)
CONTAINER_MEMORY: Final = (
    # What the kernel kills for; `usage` would count the page cache as well.
    Metric("kubernetes.memory.working_set", "sum", "max"),
    Metric("kubernetes.memory.limits", "sum"),
    Metric("kubernetes.memory.requests", "sum"),
)
CONTAINER_HEALTH: Final = (
    Metric("kubernetes.cpu.cfs.throttled.periods", "sum", over_time="sum"),
    Metric("kubernetes.cpu.cfs.periods", "sum", over_time="sum"),
    Metric("kubernetes.containers.restarts", "max", over_time="max"),
)
CONTAINER: Final = (CONTAINER_CPU, CONTAINER_MEMORY, CONTAINER_HEALTH)

FORMULAS: Final = {
    "cpu_util_pct (host)": "100 - system.cpu.idle",
    "cpu_util_pct_max (host)": "100 - system.cpu.idle.min",
    "mem_util_pct (host)": "100 - 100 * system.mem.pct_usable, else 100 * (1 - system.mem.usable / system.mem.total)",
    "mem_util_pct_max (host)": "the same with the rollup min",
    "cpu_util_pct (container)": "100 * kubernetes.cpu.usage.total / kubernetes.cpu.limits, both in cores",
    "cpu_request_pct (container)": "100 * kubernetes.cpu.usage.total / kubernetes.cpu.requests, both in cores",
    "mem_util_pct (container)": "100 * kubernetes.memory.working_set / kubernetes.memory.limits",
    "mem_request_pct (container)": "100 * kubernetes.memory.working_set / kubernetes.memory.requests",
    "cpu_throttled_pct (container)": "100 * kubernetes.cpu.cfs.throttled.periods / kubernetes.cpu.cfs.periods",
}


def wanted(metrics: Iterable[Metric], scope: str, by: str, width_s: int) -> tuple[Wanted, ...]:
    """The queries for these metrics. The rollup is written out, or each metric could get buckets of its own."""
    return tuple(
        Wanted(
            metric.name if rollup == metric.over_time else peak_of(metric.name, rollup),
            "q",
            {"q": f"{metric.space}:{metric.name}{{{scope}}} by {{{by}}}.rollup({rollup}, {width_s})"},
        )
        for metric in metrics
        for rollup in dict.fromkeys((metric.over_time, metric.worst))
        if rollup
    )


def peak_of(name: str, rollup: Rollup) -> str:
    """What the values of another rollup are called."""
    return f"{name}.{rollup}"


def hosts_scope(hosts: Iterable[str]) -> str:
    """The scope of one or several hosts."""
    names = list(hosts)
    return f"host:{names[0]}" if len(names) == 1 else f"host IN ({','.join(names)})"


def service_scope(environment: Environment, service: str) -> str:
    return _scope(environment, service if ":" in service else f"service:{service}")


def pod_scope(environment: Environment, pod: str) -> str:
    return _scope(environment, pod if ":" in pod else f"pod_name:{pod}")


def _scope(environment: Environment, tag: str) -> str:
    namespace = f"kube_namespace:{environment.namespace}" if environment.namespace else ""
    return ",".join(filter(None, (f"env:{environment.env_tag}", namespace, tag)))
