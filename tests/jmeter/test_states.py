"""The state of a run, from facts alone."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite_jmeter.core.states import condition_of
from perfsuite_jmeter.models.runs import (
    LIVE,
    ProcessHandle,
    RunFacts,
    RunSpec,
    Stop,
    StopRequest,
    SupervisorState,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPEC = RunSpec(
    run_id="r1",  # type: ignore[arg-type]
    attempt=1,
    asked_at=NOW,
    plan="/plans/shop.jmx",
    plan_sha256="0" * 64,
    command=("java",),
    cwd="/",
    udp_port=25_000,
    duration_limit_s=90,
)
RUNNING = SupervisorState(
    attempt=1,
    phase="running",
    host="here",
    boot_id="b",
    supervisor=ProcessHandle(pid=10, start_time="1"),
    java=ProcessHandle(pid=11, start_time="2"),
    udp_port=25_000,
    started_at=NOW,
)
ENDED = RUNNING.model_copy(update={"phase": "ended", "exit_code": 0, "end_of_run": True, "ended_at": NOW})
REQUEST = StopRequest(attempt=1, asked_at=NOW)
FINISHED = RunFacts(spec=SPEC, state=ENDED, has_samples=True)
SUPERVISED = RunFacts(spec=SPEC, state=RUNNING, supervisor_alive=True, java_alive=True)
KILLED = RunFacts(spec=SPEC, state=RUNNING, has_samples=True)


def ended(**changes: Any) -> RunFacts:
    return replace(FINISHED, state=ENDED.model_copy(update=changes))


def running(**changes: Any) -> RunFacts:
    return replace(SUPERVISED, state=RUNNING.model_copy(update=changes))


def stop(by: Any = "user", reached: Any = "Shutdown") -> Stop:
    return Stop(asked_at=NOW, by=by, reached=reached)


CASES = [
    (RunFacts(), "lost", "nobody knows"),
    (RunFacts(being_started=True), "queued", "being checked"),
    (RunFacts(spec=SPEC, being_started=True), "queued", "about to start"),
    (RunFacts(spec=SPEC, supervisor_alive=True), "queued", "about to start"),
    (RunFacts(spec=SPEC), "interrupted", "before JMeter started"),
    (RunFacts(spec=SPEC.model_copy(update={"attempt": 2}), state=RUNNING), "interrupted", "before JMeter started"),
    (replace(FINISHED, unreadable="'state.json' cannot be used."), "lost", "'state.json' cannot be used."),
    (running(phase="starting"), "starting", "loading the plan"),
    (SUPERVISED, "running", "is running"),
    (replace(SUPERVISED, stop_request=REQUEST), "stopping", "was asked"),
    (running(phase="stopping", stop=stop(reached="TERM")), "stopping", "the user; TERM was sent"),
    (replace(SUPERVISED, supervisor_alive=False), "running", "supervisor died and JMeter goes on"),
    (replace(SUPERVISED, supervisor_alive=False, stop_request=REQUEST), "stopping", "supervisor died"),
    (replace(SUPERVISED, supervisor_alive=False, java_alive=False, same_host=False), "lost", "machine 'here'"),
    (KILLED, "interrupted", "died, or the machine was started anew. What was measured until then is kept."),
    (replace(KILLED, torn=True), "interrupted", "The last row is torn."),
    (replace(KILLED, has_samples=False), "interrupted", "Nothing was measured."),
    (replace(KILLED, end_of_run_printed=True), "interrupted", "came to the end of the test without it"),
    (replace(KILLED, stop_request=REQUEST), "interrupted", "died"),
    (
        replace(KILLED, stop_request=REQUEST.model_copy(update={"reached": "TERM"})),
        "stopped",
        "by TERM after its supervisor had died",
    ),
    (FINISHED, "finished", "to its end"),
    (replace(FINISHED, has_samples=False), "failed", "Not one sample"),
    (ended(end_of_run=False), "failed", "without saying"),
    (ended(exit_code=1), "failed", "exit code 1. What was measured until then is kept."),
    (ended(exit_code=-9), "failed", "killed by the signal KILL, by hand or for want of memory"),
    (ended(exit_code=143), "failed", "killed by the signal TERM."),
    (ended(exit_code=None), "failed", "could not be started"),
    (ended(failure="No such file"), "failed", "No such file"),
    (ended(failure="full", stop=stop("supervisor")), "failed", "full"),
    (ended(stop=stop()), "stopped", "Stopped by the user; Shutdown ended it. What was measured"),
    (ended(stop=stop("duration", "StopTestNow")), "stopped", "the time limit of 90 s; StopTestNow ended it."),
    (ended(stop=stop("signal", "KILL"), exit_code=-9), "stopped", "a signal to its supervisor; KILL ended it."),
]


@pytest.mark.parametrize(("facts", "state", "why"), CASES)
def test_facts_decide_the_state_and_the_reason_says_which(facts: RunFacts, state: str, why: str) -> None:
    found = condition_of(facts)
    assert (found.state, why in found.reason) == (state, True), found


STOPS = st.none() | st.builds(
    stop,
    st.sampled_from(["user", "duration", "signal", "supervisor"]),
    st.sampled_from(["Shutdown", "StopTestNow", "TERM", "KILL"]),
)
STATES = st.none() | st.builds(
    lambda **changes: RUNNING.model_copy(update=changes),
    attempt=st.sampled_from([1, 2]),
    phase=st.sampled_from(["starting", "running", "stopping", "ended"]),
    exit_code=st.none() | st.sampled_from([0, 1, 130, 137, 143, -9, -15, 255]),
    end_of_run=st.booleans(),
    stop=STOPS,
    failure=st.none() | st.just("why"),
)
FLAGS = ("being_started", "supervisor_alive", "java_alive", "same_host", "has_samples", "torn", "end_of_run_printed")
FACTS = st.builds(
    RunFacts,
    spec=st.none() | st.just(SPEC),
    state=STATES,
    unreadable=st.none() | st.just("broken"),
    stop_request=st.none() | st.builds(lambda reached: REQUEST.model_copy(update={"reached": reached}), STOPS.map(
        lambda one: one and one.reached
    )),
    **{name: st.booleans() for name in FLAGS},
)  # fmt: skip


@given(FACTS)
def test_every_combination_of_facts_has_a_state_and_a_reason(facts: RunFacts) -> None:
    found = condition_of(facts)
    assert found.reason.endswith((".", "why", "broken"))
    assert found.is_live == (found.state in LIVE)


@given(FACTS)
def test_a_run_is_live_only_while_somebody_lives(facts: RunFacts) -> None:
    nobody = replace(facts, being_started=False, supervisor_alive=False, java_alive=False)
    assert not condition_of(nobody).is_live


@given(FACTS)
def test_a_run_that_is_supervised_is_never_taken_for_over_before_its_supervisor_says_so(facts: RunFacts) -> None:
    current = facts.state is not None and facts.state.attempt == SPEC.attempt and facts.state.phase != "ended"
    if facts.spec and not facts.unreadable and current:
        assert condition_of(replace(facts, supervisor_alive=True)).is_live
        assert condition_of(replace(facts, java_alive=True, same_host=True)).is_live


@given(FACTS)
def test_success_takes_exit_code_0_the_end_of_the_run_and_a_sample(facts: RunFacts) -> None:
    if condition_of(facts).state == "finished":
        assert facts.state is not None
        assert (facts.state.exit_code, facts.state.end_of_run, facts.has_samples) == (0, True, True)
        assert (facts.state.failure, facts.state.stop) == (None, None)
