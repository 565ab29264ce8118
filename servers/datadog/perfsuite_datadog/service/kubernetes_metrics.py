"""What `get_kubernetes_metrics` does: every container of every filter, against the limits that it had at the time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from perfsuite.artifacts import layout
from perfsuite.errors import NotFound
from perfsuite.mcp.threads import in_thread
from perfsuite_datadog.core.buckets import asked_width_s
from perfsuite_datadog.core.catalog import CONTAINER, pod_scope, service_scope, wanted
from perfsuite_datadog.core.derived import of_container
from perfsuite_datadog.core.ratios import combined_percent, highest, lowest, mean, scaled, shown
from perfsuite_datadog.models.environments import Environment
from perfsuite_datadog.models.metrics import Collected, FilterLoad
from perfsuite_datadog.models.requests import CollectRequest
from perfsuite_datadog.service.asking import Answered, Asking, Group, ask
from perfsuite_datadog.service.blocks import Measured
from perfsuite_datadog.service.desk import Desk, Order, order, recording
from perfsuite_datadog.service.earlier import Gathered
from perfsuite_datadog.service.files import Files
from perfsuite_datadog.service.told import collected

TOOL: Final = "get_kubernetes_metrics"
_BY: Final = ("pod_name", "kube_container_name")
_CPU: Final = ("kubernetes.cpu.usage.total", "kubernetes.cpu.limits", "nanocore", "core")
_MEMORY: Final = ("kubernetes.memory.working_set", "kubernetes.memory.limits", "byte", "byte")


@dataclass(frozen=True)
class Chosen:
    """A filter of the environment: the name of its file, and the scope that it stands for."""

    filter: str
    file: str
    scope: str


@dataclass(frozen=True)
class Hottest:
    """The container that comes closest to its limit, if any has one."""

    name: str | None
    avg_pct: float | None
    max_pct: float | None


async def get_kubernetes_metrics(desk: Desk, request: CollectRequest) -> Collected:
    """Collect the metrics of every container, and write them into the run where there is one."""
    task = await order(desk, request)
    chosen = list(_chosen(task.environment))
    if not chosen:
        raise NotFound(
            f"Environment {task.name!r} has no Kubernetes services or pods.",
            next_step="Call `get_host_metrics` if it has hosts, or add services to environments.yaml.",
        )
    with recording(task, "metrics", TOOL, f"kubernetes {task.name}") as step:
        loads: list[FilterLoad] = []
        gathered = Gathered(TOOL, step)
        for number, one in enumerate(chosen):
            desk.progress(number, len(chosen), f"asking about {one.filter}")
            found = await _asked(desk, task, one)
            files = Files(task, step, keep=gathered.take(found))
            loads.append(await in_thread(partial(_kept, files, one, found), name=TOOL))
        gathered.note()
    return collected(desk, task, gathered, loads, [])


def _chosen(environment: Environment) -> Iterator[Chosen]:
    services = list(dict.fromkeys(one.filter for one in environment.kubernetes.services))
    pods = list(dict.fromkeys(one.filter for one in environment.kubernetes.pods))
    yield from (Chosen(name, name, service_scope(environment, name)) for name in services)
    for name in pods:
        yield Chosen(name, f"pod_{name}" if name in services else name, pod_scope(environment, name))


async def _asked(desk: Desk, task: Order, one: Chosen) -> list[Answered]:
    width_s = asked_width_s(task.window)
    asking = Asking(TOOL, "containers", one.filter, _BY, width_s)
    by = ",".join(_BY)
    return [await ask(desk, task, asking, wanted(family, one.scope, by, width_s)) for family in CONTAINER]


def _kept(files: Files, one: Chosen, found: Sequence[Answered]) -> FilterLoad:
    groups = sorted({group for each in found for group in each.groups()})
    measured = {group: Measured(found, group, of_container) for group in groups}
    return _load(one, found, measured, _file(files, one, measured))


def _file(files: Files, one: Chosen, measured: dict[Group, Measured]) -> str | None:
    if not measured:
        return files.left(layout.K8S_METRICS, filter=one.file)
    subject = partial(files.subject, "k8s", filter=one.filter)
    blocks = (block for group, each in measured.items() for block in each.blocks(subject(group=_name(group))))
    return files.written(layout.K8S_METRICS, blocks, filter=one.file)


def _load(one: Chosen, found: Sequence[Answered], measured: dict[Group, Measured], file: str | None) -> FilterLoad:
    cpu, memory = _hottest(measured, "cpu_util_pct"), _hottest(measured, "mem_util_pct")
    return FilterLoad(
        filter=one.filter,
        containers=len(measured),
        without_cpu_limit=_without_limit(measured, _CPU),
        without_mem_limit=_without_limit(measured, _MEMORY),
        cpu_avg_pct_of_limit=_together(found, measured, _CPU),
        mem_avg_pct_of_limit=_together(found, measured, _MEMORY),
        hottest_cpu=cpu.name,
        hottest_cpu_avg_pct=cpu.avg_pct,
        hottest_cpu_max_pct=cpu.max_pct,
        hottest_mem=memory.name,
        hottest_mem_avg_pct=memory.avg_pct,
        hottest_mem_max_pct=memory.max_pct,
        throttled_max_pct=_most(measured, "cpu_throttled_pct"),
        restarts=_restarts(measured),
        file=file,
        note=_note(one, found, measured),
    )


def _without_limit(measured: dict[Group, Measured], ratio: tuple[str, str, str, str]) -> int:
    used, limit, _, _ = ratio
    return sum(bool(one.values(used)) and not one.values(limit) for one in measured.values())


def _together(
    found: Sequence[Answered], measured: dict[Group, Measured], ratio: tuple[str, str, str, str]
) -> float | None:
    """All containers that have a limit against the sum of these limits, the others left out on both sides."""
    used, limit, unit, unit_of_limit = ratio
    answer = next((one for one in found if used in one.series), None)
    if answer is None:
        return None
    pairs = [
        (scaled(above, unit), scaled(below, unit_of_limit))
        for group in measured
        if (above := answer.of(used, group)) and (below := answer.of(limit, group))
    ]
    return shown(mean(combined_percent(pairs)))


def _hottest(measured: dict[Group, Measured], label: str) -> Hottest:
    worst = {group: value for group, one in measured.items() if (value := one.highest(f"{label}_max")) is not None}
    if not worst:
        return Hottest(None, None, None)
    group = max(worst, key=lambda one: (worst[one], one))
    return Hottest(_name(group), measured[group].mean(label), worst[group])


def _most(measured: dict[Group, Measured], label: str) -> float | None:
    return highest([one.highest(label) for one in measured.values()])


def _restarts(measured: dict[Group, Measured]) -> int | None:
    """How often containers restarted within the window; counting began before it."""
    counts = [one.values("kubernetes.containers.restarts") for one in measured.values()]
    ends = [
        (first, last) for one in counts if (last := highest(one)) is not None and (first := lowest(one)) is not None
    ]
    return round(sum(last - first for first, last in ends)) if ends else None


def _note(one: Chosen, found: Sequence[Answered], measured: dict[Group, Measured]) -> str | None:
    if not measured and any(each.failure for each in found):
        return "It was not collected; `notes` says why."
    if not measured:
        return (
            f"No container answered to `{one.scope}`. Check these tags; "
            "a filter may be a whole tag such as kube_deployment:checkout."
        )
    without = _without_limit(measured, _CPU), _without_limit(measured, _MEMORY)
    if not any(without):
        return None
    return (
        f"{without[0]} of {len(measured)} containers have no CPU limit and {without[1]} no memory limit; "
        "percentages leave them out."
    )


def _name(group: Group) -> str:
    return "/".join(group)
