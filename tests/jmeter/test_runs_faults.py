"""What can go wrong, with the real JMeter."""

import csv
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jmeter.running import Desk, Target, desk_in, target, until
from perfsuite.errors import BadInput
from perfsuite_jmeter.client.engines.columns import RESULT_HEADER
from perfsuite_jmeter.client.processes import free_udp_port
from perfsuite_jmeter.client.supervisor import TORN
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.models.runs import FOLDER, Graces, PlannedLoad
from perfsuite_jmeter.service.runs import stop_run

CANARY = "c4n4ry-0f-th3-r34l-run"
PATIENT = Graces(shutdown_s=5, stop_now_s=5, term_s=5)
LATER = 60.0

STARTING = """
import os, sys
from pathlib import Path
from jmeter.running import Desk, RunStore
from perfsuite_jmeter.models.engine import Engine
root, plan, engine, port = sys.argv[1:]
desk = Desk(RunStore(Path(root)), Path(plan), Engine.model_validate_json(engine))
print(desk.start(properties={"port": port}).state, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def desk(tmp_path: Path, engine: Engine) -> Iterator[Desk]:
    with desk_in(tmp_path, engine) as found:
        yield found


@pytest.fixture
def shop() -> Iterator[Target]:
    with target() as found:
        yield found


def rows(desk: Desk) -> list[dict[str, str]]:
    # A test may run before JMeter has opened the file for its first sample.
    path = desk.run("r1").root / "jmeter" / "test-results.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def start(desk: Desk, shop: Target, **properties: str) -> None:
    assert desk.start(properties={"port": str(shop.port), **properties}, graces=PATIENT).state == "running"
    assert shop.asked.wait(LATER)


def kill(desk: Desk, *, supervisor: bool = False, java: bool = False) -> None:
    state = desk.supervisor()
    assert state.java is not None
    for process, wanted in ((state.supervisor, supervisor), (state.java, java)):
        if wanted:
            os.kill(process.pid, signal.SIGKILL)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_real_run_ends_well_and_its_secret_reaches_the_target_alone(desk: Desk, shop: Target) -> None:
    desk.environ["SHOP_TOKEN"] = CANARY
    asked = {"port": str(shop.port), "duration": "5"}
    desk.start(properties=asked, secret_properties={"token": "SHOP_TOKEN"})
    state = desk.supervisor()
    assert state.java is not None
    commands = [Path(f"/proc/{one.pid}/cmdline").read_bytes() for one in (state.supervisor, state.java)]
    seen = desk.ended(patience_s=LATER)
    assert (seen.condition.state, shop.tokens) == ("finished", {CANARY})
    assert desk.text("test-results.csv").startswith(RESULT_HEADER)
    assert {row["success"] for row in rows(desk)} == {"true"}
    assert not [command for command in commands if CANARY.encode() in command]
    written = [path for path in desk.runs.root.rglob("*") if path.is_file()]
    assert {"console.log", "jmeter.log"} <= {path.name for path in written}
    assert not [path for path in written if CANARY.encode() in path.read_bytes()]
    health = list(csv.DictReader(desk.text("generator_health.csv").splitlines()))
    assert float(health[-1]["gc_pct"]) >= 0
    assert float(health[-1]["heap_used_mb"]) > 1


def test_a_run_outlives_the_server_that_started_it_and_ctrl_c_in_its_terminal(desk: Desk, shop: Target) -> None:
    command = [sys.executable, "-c", STARTING, str(desk.runs.root), str(desk.plan)]
    command += [desk.engine.model_dump_json(), str(shop.port)]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ,
        start_new_session=True,
    )  # fmt: skip
    with server:
        assert server.stdout is not None
        assert server.stdout.readline() == "running\n"
        before = desk.supervisor()
        os.killpg(server.pid, signal.SIGINT)
        server.kill()
    measured = len(rows(desk))
    until(lambda: len(rows(desk)) > measured)
    assert (desk.state(), desk.supervisor()) == ("running", before)
    assert stop_run(desk.runs, "r1").reached == "Shutdown"


def test_a_target_that_is_down_gives_errors_and_an_end(desk: Desk) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        desk.start(properties={"port": str(nobody.getsockname()[1]), "loops": "3"})
        assert desk.ended(patience_s=LATER).condition.state == "finished"
    assert {row["success"] for row in rows(desk)} == {"false"}


def test_a_target_that_hangs_takes_stop_test_now(desk: Desk, shop: Target) -> None:
    shop.answering.clear()
    desk.start(properties={"port": str(shop.port)}, graces=Graces(shutdown_s=1, stop_now_s=10))
    assert shop.asked.wait(LATER)
    stopped = stop_run(desk.runs, "r1")
    assert (stopped.state, stopped.reached) == ("stopped", "StopTestNow")


def test_results_that_no_disk_takes_end_the_test_and_are_why(desk: Desk, shop: Target) -> None:
    with file_size_limit(16 * 1024):
        start(desk, shop, threads="10")
        seen = desk.ended(patience_s=LATER)
    assert (seen.condition.state, seen.condition.reason) == ("failed", TORN)
    assert seen.facts.torn
    state = desk.supervisor()
    assert state.stop is not None
    assert (state.stop.by, state.exit_code) == ("supervisor", 0)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_ends_the_test_and_the_state_is_still_written(tmp_path: Path, engine: Engine, shop: Target) -> None:
    with small_disk(tmp_path / "artifacts"), desk_in(tmp_path, engine) as desk:
        start(desk, shop, threads="50")
        seen = desk.ended(patience_s=LATER)
        assert seen.condition.state == "failed"
        assert "No space left" in seen.condition.reason or seen.condition.reason == TORN
        assert desk.supervisor().exit_code == 0
        assert len(rows(desk)) > 100


def test_a_port_that_was_taken_meanwhile_is_noticed(desk: Desk, shop: Target) -> None:
    port = free_udp_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        desk.launch({"port": str(shop.port)}, udp_port=port)
        state = desk.until_phase("ended")
    assert (state.port_taken, state.failure) == (True, f"The UDP port {port} is taken.")


def test_a_plan_with_an_unknown_class_says_which(desk: Desk) -> None:
    desk.plan.write_text(desk.plan.read_text(encoding="utf-8").replace("ConstantTimer", "FooTimer"), encoding="utf-8")
    with pytest.raises(
        BadInput, match=r"ended before the plan 'shop.jmx' ran: .*CannotResolveClassException: FooTimer"
    ):
        desk.start()


def test_a_plan_without_thread_groups_is_no_success(desk: Desk) -> None:
    text = desk.plan.read_text(encoding="utf-8")
    desk.plan.write_text(text.replace('testname="Users" enabled="true"', 'testname="Users" enabled="false"'))
    desk.start()
    seen = desk.ended(patience_s=LATER)
    assert (seen.condition.state, "Not one sample" in seen.condition.reason) == ("failed", True)


def test_a_stop_while_jmeter_starts_ends_it_before_any_load(desk: Desk, shop: Target) -> None:
    desk.launch({"port": str(shop.port)})
    until(lambda: desk.until_phase("starting", "running").java is not None)
    stopped = stop_run(desk.runs, "r1")
    assert (stopped.state, stopped.reached) == ("stopped", "TERM")
    assert not shop.asked.is_set()


def test_the_time_limit_ends_a_real_test(desk: Desk, shop: Target) -> None:
    desk.checks.limit_s, desk.checks.load = 1, PlannedLoad()
    start(desk, shop)
    reason = desk.ended(patience_s=LATER).condition.reason
    assert reason == "Stopped by the time limit of 1 s; Shutdown ended it. What was measured until then is kept."


def test_java_that_is_killed_keeps_every_row_that_was_written(desk: Desk, shop: Target) -> None:
    start(desk, shop)
    until(lambda: len(rows(desk)) > 10)
    kill(desk, java=True)
    seen = desk.ended()
    assert (seen.condition.state, desk.supervisor().exit_code) == ("failed", -9)
    assert len(rows(desk)) > 10


def test_a_real_run_is_found_and_stopped_after_its_supervisor_was_killed(desk: Desk, shop: Target) -> None:
    start(desk, shop)
    kill(desk, supervisor=True)
    until(lambda: not desk.seen().facts.supervisor_alive)
    assert desk.state() == "running"
    assert stop_run(desk.runs, "r1").reached == "Shutdown"
    assert desk.text("console.log").rstrip().endswith("... end of run")


def test_a_run_that_was_killed_whole_is_interrupted_and_can_be_repeated(desk: Desk, shop: Target) -> None:
    start(desk, shop)
    until(lambda: len(rows(desk)) > 10)
    kill(desk, supervisor=True, java=True)
    until(lambda: desk.state() == "interrupted")
    desk.start(properties={"port": str(shop.port), "loops": "2"}, rerun=True)
    assert desk.ended(patience_s=LATER).condition.state == "finished"
    assert len(rows(desk)) == 4
    assert (desk.run().root / FOLDER / "attempts" / "1" / "test-results.csv").stat().st_size > 1000


def test_a_plan_finds_its_data_beside_it_and_no_properties_that_nobody_checked(desk: Desk, shop: Target) -> None:
    data = (
        '<CSVDataSet guiclass="TestBeanGUI" testclass="CSVDataSet" testname="Data" enabled="true">'
        '<stringProp name="filename">pages.csv</stringProp><stringProp name="variableNames">page</stringProp>'
        '<stringProp name="delimiter">,</stringProp><boolProp name="recycle">true</boolProp>'
        '<stringProp name="shareMode">shareMode.all</stringProp></CSVDataSet><hashTree/>'
    )
    text = desk.plan.read_text(encoding="utf-8").replace("<HeaderManager", f"{data}<HeaderManager", 1)
    desk.plan.write_text(text.replace("/${__P(path,)}", "/${page}/${__P(path,)}"), encoding="utf-8")
    desk.plan.with_name("pages.csv").write_text("from-data\n", encoding="utf-8")
    desk.plan.with_name("user.properties").write_text("path=unchecked\n", encoding="utf-8")
    desk.start(properties={"port": str(shop.port), "loops": "1"})
    assert desk.ended(patience_s=LATER).condition.state == "finished"
    assert shop.paths == {"/from-data/"}
