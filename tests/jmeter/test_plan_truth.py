"""What is said of a plan before it runs is what the real JMeter then does."""

import csv
import io
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from jmeter import jmx
from jmeter.test_plan_expressions import SCOPE, TRUTH
from perfsuite.configuration import Loaded
from perfsuite_jmeter.client.loading import load_plan
from perfsuite_jmeter.client.property_files import write_properties
from perfsuite_jmeter.core.guardrails import GuardRails
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.models.plan import PlanCheck
from perfsuite_jmeter.service.plans import Judged, Question, judge, validate_test_plan

STARTING = re.compile(r"Starting (-?\d+) threads for group (.*)\.$", re.MULTILINE)
ANYTHING = Loaded(GuardRails(allowed_hosts=("*",)), Path("guardrails.yaml"), (Path("guardrails.yaml"),))


@dataclass(frozen=True)
class Ran:
    """What JMeter did."""

    judged: Judged
    samples: list[dict[str, str]]
    users: dict[str, int]

    @property
    def labels(self) -> list[str]:
        return [one["label"] for one in self.samples]


def run(engine: Engine, folder: Path, plan: bytes, given: dict[str, str] | None = None) -> Ran:
    """Judge a plan, and then run it."""
    path = folder / "plan.jmx"
    path.write_bytes(plan)
    write_properties(folder / "given.properties", given or {})
    judged = judge(Question(path, given or {}), ANYTHING, engine)
    ports = ("-Jjmeterengine.nongui.port=0", "-Jjmeterengine.force.system.exit=true")
    saved = ("-Jjmeter.save.saveservice.output_format=csv", "-Jjmeter.save.saveservice.url=true")
    command = engine.command(
        ["-n", "-t", "plan.jmx", "-l", "out.csv", "-j", "log", "-q", "given.properties", *ports, *saved]
    )
    ended = subprocess.run(
        command, cwd=folder, env=engine.environment(os.environ), capture_output=True, text=True, timeout=60, check=False
    )
    assert "... end of run" in ended.stdout, ended.stdout + ended.stderr
    samples = list(csv.DictReader(io.StringIO((folder / "out.csv").read_text(encoding="utf-8"))))
    started = {name: int(count) for count, name in STARTING.findall((folder / "log").read_text(encoding="utf-8"))}
    return Ran(judged, samples, started)


def test_references_become_what_jmeter_makes_of_them(engine: Engine, tmp_path: Path) -> None:
    variables = {name: str(value) for name, value in SCOPE.variables.items() if name != "EV"}
    # A variable keeps a reference only if it was escaped, which it is only beside another reference.
    own = jmx.variables({**variables, "EV": r"<\${A}>${empty}"})
    plan = jmx.plan(own, jmx.group(*map(jmx.debug, TRUTH)), variables={"empty": ""})
    ran = run(engine, tmp_path, plan, dict(SCOPE.properties))
    assert dict(zip(TRUTH, ran.labels, strict=True)) == TRUTH


def test_users_and_borrowed_parts_are_those_that_run(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "other.jmx").write_bytes(
        jmx.plan(
            jmx.debug("beside"), jmx.fragment(jmx.variables({"v": "inc"}), jmx.debug("included ${v}"), enabled="false")
        )
    )
    library = jmx.group(jmx.controller(jmx.debug("library"), name="lib"), name="Off", enabled="false")
    numbers = ["5", " 5 ", "+5", "-5", "5.0", "1_0", "", "${__P(given,1)}", "${v}", "99999999999"]
    groups = [jmx.group(jmx.debug("n"), name=f"N{at}", users=number) for at, number in enumerate(numbers)]
    cells = "".join(jmx.text(str(at), cell) for at, cell in enumerate(("3", "0", "0", "1", "0")))
    row = f'<collectionProp name="r">{cells}</collectionProp>'
    schedule = jmx.text("OpenModelThreadGroup.schedule", "rate(20/s) even_arrivals(2 s) rate(20/s)")
    schedule += '<elementProp name="ThreadGroup.main_controller" elementType="OpenModelThreadGroupController"/>'
    plan = jmx.plan(
        library,
        jmx.fragment(jmx.debug("fragment"), jmx.group(jmx.debug("lost"), name="InFragment"), name="F"),
        jmx.group(
            jmx.include("other.jmx"),
            jmx.module("Plan", "Off", "lib"),
            jmx.module("Plan", "F"),
            jmx.fragment(jmx.debug("inner fragment")),
            name="Borrowing",
        ),
        jmx.controller(jmx.debug("never"), jmx.group(jmx.debug("nested"), name="Nested")),
        *groups,
        jmx.element(
            "kg.apc.jmeter.threads.UltimateThreadGroup",
            "Ultimate",
            f'<collectionProp name="ultimatethreadgroupdata">{row}</collectionProp>{jmx.loop("1")}',
            jmx.debug("u"),
        ),
        jmx.element("OpenModelThreadGroup", "Open", schedule, jmx.debug("open"), guiclass="OpenModelThreadGroupGui"),
    )
    ran = run(engine, tmp_path, plan, {"given": "4"})
    told = {one.name: one.users for one in ran.judged.facts.groups if one.kind != "OpenModelThreadGroup"}
    assert told == {name: max(0, users) for name, users in ran.users.items() if name != "Open"}
    labels = Counter(ran.labels)
    open_model = next(one for one in ran.judged.facts.groups if one.name == "Open")
    assert open_model.users is not None
    assert open_model.users - 1 <= labels["open"] <= open_model.users
    assert labels["included inc"] == labels["library"] == labels["nested"] == 1
    assert labels["beside"] == labels["never"] == 0


