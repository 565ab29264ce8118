"""The analyses name a saturation whose truth is known, and none where there was none.

The sample service has c workers, each of which takes s seconds for a step, and users who think for Z: it is full at
N* = c (1 + Z/s) users. One run goes beyond that in a slow ramp and one stays well below. Both are run by the jmeter
server, their hosts are collected by the datadog server from the stand-in, which tells what the shop publishes, and the
perfanalysis server says what it sees. Servers are processes of their own, spoken to over standard input and output.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import ElicitResult

from perfsuite.sandbox import datadog
from perfsuite.sandbox.datadog.spec import DatadogSpec
from perfsuite.sandbox.running import started

WORKERS: Final = 4
SERVICE_MS: Final = 100
THINK_MS: Final = 500
HOSTS: Final = ("shop-1", "shop-2")
CLOSE_ENOUGH: Final = 0.2
_LIVE: Final = {"queued", "starting", "running", "stopping"}
_RUNS: Final = {"beyond": (60, 600, 660), "below": (8, 1, 660)}
"""Users, seconds in which they come, and seconds in all."""


@dataclass
class Proof:
    """What was seen, and what of it is not as it must be."""

    seen: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        return not self.wrong

    def lines(self) -> Iterator[str]:
        yield from self.seen
        yield from (f"WRONG: {one}" for one in self.wrong)


@dataclass(frozen=True)
class Desk:
    """Where the servers work."""

    folder: Path
    environ: dict[str, str]

    def ask(self, server: str, tool: str, **arguments: Any) -> dict[str, Any]:
        """The answer of a tool; long work is waited for."""
        return anyio.run(self._asked, server, tool, arguments)

    async def _asked(self, server: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        async def agree(*_: object) -> ElicitResult:
            return ElicitResult(action="accept", content={"agreed": True})

        program = str(Path(sys.executable).with_name(f"{server}-mcp"))
        parameters = StdioServerParameters(command=program, env={**os.environ, **self.environ})
        async with Client(stdio_client(parameters), elicitation_callback=agree, read_timeout_seconds=180) as client:
            while True:
                result = await client.call_tool(tool, arguments)
                if result.is_error or result.structured_content is None:
                    sys.exit(f"{tool}: {result.content}")
                found = dict(result.structured_content)
                if found.get("state") != "working" and found.get("status") != "working":
                    return dict(found.get("result") or found)

    def analysis(self, run_id: str, name: str) -> dict[str, Any]:
        file = self.folder / "artifacts" / run_id / "analysis" / f"{name}.json"
        return dict(json.loads(file.read_bytes()))


def prove_saturation(folder: Path) -> Proof:
    """Do all of it, in a folder that holds nothing else. Both runs go on at once: neither takes much of a processor."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with ThreadPoolExecutor() as both:
        proofs = list(both.map(lambda run_id: _prove(folder / run_id, run_id), _RUNS))
    return Proof([line for one in proofs for line in one.seen], [line for one in proofs for line in one.wrong])


def _prove(folder: Path, run_id: str) -> Proof:
    folder.mkdir()
    users, ramp_s, duration_s = _RUNS[run_id]
    proof = Proof()
    with started("shop", "--workers", str(WORKERS), "--service-ms", str(SERVICE_MS)) as shop:
        truth = httpx.get(f"{shop.control_url}/_truth", params={"think_ms": THINK_MS}).json()
        spec = DatadogSpec(hosts=(), services=(), shop_control_url=shop.control_url)
        with datadog.opened(spec) as service:
            desk = _desk(folder, service.environment)
            _run(desk, run_id, shop.url, {"users": users, "ramp": ramp_s, "duration": duration_s}, proof)
            _collect(desk, run_id)
    _analyse(desk, run_id)
    _judge(desk, run_id, float(truth["knee_users"]), users, proof)
    return proof


def _desk(folder: Path, environ: dict[str, str]) -> Desk:
    config = folder / "config"
    config.mkdir(exist_ok=True)
    hosts = [{"hostname": host} for host in HOSTS]
    environments = {"environments": {"shop": {"env_tag": "perf", "hosts": hosts}}}
    (config / "environments.yaml").write_text(json.dumps(environments), encoding="utf-8")
    own = {"PERFSUITE_ARTIFACTS_DIR": str(folder / "artifacts"), "PERFSUITE_CONFIG_DIR": str(config)}
    return Desk(folder, environ | own)


def _run(desk: Desk, run_id: str, url: str, load: dict[str, int], proof: Proof) -> None:
    plan = desk.folder / f"{run_id}.jmx"
    command = [str(Path(sys.executable).with_name("perfsuite")), "sandbox", "plan", "--think-ms", str(THINK_MS)]
    subprocess.run([*command, "--port", url.rpartition(":")[2], "--out", str(plan)], check=True)
    properties = {name: str(value) for name, value in load.items()}
    desk.ask("jmeter", "start_jmeter_test", plan=str(plan), run_id=run_id, properties=properties)
    while (status := desk.ask("jmeter", "get_jmeter_run_status", run_id=run_id, wait_s=45))["state"] in _LIVE:
        pass
    desk.ask("jmeter", "collect_jmeter_results", run_id=run_id)
    total = status["total"]
    proof.seen.append(f"{run_id}: {status['state']}, {load}, {total['samples']:,} samples, {total['errors']} errors")


def _collect(desk: Desk, run_id: str) -> None:
    desk.ask("datadog", "load_environment", environment="shop", run_id=run_id)
    desk.ask("datadog", "get_host_metrics", environment="shop", run_id=run_id)
    desk.ask("datadog", "get_logs", environment="shop", run_id=run_id)


def _analyse(desk: Desk, run_id: str) -> None:
    for tool in ("analyze_test_results", "analyze_environment_metrics", "correlate_test_results", "analyze_logs"):
        desk.ask("perfanalysis", tool, run_id=run_id)
    desk.ask("perfanalysis", "identify_bottlenecks", run_id=run_id)


def _judge(desk: Desk, run_id: str, full_at: float, users: int, proof: Proof) -> None:
    named = desk.analysis(run_id, "bottleneck_analysis")["bottlenecks"]
    proof.seen += [f"  {one['confidence']} {one['kind']} {one['subject']}: {one['text']}" for one in named]
    # That of the generator is true where the machine had other work to do, and says nothing about the service.
    found = [one for one in named if one["kind"] != "load_generator"]
    if users < full_at:
        proof.wrong += [f"{run_id}: {one['kind']} {one['subject']} was named" for one in found]
        return
    knee = desk.analysis(run_id, "correlation_analysis")["capacity"]["knee"]
    placed = {f"the knee ({knee['verdict']})": knee["users"]}
    placed |= {f"{one['kind']} {one['subject']}".strip(): (one["onset"] or {}).get("users") for one in found}
    proof.seen.append(f"  full at {full_at:g} users; placed at {placed}")
    if not any(one["kind"] == "cpu" and any(host in one["subject"] for host in HOSTS) for one in found):
        proof.wrong.append(f"{run_id}: no host was named for its CPU")
    if knee["users"] is None or abs(knee["users"] - full_at) > CLOSE_ENOUGH * full_at:
        proof.wrong.append(f"{run_id}: the knee is not within {CLOSE_ENOUGH:.0%} of {full_at:g} users: {knee}")
