"""What state a run is in, decided from facts alone."""

from perfsuite_jmeter.models.runs import Condition, RunFacts, RunSpec, Stop, StoppedBy, SupervisorState

_KEPT = "What was measured until then is kept."
_SIGNALLED = {1: "HUP", 2: "INT", 6: "ABRT", 9: "KILL", 11: "SEGV", 15: "TERM"}
_JVM_SIGNALLED = 128
_AUTHORS: dict[StoppedBy, str] = {
    "user": "the user",
    "duration": "the time limit",
    "signal": "a signal to its supervisor",
    "supervisor": "its supervisor",
}


def condition_of(facts: RunFacts) -> Condition:
    """The state of a run, and why it is the one."""
    if facts.unreadable:
        return Condition("lost", f"Its files do not say: {facts.unreadable}")
    if facts.spec is None:
        return _without_spec(facts)
    if facts.state is None or facts.state.attempt != facts.spec.attempt:
        return _without_state(facts)
    if facts.state.phase == "ended":
        return _ended(facts, facts.spec, facts.state)
    if facts.supervisor_alive:
        return _supervised(facts, facts.state)
    if not facts.same_host:
        return Condition("lost", f"It ran on the machine {facts.state.host!r}, and only there can it be told.")
    return _orphaned(facts) if facts.java_alive else _dead(facts)


def _without_spec(facts: RunFacts) -> Condition:
    if facts.being_started:
        return Condition("queued", "It is being checked before it starts.")
    return Condition("lost", "There is no run-spec.json, so nobody knows what was started.")


def _without_state(facts: RunFacts) -> Condition:
    if facts.being_started or facts.supervisor_alive:
        return Condition("queued", "Its supervisor is about to start.")
    return Condition("interrupted", "It was killed before JMeter started. Nothing was measured.")


def _supervised(facts: RunFacts, state: SupervisorState) -> Condition:
    if state.stop is not None:
        return Condition("stopping", f"Stopped by {_AUTHORS[state.stop.by]}; {state.stop.reached} was sent.")
    if facts.stop_request is not None:
        return Condition("stopping", "Its supervisor was asked to stop it.")
    if state.phase == "starting":
        return Condition("starting", "JMeter is loading the plan.")
    return Condition("running", "The test is running.")


def _orphaned(facts: RunFacts) -> Condition:
    died = "Its supervisor died and JMeter goes on; no time limit is enforced, and `stop_jmeter_test` still works."
    return Condition("stopping" if facts.stop_request else "running", died)


def _dead(facts: RunFacts) -> Condition:
    if facts.stop_request is not None and facts.stop_request.reached is not None:
        return Condition("stopped", f"Stopped by {facts.stop_request.reached} after its supervisor had died. {_KEPT}")
    if facts.end_of_run_printed:
        return Condition(
            "interrupted", f"Its supervisor died, and JMeter came to the end of the test without it. {_KEPT}"
        )
    return Condition(
        "interrupted", f"The supervisor and JMeter died, or the machine was started anew. {_salvaged(facts)}"
    )


def _ended(facts: RunFacts, spec: RunSpec, state: SupervisorState) -> Condition:
    if state.failure is not None and (state.stop is None or state.stop.by == "supervisor"):
        return Condition("failed", state.failure)
    if state.stop is not None:
        return Condition("stopped", f"{_stopped(spec, state.stop)} {_salvaged(facts)}")
    if state.exit_code != 0:
        return Condition("failed", f"{_exit(state.exit_code)} {_salvaged(facts)}")
    if not state.end_of_run:
        return Condition("failed", "JMeter ended without saying that the run came to its end.")
    if not facts.has_samples:
        return Condition("failed", "Not one sample was taken: no thread group ran, or none of them had a sampler.")
    return Condition("finished", "The test ran to its end.")


def _stopped(spec: RunSpec, stop: Stop) -> str:
    limit = f" of {spec.duration_limit_s:g} s" if stop.by == "duration" and spec.duration_limit_s else ""
    return f"Stopped by {_AUTHORS[stop.by]}{limit}; {stop.reached} ended it."


def _exit(code: int | None) -> str:
    if code is None:
        return "JMeter could not be started."
    number = -code if code < 0 else code - _JVM_SIGNALLED
    if name := _SIGNALLED.get(number):
        why = ", by hand or for want of memory" if name == "KILL" else ""
        return f"JMeter was killed by the signal {name}{why}."
    return f"JMeter ended with exit code {code}."


def _salvaged(facts: RunFacts) -> str:
    if not facts.has_samples:
        return "Nothing was measured."
    return f"{_KEPT} The last row is torn." if facts.torn else _KEPT
