"""A store of runs, an engine that is pretended or real, a target for the load, and nothing that outlives a test."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from perfsuite.artifacts import RunFolder, RunStore, sha256_of
from perfsuite.errors import PerfsuiteError
from perfsuite_jmeter.client.processes import free_udp_port, is_alive, launch
from perfsuite_jmeter.client.property_files import write_properties
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.models.runs import (
    SPEC,
    STATE,
    Graces,
    PlannedLoad,
    RunSpec,
    StartedRun,
    StartRequest,
    SupervisorState,
)
from perfsuite_jmeter.service.runs import Observed, observe
from perfsuite_jmeter.service.starting import start_run

PRETENDED = Path(__file__).with_name("pretend_jmeter.py")
QUICK = Graces(shutdown_s=0.6, stop_now_s=0.6, term_s=0.6)
PATIENCE_S = 60.0


def pretended_engine(folder: Path) -> Engine:
    """An engine whose Java is a script of ours."""
    java = folder / "java"
    java.write_text(f"#!{sys.executable}\n{PRETENDED.read_text(encoding='utf-8')}", encoding="utf-8")
    java.chmod(0o755)
    return Engine(source="packages", home=folder, version="5.5", java=java, java_version="17.0.15")


@dataclass
class Checks:
    """Checks that let everything pass, or raise what they are told to, and note what they were asked."""

    load: PlannedLoad = field(default_factory=lambda: PlannedLoad(users=2, duration_s=10))
    limit_s: float | None = None
    invalid: PerfsuiteError | None = None
    refused: PerfsuiteError | None = None
    asked: list[Any] = field(default_factory=list)

    def validate(self, plan: Path, properties: Mapping[str, str], remote_hosts: Sequence[str]) -> PlannedLoad:
        self.asked.append(("validate", plan, dict(properties), tuple(remote_hosts)))
        if self.invalid:
            raise self.invalid
        return self.load

    def guard(
        self, plan: Path, properties: Mapping[str, str], remote_hosts: Sequence[str], load: PlannedLoad
    ) -> float | None:
        self.asked.append(("guard", plan, dict(properties), tuple(remote_hosts), load))
        if self.refused:
            raise self.refused
        return self.limit_s


@dataclass
class Desk:
    """Starts runs and looks at them."""

    runs: RunStore
    plan: Path
    engine: Engine
    checks: Checks = field(default_factory=Checks)
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def start(self, run_id: str | None = "r1", properties: Mapping[str, str] | None = None, **more: Any) -> StartedRun:
        up_s = more.pop("up_s", PATIENCE_S)
        asked: dict[str, Any] = {"plan": self.plan, "run_id": run_id, "graces": QUICK, **more}
        request = StartRequest(properties=dict(properties or {}), **asked)
        return start_run(self.runs, request, self.engine, self.checks, environ=self.environ, up_s=up_s)

    def run(self, run_id: str = "r1") -> RunFolder:
        return self.runs.open(run_id)

    def seen(self, run_id: str = "r1") -> Observed:
        return observe(self.run(run_id))

    def state(self, run_id: str = "r1") -> str:
        return self.seen(run_id).condition.state

    def supervisor(self, run_id: str = "r1") -> SupervisorState:
        return self.run(run_id).load(STATE)

    def text(self, name: str, run_id: str = "r1") -> str:
        return (self.run(run_id).root / "jmeter" / name).read_text(encoding="utf-8")

    def ended(self, run_id: str = "r1", patience_s: float = PATIENCE_S) -> Observed:
        """The run, as soon as it has ended."""
        until(lambda: not self.seen(run_id).condition.is_live, patience_s)
        return self.seen(run_id)

    def clean_up(self) -> None:
        """End what a test left running, and only that."""
        for run in self.runs.runs():
            with suppress(PerfsuiteError):
                state = run.load(STATE)
                for process in (state.supervisor, state.java):
                    if process is not None and is_alive(process, state.boot_id):
                        os.kill(process.pid, signal.SIGKILL)

    def launch(self, properties: Mapping[str, str] | None = None, run_id: str = "r1", **changes: Any) -> RunFolder:
        """Start a supervisor alone, as `start_run` would."""
        run = self.runs.open_or_create(run_id)
        folder = run.root / "jmeter"
        folder.mkdir()
        write_properties(folder / "run.properties", dict(properties or {}))
        port = changes.setdefault("udp_port", free_udp_port())
        named = [f"{folder}/{name}" for name in ("test-results.csv", "jmeter.log", "run.properties")]
        flags = [part for pair in zip(("-l", "-j", "-q"), named, strict=True) for part in pair]
        ports = [f"-Jjmeterengine.nongui.{name}={port}" for name in ("port", "maxport")]
        command = self.engine.command(["-n", "-t", str(self.plan), *flags, *ports])
        facts: dict[str, Any] = {
            "run_id": run_id,
            "attempt": 1,
            "asked_at": datetime.now(UTC),
            "plan": str(self.plan),
            "plan_sha256": sha256_of(self.plan),
            "command": command,
            "cwd": str(folder),
            "graces": QUICK,
        }
        run.save(SPEC, RunSpec(**{**facts, **changes}))
        launch(run.path(SPEC), self.environ)
        return run

    def until_phase(self, *phases: str, run_id: str = "r1") -> SupervisorState:
        """What the supervisor notes, as soon as it has come so far."""
        run = self.run(run_id)
        until(lambda: run.path(STATE).exists() and run.load(STATE).phase in phases)
        return run.load(STATE)


@contextmanager
def desk_in(folder: Path, engine: Engine | None = None) -> Iterator[Desk]:
    """A desk with a plan, on which nothing is left running."""
    plan = folder / "plans" / "shop.jmx"
    plan.parent.mkdir()
    plan.write_text(PLAN, encoding="utf-8")
    (folder / "home").mkdir()
    desk = Desk(RunStore(folder / "artifacts"), plan, engine or pretended_engine(folder / "home"))
    try:
        yield desk
    finally:
        desk.clean_up()


def until(true: Callable[[], Any], patience_s: float = PATIENCE_S) -> None:
    """Look again and again until this is true; a test that waits in vain fails."""
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "it did not become true"
        threading.Event().wait(0.02)


class Target(ThreadingHTTPServer):
    """A service for the load. While it hangs, it takes requests and does not answer."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self) -> None:
        self.answering = threading.Event()
        self.answering.set()
        self.asked = threading.Event()
        self.paths: set[str] = set()
        self.tokens: set[str] = set()
        super().__init__(("127.0.0.1", 0), _Answers)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Answers(BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        self.server.paths.add(self.path)
        self.server.tokens.add(self.headers.get("X-Token", ""))
        self.server.asked.set()
        self.server.answering.wait(60)
        with suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        pass


@contextmanager
def target() -> Iterator[Target]:
    with Target() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.answering.set()
            server.shutdown()
            thread.join()


PLAN = """<?xml version="1.0" encoding="UTF-8"?>
<jmeterTestPlan version="1.2" properties="5.0" jmeter="5.5"><hashTree>
<TestPlan guiclass="TestPlanGui" testclass="TestPlan" testname="Plan" enabled="true"/><hashTree>
<ThreadGroup guiclass="ThreadGroupGui" testclass="ThreadGroup" testname="Users" enabled="true">
<stringProp name="ThreadGroup.on_sample_error">continue</stringProp>
<elementProp name="ThreadGroup.main_controller" elementType="LoopController">
<boolProp name="LoopController.continue_forever">false</boolProp>
<stringProp name="LoopController.loops">${__P(loops,-1)}</stringProp></elementProp>
<stringProp name="ThreadGroup.num_threads">${__P(threads,2)}</stringProp>
<stringProp name="ThreadGroup.ramp_time">0</stringProp>
<boolProp name="ThreadGroup.scheduler">true</boolProp>
<stringProp name="ThreadGroup.duration">${__P(duration,30)}</stringProp>
<stringProp name="ThreadGroup.delay">0</stringProp></ThreadGroup><hashTree>
<HTTPSamplerProxy guiclass="HttpTestSampleGui" testclass="HTTPSamplerProxy" testname="home" enabled="true">
<elementProp name="HTTPsampler.Arguments" elementType="Arguments"><collectionProp name="Arguments.arguments"/>
</elementProp><stringProp name="HTTPSampler.domain">127.0.0.1</stringProp>
<stringProp name="HTTPSampler.port">${__P(port,1)}</stringProp>
<stringProp name="HTTPSampler.protocol">http</stringProp>
<stringProp name="HTTPSampler.path">/${__P(path,)}</stringProp>
<stringProp name="HTTPSampler.method">GET</stringProp>
<boolProp name="HTTPSampler.use_keepalive">true</boolProp></HTTPSamplerProxy><hashTree>
<HeaderManager guiclass="HeaderPanel" testclass="HeaderManager" testname="Headers" enabled="true">
<collectionProp name="HeaderManager.headers"><elementProp name="" elementType="Header">
<stringProp name="Header.name">X-Token</stringProp>
<stringProp name="Header.value">${__P(token,none)}</stringProp></elementProp></collectionProp></HeaderManager>
<hashTree/>
<ConstantTimer guiclass="ConstantTimerGui" testclass="ConstantTimer" testname="Think" enabled="true">
<stringProp name="ConstantTimer.delay">20</stringProp></ConstantTimer><hashTree/>
</hashTree></hashTree></hashTree></hashTree></jmeterTestPlan>
"""


def steps(desk: Desk, run_id: str = "r1") -> dict[str, str]:
    """The steps of the stage that the ledger knows, and what came of each."""
    return {one.step: one.state for one in desk.run(run_id).record().ledger if one.stage == "jmeter"}


def state_file(run: RunFolder, **changes: Any) -> None:
    """Change what the supervisor is said to have noted."""
    path = run.path(STATE)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}), encoding="utf-8")
