"""A load test outlives the server that started it, and its statistics are those of JMeter's own dashboard.

A shop is opened and a plan for it is written. One server starts the test and is killed while it runs; another one
follows it to its end and collects the results. Then JMeter makes its dashboard from the same results, and every number
of its statistics.json is compared with what `perfsuite stats --compat jmeter-dashboard` says.
"""

import json
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
import psutil
from jmeter_report import jmeter_report
from measuring import server_command

from perfsuite.artifacts import RunStore, layout
from perfsuite.cli.session import Consent, Server, with_server
from perfsuite.errors import Unreachable
from perfsuite.sandbox.running import started
from perfsuite_jmeter.models.runs import STATE

DURATION_S: Final = 75
USERS: Final = 20
RUN_ID: Final = "proof"
_KILLED_AFTER_S: Final = 20
_LIVE: Final = {"queued", "starting", "running", "stopping"}
_TOLERANCE: Final = 1e-6
# A number of the dashboard, and what it is called here. The error rate is a percentage there.
_NAMES: Final = {
    "sampleCount": "samples", "errorCount": "errors", "errorPct": "error_rate", "meanResTime": "mean_ms",
    "medianResTime": "p50_ms", "minResTime": "min_ms", "maxResTime": "max_ms", "pct1ResTime": "p90_ms",
    "pct2ResTime": "p95_ms", "pct3ResTime": "p99_ms", "throughput": "throughput_per_s",
    "receivedKBytesPerSec": "received_kb_per_s", "sentKBytesPerSec": "sent_kb_per_s",
}  # fmt: skip


@dataclass
class Proof:
    """What was seen on the way, and how the numbers compare."""

    seen: list[str] = field(default_factory=list)
    compared: int = 0
    differing: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        return self.compared > 0 and not self.differing

    def lines(self) -> Iterator[str]:
        yield from self.seen
        yield f"{self.compared} numbers of JMeter's dashboard compared, {len(self.differing)} differ, none may"
        yield from self.differing


def prove(folder: Path) -> Proof:
    """Do all of it, in a folder that holds nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    proof, plan, runs = Proof(), folder / "shop.jmx", RunStore(folder / "artifacts")
    with started("shop", "--fault", "errors:rate=0.02,after_s=10") as shop:
        _perfsuite("sandbox", "plan", "--port", shop.url.rpartition(":")[2], "--out", str(plan))
        with suppress(Unreachable):
            _ask_a_server(runs, lambda server: _start_and_kill(server, plan, proof))
        proof.seen.append(_who_is_left(runs))
        _ask_a_server(runs, lambda server: _follow_and_collect(server, proof))
    results = runs.open(RUN_ID).path(layout.JMETER_RESULTS)
    jmeter_report(folder, results)()
    said = _perfsuite("stats", str(results), "--compat", "jmeter-dashboard", "--json")
    _compare(json.loads((folder / "report" / "statistics.json").read_bytes()), json.loads(said), proof)
    return proof


def _perfsuite(*arguments: str) -> bytes:
    command = [str(Path(sys.executable).with_name("perfsuite")), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def _ask_a_server(runs: RunStore, work: Callable[[Server], Awaitable[None]]) -> None:
    anyio.run(with_server, "jmeter", server_command(runs.root), Consent(always=True, at_terminal=False), work)


async def _start_and_kill(server: Server, plan: Path, proof: Proof) -> None:
    properties = {"users": str(USERS), "duration": str(DURATION_S)}
    began = time.perf_counter()
    asked = {"plan": str(plan), "run_id": RUN_ID, "properties": properties}
    found = await server.ask("start_jmeter_test", next_step="", **asked)
    proof.seen.append(f"{found['state']} {time.perf_counter() - began:.1f} s after it was asked for: {USERS} users")
    while (status := await _status(server, wait_s=5))["elapsed_s"] < _KILLED_AFTER_S:
        pass
    [process] = [one for one in psutil.Process().children() if "jmeter-mcp" in " ".join(one.cmdline())]
    process.kill()
    proof.seen.append(f"server {process.pid} was killed at {status['elapsed_s']:.0f} s, with {_told(status)}")


def _who_is_left(runs: RunStore) -> str:
    state = runs.open(RUN_ID).load(STATE)
    if state.java is None or not psutil.pid_exists(state.java.pid):
        sys.exit("Java ended with the server.")
    return f"Java {state.java.pid} and supervisor {state.supervisor.pid} go on"


async def _follow_and_collect(server: Server, proof: Proof) -> None:
    proof.seen.append(f"another server, asked first: {_told(await _status(server))}")
    while (status := await _status(server, wait_s=45))["state"] in _LIVE:
        pass
    proof.seen.append(f"{status['state']} after {status['elapsed_s']:.1f} s: {_told(status)}; {status['reason']}")
    report: dict[str, Any] = {"result": None}
    while report["result"] is None:
        report = await server.ask("collect_jmeter_results", run_id=RUN_ID, next_step="")
    found = report["result"]
    if (status["state"], found["counts"]["agree"]) != ("finished", True):
        sys.exit(f"The run is {status['state']}, and its counts differ: {found['counts']}")
    counts = {name: found["counts"][name] for name in ("results", "console", "log")}
    proof.seen.append(
        f"collected {found['samples']:,} samples, {found['transactions']:,} transactions; counts {counts}"
    )


async def _status(server: Server, **more: int) -> dict[str, Any]:
    return await server.ask("get_jmeter_run_status", run_id=RUN_ID, next_step="", **more)


def _told(status: dict[str, Any]) -> str:
    total = status["total"]
    return f"{total['samples']:,} samples, {total['errors']} errors" if total else "no samples"


def _compare(dashboard: dict[str, dict[str, Any]], ours: dict[str, Any], proof: Proof) -> None:
    labels = {one["label"]: one for one in ours["labels"]} | {"Total": ours["total"]}
    if dashboard.keys() != labels.keys():
        proof.differing.append(f"labels: {sorted(dashboard)} there, {sorted(labels)} here")
    for label in dashboard.keys() & labels.keys():
        theirs = dashboard[label]
        if theirs.keys() != {"transaction", *_NAMES}:
            proof.differing.append(f"{label}: the dashboard has the numbers {sorted(theirs)}")
        for name, own in _NAMES.items():
            value = labels[label][own] * (100 if name == "errorPct" else 1)
            proof.compared += 1
            if not math.isclose(theirs[name], value, rel_tol=_TOLERANCE):
                proof.differing.append(f"{label}, {name}: {theirs[name]} there, {value} here")
