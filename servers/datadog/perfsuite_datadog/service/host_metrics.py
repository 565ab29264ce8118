"""What `get_host_metrics` does: all hosts of an environment in a few requests."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Final

from perfsuite.artifacts import layout
from perfsuite.errors import NotFound, PerfsuiteError
from perfsuite.mcp.threads import in_thread
from perfsuite.samples.rows import printable
from perfsuite_datadog.client.metrics import known_hosts
from perfsuite_datadog.core.buckets import asked_width_s
from perfsuite_datadog.core.catalog import HOST, hosts_scope, wanted
from perfsuite_datadog.core.derived import of_host
from perfsuite_datadog.models.metrics import Collected, HostLoad
from perfsuite_datadog.models.requests import CollectRequest
from perfsuite_datadog.service.asking import Answered, Asking, ask
from perfsuite_datadog.service.blocks import Measured
from perfsuite_datadog.service.desk import Desk, Order, order, recording
from perfsuite_datadog.service.earlier import Gathered
from perfsuite_datadog.service.files import Files
from perfsuite_datadog.service.told import collected

TOOL: Final = "get_host_metrics"
# Answers stay well below what the client reads at once.
_MOST_VALUES: Final = 800_000
_MOST_HOSTS: Final = 100
_MOST_NAMED: Final = 30
_LOOK_BACK_S: Final = 7 * 86_400


async def get_host_metrics(desk: Desk, request: CollectRequest) -> Collected:
    """Collect the metrics of every host, and write them into the run where there is one."""
    task = await order(desk, request)
    hosts = task.environment.hostnames
    if not hosts:
        raise NotFound(
            f"Environment {task.name!r} has no hosts.",
            next_step="Call `get_kubernetes_metrics` if it has services, or add hosts to environments.yaml.",
        )
    with recording(task, "metrics", TOOL, f"hosts {task.name}") as step:
        loads: list[HostLoad] = []
        gathered = Gathered(TOOL, step)
        for batch in _batches(hosts, task.window.seconds / asked_width_s(task.window)):
            desk.progress(len(loads), len(hosts), f"asking about {len(batch)} hosts")
            found = await _asked(desk, task, batch)
            files = Files(task, step, keep=gathered.take(found))
            loads += await in_thread(partial(_loads, files, batch, found), name=TOOL)
        gathered.note()
    return await _told(desk, task, gathered, loads)


def _batches(hosts: Sequence[str], points: float) -> Iterator[Sequence[str]]:
    queries = sum(2 for family in HOST for _ in family)
    size = int(max(1, min(_MOST_HOSTS, _MOST_VALUES / (queries * max(1.0, points)))))
    return (hosts[start : start + size] for start in range(0, len(hosts), size))


async def _asked(desk: Desk, task: Order, hosts: Sequence[str]) -> list[Answered]:
    width_s = asked_width_s(task.window)
    about = hosts[0] if len(hosts) == 1 else f"{len(hosts)} hosts from {hosts[0]} on"
    asking = Asking(TOOL, "hosts", about, ("host",), width_s)
    scope = hosts_scope(hosts)
    return [await ask(desk, task, asking, wanted(family, scope, "host", width_s)) for family in HOST]


def _loads(files: Files, hosts: Sequence[str], found: Sequence[Answered]) -> list[HostLoad]:
    # Datadog writes host names in small letters where they are tags.
    groups = {group[0].lower(): group for one in found for group in one.groups()}
    failed = all(one.failure for one in found)
    return [
        _host(files, host, Measured(found, groups[host.lower()], of_host))
        if host.lower() in groups
        else HostLoad(host=host, silent=not failed, file=files.left(layout.HOST_METRICS, host=host))
        for host in hosts
    ]


def _host(files: Files, host: str, measured: Measured) -> HostLoad:
    subject = files.subject("host", hostname=host)
    return HostLoad(
        host=host,
        cpu_avg_pct=measured.mean("cpu_util_pct"),
        cpu_max_pct=measured.highest("cpu_util_pct_max"),
        iowait_max_pct=measured.highest("system.cpu.iowait.max"),
        stolen_max_pct=measured.highest("system.cpu.stolen.max"),
        mem_avg_pct=measured.mean("mem_util_pct"),
        mem_max_pct=measured.highest("mem_util_pct_max"),
        file=files.written(layout.HOST_METRICS, measured.blocks(subject), host=host),
    )


async def _told(desk: Desk, task: Order, gathered: Gathered, loads: Sequence[HostLoad]) -> Collected:
    silent = [one.host for one in loads if one.silent]
    notes = [await _about_silent(desk, task, silent)] if silent else []
    # Those of which nothing is known come last, and are named nevertheless.
    hottest = sorted(loads, key=lambda one: (one.cpu_max_pct is None, -(one.cpu_max_pct or 0.0)))
    return collected(desk, task, gathered, hottest, notes)


async def _about_silent(desk: Desk, task: Order, silent: Sequence[str]) -> str:
    """Why these may have answered nothing: other names that Datadog knows are the likeliest reason."""
    more = f" and {len(silent) - _MOST_NAMED} more" if len(silent) > _MOST_NAMED else ""
    told = f"Nothing was answered in this window by {', '.join(silent[:_MOST_NAMED])}{more}."
    since = max(task.window.start.timestamp(), desk.now().timestamp() - _LOOK_BACK_S)
    try:
        known = await known_hosts(desk.datadog, int(since))
    except PerfsuiteError as error:
        return f"{told} Which names Datadog knows could not be asked: {error.message}"
    small = {name.lower() for name in known}
    present = [host for host in silent[:_MOST_NAMED] if host.lower() in small]
    unknown = [host for host in silent[:_MOST_NAMED] if host.lower() not in small]
    near = {host: get_close_matches(host, known, n=1, cutoff=0.6) for host in unknown}
    similar = [f"{host} is perhaps {printable(names[0], 80)}" for host, names in near.items() if names]
    told += f" Datadog knows {len(known)} names of hosts."
    if present:
        told += f" It has seen {', '.join(present)} lately, so these names are right, and another window may help."
    return f"{told} {'; '.join(similar[:10]) or 'None is similar'}." if unknown else told
