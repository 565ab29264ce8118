"""The supervisor of a run: what it notes while Java lives, and when it has ended."""

import ast
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jmeter.running import Desk, desk_in, until
from perfsuite.errors import StorageFailed
from perfsuite_jmeter.client import processes, supervisor
from perfsuite_jmeter.client.supervisor import start_time
from perfsuite_jmeter.models.runs import FOLDER, HEALTH_COLUMNS, LOCK_FILE, STATE

MOST_MEMORY_KB = 40 * 1024


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as found:
        yield found


def status_of(pid: int, key: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{key}:"))


def test_it_imports_the_standard_library_alone() -> None:
    tree = ast.parse(Path(supervisor.__file__).read_text(encoding="utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names


def test_its_columns_are_those_that_readers_expect() -> None:
    assert ",".join(HEALTH_COLUMNS) + "\n" == supervisor.HEALTH_HEADER


def test_a_run_that_goes_well_is_noted_from_its_first_line_to_its_exit_code(desk: Desk) -> None:
    desk.launch({"seconds": "1"})
    state = desk.until_phase("ended")
    assert (state.exit_code, state.end_of_run, state.failure, state.stop) == (0, True, None, None)
    assert state.test_started_at is not None
    assert state.test_started_at.timestamp() == pytest.approx(1795233550.255)
    assert state.ended_at is not None
    assert state.ended_at >= state.started_at
    assert desk.state() == "finished"
    assert "... end of run" in desk.text("console.log")


def test_it_has_a_session_of_its_own_and_nobody_s_ear(desk: Desk) -> None:
    desk.launch()
    state = desk.until_phase("running")
    assert state.java is not None
    own, java = state.supervisor.pid, state.java.pid
    assert os.getsid(own) != os.getsid(0)
    assert os.getsid(java) == os.getsid(own)
    assert os.getpgid(java) == java
    assert status_of(own, "PPid") != str(os.getpid())
    assert Path(f"/proc/{own}/fd/0").readlink() == Path("/dev/null")
    assert Path(f"/proc/{java}/fd/0").readlink() == Path("/dev/null")
    assert Path(f"/proc/{java}/fd/1").readlink() == desk.run().root / "jmeter" / "console.log"


def test_it_leaves_no_zombie_to_whoever_started_it(desk: Desk) -> None:
    desk.launch({"seconds": "0.3"})
    desk.until_phase("ended")
    own = subprocess.run(["ps", "-o", "stat=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False)
    assert not [status for status in own.stdout.split() if status.startswith("Z")]


def test_it_is_small(desk: Desk) -> None:
    desk.launch()
    state = desk.until_phase("running")
    assert int(status_of(state.supervisor.pid, "VmHWM")) <= MOST_MEMORY_KB


def test_a_hang_up_and_ctrl_c_elsewhere_do_not_reach_it(desk: Desk) -> None:
    desk.launch({"seconds": "2"})
    state = desk.until_phase("running")
    os.kill(state.supervisor.pid, signal.SIGHUP)
    state = desk.until_phase("ended")
    assert (state.exit_code, state.stop) == (0, None)


def test_the_health_of_the_generator_is_sampled(desk: Desk) -> None:
    desk.launch({"seconds": "5"})
    desk.until_phase("ended")
    header, *rows = desk.text("generator_health.csv").splitlines()
    assert header == ",".join(HEALTH_COLUMNS)
    first = dict(zip(HEALTH_COLUMNS, rows[0].split(","), strict=True))
    assert len(rows) >= 2
    assert 0 <= float(first["java_cpu_pct"]) <= float(first["machine_cpu_pct"]) + 10 <= 110
    assert float(first["rss_mb"]) > 1
    assert int(first["threads"]) >= 1
    assert first["timestamp_utc"].endswith("Z")
    # What is not a JVM has no garbage collections.
    assert (first["gc_pct"], first["heap_used_mb"]) == ("", "")


def test_a_program_that_does_not_exist_is_why_it_failed(desk: Desk) -> None:
    desk.launch(command=("/nowhere/java", "-n"))
    state = desk.until_phase("ended")
    assert (state.java, state.exit_code) == (None, None)
    assert state.failure == "JMeter cannot be started: /nowhere/java: No such file or directory."
    assert desk.state() == "failed"


@pytest.mark.parametrize(
    ("says", "failure"),
    [
        (
            "Creating summariser|Error in NonGUIDriver X: Problem loading XML from:'shop.jmx'. |Cause:"
            "|CannotResolveClassException: FooTimer||An error occurred: Error in NonGUIDriver",
            "Error in NonGUIDriver X: Problem loading XML from:'shop.jmx'. CannotResolveClassException: FooTimer "
            "An error occurred: Error in NonGUIDriver",
        ),
        ("Error occurred during initialization of VM|Could not reserve enough space", None),
        ("Error: Unable to access jarfile /nowhere.jar", "Error: Unable to access jarfile /nowhere.jar"),
    ],
)
def test_the_lines_that_say_why_are_the_failure(desk: Desk, says: str, failure: str | None) -> None:
    desk.launch({"mode": "die", "says": says})
    state = desk.until_phase("ended")
    assert state.failure == (failure or says.replace("|", " "))
    assert state.exit_code == 1


def test_a_silent_end_is_explained_by_the_last_error_of_the_log(desk: Desk) -> None:
    logs = "2026-11-21 07:46:59,250 ERROR o.a.j.JMeter: first|  at x|2026-11-21 07:46:59,259 ERROR o.a.j.JMeter: last|"
    desk.launch({"mode": "die", "says": "hello", "logs": logs})
    assert desk.until_phase("ended").failure == "ERROR o.a.j.JMeter: last"


def test_an_end_without_any_line_says_the_exit_code(desk: Desk) -> None:
    desk.launch({"mode": "die", "says": "hello", "code": "3"})
    assert desk.until_phase("ended").failure is None
    assert desk.seen().condition.reason == "JMeter ended with exit code 3. Nothing was measured."


def test_exit_code_0_alone_is_no_success(desk: Desk) -> None:
    desk.launch({"mode": "die", "says": "Incorrect Usage", "code": "0"})
    desk.until_phase("ended")
    assert (desk.state(), desk.seen().condition.reason) == ("failed", "Incorrect Usage")


def test_lines_of_any_length_and_bytes_do_not_disturb_it(desk: Desk) -> None:
    desk.launch({"mode": "die", "says": f"{'x' * 2_000_000}|Error: \xff" + "y" * 5000, "code": "0"})
    failure = desk.until_phase("ended").failure
    assert failure is not None
    assert failure.startswith("Error: ")
    assert len(failure) <= 500


def test_java_that_is_killed_is_a_failure_and_keeps_what_was_measured(desk: Desk) -> None:
    desk.launch()
    state = desk.until_phase("running")
    assert state.java is not None
    until(lambda: desk.seen().facts.has_samples)
    os.kill(state.java.pid, signal.SIGKILL)
    assert desk.until_phase("ended").exit_code == -9
    assert desk.state() == "failed"
    assert "killed by the signal KILL" in desk.seen().condition.reason
    assert "is kept" in desk.seen().condition.reason


def test_a_taken_port_ends_the_test_at_once(desk: Desk) -> None:
    desk.launch({"mode": "port_taken"})
    state = desk.until_phase("ended")
    assert state.port_taken
    assert state.failure == f"The UDP port {state.udp_port} is taken."
    assert desk.state() == "failed"


def test_a_plan_that_was_changed_after_it_was_checked_is_not_run(desk: Desk) -> None:
    desk.launch(plan_sha256="0" * 64)
    desk.until_phase("ended")
    assert desk.state() == "failed"
    assert desk.seen().condition.reason.startswith("The plan was changed while JMeter started")


def test_a_plan_that_vanished_is_not_run(desk: Desk) -> None:
    desk.launch(plan="/nowhere/shop.jmx")
    desk.until_phase("ended")
    assert desk.seen().condition.reason == "/nowhere/shop.jmx: No such file or directory."


def test_results_that_cannot_grow_end_the_test(desk: Desk) -> None:
    desk.launch({"mode": "torn"})
    state = desk.until_phase("ended")
    assert (state.stop and state.stop.by, state.failure) == ("supervisor", supervisor.TORN)
    assert desk.state() == "failed"


def test_results_that_end_torn_are_no_success(desk: Desk) -> None:
    desk.launch({"mode": "torn", "seconds": "0.3"})
    assert desk.until_phase("ended").failure == supervisor.TORN
    assert desk.state() == "failed"


def test_the_file_of_secrets_is_gone_as_soon_as_jmeter_is_up(desk: Desk) -> None:
    secrets = desk.runs.root / "r1" / "jmeter" / "secrets.properties"
    desk.launch({"secret": "x"}, secrets_file="jmeter/secrets.properties")
    secrets.touch()
    desk.until_phase("running")
    until(lambda: not secrets.exists())


def test_the_file_of_secrets_is_gone_if_jmeter_never_came_up(desk: Desk) -> None:
    desk.launch(command=("/nowhere/java",), secrets_file="jmeter/run.properties")
    desk.until_phase("ended")
    assert not (desk.run().root / "jmeter" / "run.properties").exists()


def test_a_second_supervisor_leaves_the_run_to_the_first(desk: Desk) -> None:
    run = desk.launch()
    first = desk.until_phase("running")
    processes.launch(run.root / "jmeter" / "run-spec.json", desk.environ)
    desk.launch({"seconds": "0"}, run_id="other")
    desk.until_phase("ended", run_id="other")
    assert desk.supervisor().supervisor == first.supervisor
    assert processes.is_locked(run.root / FOLDER / LOCK_FILE)


def test_a_state_that_no_disk_takes_is_tried_again_until_it_does(desk: Desk) -> None:
    run = desk.launch({"seconds": "30"})
    desk.until_phase("running")
    # What stands in the way of the new file is refused like one that a full disk refuses.
    hindrance = run.root / FOLDER / ".state.json.new"
    until(lambda: _made(hindrance))
    (run.root / FOLDER / "stop-request.json").write_text("{}", encoding="utf-8")
    # The room that was kept for the last note is given up.
    until(lambda: (run.root / FOLDER / LOCK_FILE).stat().st_size == 0)
    assert run.load(STATE).phase == "running"
    hindrance.rmdir()
    assert desk.until_phase("ended").exit_code == 0


def _made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def test_a_health_file_that_cannot_be_written_ends_the_test(desk: Desk) -> None:
    run = desk.launch()
    desk.until_phase("running")
    health = run.root / FOLDER / "generator_health.csv"
    until(health.exists)
    health.unlink()
    health.mkdir()
    desk.until_phase("ended")
    assert "generator_health.csv: Is a directory." in desk.seen().condition.reason


def test_processes_are_told_apart_by_their_start(tmp_path: Path) -> None:
    own = start_time(os.getpid())
    assert own is not None
    assert own == start_time(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        for proc in (supervisor.PROC, tmp_path / "no-proc"):
            assert start_time(child.pid, proc) not in (None, start_time(os.getppid(), proc))
        child.kill()
        until(lambda: start_time(child.pid) is None)
        # It is a zombie, for nobody has waited for it.
        assert Path(f"/proc/{child.pid}").exists()
        assert start_time(child.pid, tmp_path / "no-proc") is None
    assert start_time(child.pid) is None
    assert start_time(child.pid, tmp_path / "no-proc") is None


def test_a_supervisor_that_cannot_be_started_is_an_error(desk: Desk) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        with pytest.raises(StorageFailed, match=r"could not be started: .*Too many open files"):
            processes.launch(desk.runs.root / "r1" / "jmeter" / "run-spec.json", desk.environ)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
