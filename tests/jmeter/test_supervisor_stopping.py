"""How a supervisor ends a test: gently first, and never another process than its own."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmeter.running import Desk, desk_in, until
from perfsuite_jmeter.client.supervisor import rung_at
from perfsuite_jmeter.models.runs import FOLDER

RUNGS = ["Shutdown", "StopTestNow", "TERM", "KILL"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as found:
        yield found


def ask(desk: Desk) -> None:
    (desk.run().root / FOLDER / "stop-request.json").write_text("{}", encoding="utf-8")


@pytest.mark.parametrize("obeys", RUNGS)
def test_the_ladder_is_walked_to_the_rung_that_is_obeyed(desk: Desk, obeys: str) -> None:
    desk.launch({"obeys": obeys})
    desk.until_phase("running")
    ask(desk)
    state = desk.until_phase("ended")
    assert state.stop is not None
    assert (state.stop.by, state.stop.reached) == ("user", obeys)
    assert state.exit_code == {"TERM": 143, "KILL": -9}.get(obeys, 0)
    assert desk.state() == "stopped"
    said = [line for line in desk.text("console.log").splitlines() if line.startswith("Command:")]
    # The bare word, once: with a line break, JMeter would not know it.
    assert said == [f"Command: '{word}' received" for word in RUNGS[:2][: RUNGS.index(obeys) + 1]]


def test_a_stop_is_seen_while_it_lasts(desk: Desk) -> None:
    desk.launch({"obeys": "TERM"})
    desk.until_phase("running")
    ask(desk)
    state = desk.until_phase("stopping")
    assert state.stop is not None
    assert desk.seen().condition.state == "stopping"
    desk.until_phase("ended")


def test_a_test_that_has_not_begun_is_ended_without_waiting_for_anybody_to_listen(desk: Desk) -> None:
    desk.launch({"mode": "mute"})
    until(lambda: desk.until_phase("starting").java is not None)
    ask(desk)
    state = desk.until_phase("ended")
    assert state.stop is not None
    assert (state.stop.reached, desk.state()) == ("TERM", "stopped")


def test_remote_engines_are_waited_for_because_only_jmeter_can_end_them(desk: Desk) -> None:
    desk.launch({"mode": "mute"}, remote_hosts=("127.0.0.1:1099",))
    until(lambda: desk.until_phase("starting").java is not None)
    ask(desk)
    state = desk.until_phase("stopping")
    assert state.stop is not None
    assert state.stop.reached == "Shutdown"
    assert desk.until_phase("ended").stop is not None
    assert desk.state() == "stopped"


def test_the_time_limit_ends_the_test(desk: Desk) -> None:
    desk.launch(duration_limit_s=0.5)
    state = desk.until_phase("ended")
    assert state.stop is not None
    assert (state.stop.by, state.stop.reached, state.exit_code) == ("duration", "Shutdown", 0)
    assert "the time limit of 0.5 s" in desk.seen().condition.reason


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_supervisor_that_shall_end_ends_the_test_first(desk: Desk, number: int) -> None:
    desk.launch()
    os.kill(desk.until_phase("running").supervisor.pid, number)
    state = desk.until_phase("ended")
    assert state.stop is not None
    assert (state.stop.by, state.stop.reached) == ("signal", "Shutdown")


def test_the_rest_of_the_group_of_java_is_ended_with_it(desk: Desk) -> None:
    desk.launch({"obeys": "KILL"})
    state = desk.until_phase("running")
    assert state.java is not None
    ask(desk)
    desk.until_phase("ended")
    with pytest.raises(ProcessLookupError):
        os.killpg(state.java.pid, 0)


@given(st.tuples(*[st.floats(0, 60)] * 3), st.floats(0, 200))
def test_the_ladder_only_goes_up_and_ends_at_kill(graces: tuple[float, ...], elapsed_s: float) -> None:
    named = dict(zip(("shutdown_s", "stop_now_s", "term_s"), graces, strict=True))
    now, later = rung_at(elapsed_s, named), rung_at(elapsed_s + 1, named)
    assert RUNGS.index(now) <= RUNGS.index(later)
    assert rung_at(sum(graces) + 1, named) == "KILL"