class Listening:
    """Ears on several addresses of this machine, with what each heard."""

    def __init__(self) -> None:
        self.heard: set[str] = set()
        self.servers: list[ThreadingHTTPServer] = []

    def open(self, addresses: list[str]) -> int:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.heard.add(str(self.connection.getsockname()[0]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Nobody reads it."""

        port = 0
        for address in addresses:
            server = ThreadingHTTPServer((address, port), Handler)
            port = server.server_port
            self.servers.append(server)
            Thread(target=server.serve_forever, daemon=True).start()
        return port


@pytest.fixture
def listening() -> Iterator[Listening]:
    ears = Listening()
    yield ears
    for server in ears.servers:
        server.shutdown()
        server.server_close()


def test_hosts_are_those_that_are_hit(engine: Engine, tmp_path: Path, listening: Listening) -> None:
    port = str(listening.open([f"127.0.0.{last}" for last in range(1, 10)]))
    url = f"http://127.0.0.3:{port}/"
    plan = jmx.plan(
        jmx.defaults(domain="127.0.0.1", port=port),
        jmx.variables({"host": "127.0.0.2"}),
        jmx.http("beside", domain="${__P(beside,127.0.0.9)}"),
        jmx.group(
            jmx.http("inherits", path="/"),
            jmx.http("variable", domain="${host}", path="/"),
            jmx.http("url", domain="127.0.0.8", path=url),
            jmx.http("own", path="/", children=jmx.defaults(domain="127.0.0.4")),
            jmx.controller(
                jmx.http("near", path="/"), jmx.defaults(domain="127.0.0.5"), jmx.defaults(domain="127.0.0.8")
            ),
            jmx.http("other panel", path="/", children=jmx.defaults("TCPConfigGui", domain="127.0.0.8")),
            jmx.http("short", domain="127.6", path="/"),
            jmx.http("upper", domain="127.0.0.7", path="HTTP://127.0.0.8/"),
        ),
    )
    ran = run(engine, tmp_path, plan.replace(b"127.6", b"127.0.6"))
    told = {one.host for one in ran.judged.targets}
    assert told == {*(f"127.0.0.{last}" for last in (1, 2, 3, 4, 5, 7, 9)), "127.0.6"}
    assert listening.heard == {f"127.0.0.{last}" for last in (1, 2, 3, 4, 5, 6, 7, 9)}
    assert all(one.allowed for one in ran.judged.targets)


def test_a_data_file_overrides_a_variable_by_its_header(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text("host\nother.example\n", encoding="utf-8")
    plan = jmx.plan(
        jmx.variables({"host": "localhost"}),
        jmx.csv("hosts.csv"),
        jmx.group(jmx.debug("${host}")),
        jmx.group(jmx.http(domain="${host}"), users="0", name="Nobody"),
    )
    ran = run(engine, tmp_path, plan)
    assert [one.host for one in ran.judged.targets] == [None]
    assert ran.labels == ["other.example"]


def test_the_verdict_of_jmeter_is_part_of_the_answer(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "plan.jmx"

    def check(*children: str) -> PlanCheck:
        path.write_bytes(jmx.plan(*children))
        return validate_test_plan(Question(path, {}), ANYTHING, engine, partial(load_plan, engine, work=tmp_path))

    good = check(jmx.group(jmx.debug()))
    assert (good.valid, good.loaded and good.loaded.ok) == (True, True)
    unknown = check(jmx.group(jmx.element("com.example.OddSampler", "x")))
    assert unknown.loaded is not None
    assert not unknown.valid
    assert not unknown.loaded.ok
    assert "com.example.OddSampler" in " ".join(unknown.loaded.lines)
    assert [one.class_name for one in unknown.missing_classes] == ["com.example.OddSampler"]
    ultimate = check(jmx.element("kg.apc.jmeter.threads.UltimateThreadGroup", "u", "", jmx.debug()))
    assert ultimate.missing_classes == []
