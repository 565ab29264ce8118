"""Stopping a run: by its supervisor, or in place of one that died, and never anybody else's process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jmeter.running import Desk, desk_in, state_file, until
from perfsuite.artifacts.locks import holding
from perfsuite.errors import Conflict, NotFound, NotReady
from perfsuite_jmeter.client import processes
from perfsuite_jmeter.models.runs import STATE, StoppedRun
from perfsuite_jmeter.service.runs import START_LOCK, stop_run


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as found:
        yield found


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as found:
        yield found
        found.kill()


def stop(desk: Desk, wait_s: float = 15) -> StoppedRun:
    return stop_run(desk.runs, "r1", wait_s=wait_s)


def kill_supervisor(desk: Desk) -> None:
    os.kill(desk.supervisor().supervisor.pid, signal.SIGKILL)
    until(lambda: not desk.seen().facts.supervisor_alive)


def kill_java(desk: Desk) -> None:
    java = desk.supervisor().java
    assert java is not None
    os.kill(java.pid, signal.SIGKILL)
    until(lambda: not desk.seen().facts.java_alive)


def test_a_run_is_stopped_the_gentle_way_and_keeps_what_was_measured(desk: Desk) -> None:
    desk.start()
    until(lambda: desk.seen().facts.has_samples)
    stopped = stop(desk)
    assert (stopped.state, stopped.reached) == ("stopped", "Shutdown")
    assert stopped.reason == "Stopped by the user; Shutdown ended it. What was measured until then is kept."
    assert stopped.next_step == "Call `collect_jmeter_results`."
    assert stopped.ended_at is not None
    assert not desk.seen().facts.java_alive


def test_a_run_that_was_stopped_or_has_ended_is_left_as_it_is(desk: Desk) -> None:
    desk.start()
    first = stop(desk)
    assert stop(desk) == first
    desk.start(properties={"seconds": "0.2"}, rerun=True)
    desk.ended()
    done = stop(desk)
    assert (done.state, done.reached) == ("finished", None)
    assert not (desk.run().root / "jmeter" / "stop-request.json").exists()


def test_two_who_stop_at_once_walk_the_ladder_once(desk: Desk) -> None:
    desk.start(properties={"obeys": "TERM"})
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: stop(desk), range(2)))
    assert found[0] == found[1]
    assert desk.text("console.log").count("'Shutdown' received") == 1


def test_a_stop_that_takes_longer_is_waited_for_by_the_next_call(desk: Desk) -> None:
    desk.start(properties={"obeys": "KILL"})
    first = stop(desk, wait_s=0)
    assert (first.state, "again to wait on" in first.next_step) == ("stopping", True)
    assert stop(desk).reached == "KILL"


def test_a_run_goes_on_when_its_supervisor_is_killed_and_can_still_be_stopped(desk: Desk) -> None:
    desk.start()
    kill_supervisor(desk)
    seen = desk.seen()
    assert (seen.condition.state, "supervisor died" in seen.condition.reason) == ("running", True)
    with pytest.raises(Conflict, match="is running"):
        desk.start(rerun=True)
    stopped = stop(desk)
    assert (stopped.state, stopped.reached) == ("stopped", "Shutdown")
    assert stopped.reason == (
        "Stopped by Shutdown after its supervisor had died. What was measured until then is kept."
    )
    assert desk.run().load(STATE).phase == "running"
    assert desk.start(properties={"seconds": "0.1"}, rerun=True).attempt == 2


@pytest.mark.parametrize("obeys", ["StopTestNow", "TERM", "KILL"])
def test_the_ladder_is_walked_in_place_of_a_dead_supervisor(desk: Desk, obeys: str) -> None:
    desk.start(properties={"obeys": obeys})
    kill_supervisor(desk)
    assert stop(desk, wait_s=0.1).state == "stopping"
    assert stop(desk).reached == obeys


def test_a_run_whose_processes_were_both_killed_is_interrupted(desk: Desk) -> None:
    desk.start()
    until(lambda: desk.seen().facts.has_samples)
    kill_supervisor(desk)
    kill_java(desk)
    stopped = stop(desk)
    assert (stopped.state, stopped.reached) == ("interrupted", None)
    assert stopped.next_step == "Call `collect_jmeter_results`."
    assert "home,200,true" in desk.text("test-results.csv")


def test_a_run_that_came_to_its_end_without_its_supervisor_says_so(desk: Desk) -> None:
    desk.start(properties={"seconds": "1"})
    kill_supervisor(desk)
    seen = desk.ended()
    assert (seen.condition.state, "came to the end of the test" in seen.condition.reason) == ("interrupted", True)


def test_a_number_that_is_another_process_by_now_is_never_signalled(
    desk: Desk, stranger: "subprocess.Popen[bytes]"
) -> None:
    desk.start()
    kill_supervisor(desk)
    kill_java(desk)
    state_file(desk.run(), java={"pid": stranger.pid, "start_time": "1"})
    assert stop(desk).state == "interrupted"
    assert stranger.poll() is None


def test_after_the_machine_was_booted_no_number_means_anything(desk: Desk, stranger: "subprocess.Popen[bytes]") -> None:
    desk.start()
    kill_supervisor(desk)
    kill_java(desk)
    own = {"pid": stranger.pid, "start_time": processes.start_time(stranger.pid)}
    state_file(desk.run(), java=own)
    assert desk.state() == "running"
    state_file(desk.run(), java=own, boot_id="another")
    assert stop(desk).state == "interrupted"
    assert stranger.poll() is None


def test_a_run_of_another_machine_cannot_be_told(desk: Desk) -> None:
    desk.start()
    kill_supervisor(desk)
    kill_java(desk)
    state_file(desk.run(), host="elsewhere")
    found = stop(desk)
    assert (found.state, "'elsewhere'" in found.reason) == ("lost", True)
    assert found.next_step == "Call `get_jmeter_run_status`."


@pytest.mark.parametrize("name", ["state.json", "run-spec.json"])
def test_files_that_make_no_sense_leave_the_run_lost(desk: Desk, name: str) -> None:
    desk.start(properties={"seconds": "0.1"})
    desk.ended()
    (desk.run().root / "jmeter" / name).write_text("{", encoding="utf-8")
    assert (desk.state(), name in desk.seen().condition.reason) == ("lost", True)


def test_a_start_that_is_not_over_is_stopped_too(desk: Desk) -> None:
    desk.launch({"mode": "mute"})
    until(lambda: desk.until_phase("starting").java is not None)
    assert desk.state() == "starting"
    assert (stop(desk).state, stop(desk).reached) == ("stopped", "TERM")


def test_a_run_that_is_still_being_checked_cannot_be_stopped_yet(desk: Desk) -> None:
    run = desk.runs.create("r1")
    busy = Conflict("busy", next_step="wait")
    with holding(run.lock_path(START_LOCK), busy=busy), pytest.raises(Conflict, match="still being checked"):
        stop(desk)


def test_a_run_that_jmeter_never_started_cannot_be_stopped(desk: Desk) -> None:
    with pytest.raises(NotFound, match="'r1' does not exist"):
        stop(desk)
    desk.runs.create("r1")
    with pytest.raises(NotReady, match="never started by JMeter"):
        stop(desk)
