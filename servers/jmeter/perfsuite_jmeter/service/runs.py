"""The runs of JMeter: what state each is in, which there are, and how one is stopped."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from perfsuite.artifacts import JsonArtifact, RunFolder, RunStore, layout
from perfsuite.artifacts.locks import is_held
from perfsuite.artifacts.schemas import Document
from perfsuite.errors import Conflict, NotFound, NotReady, PerfsuiteError
from perfsuite.mcp.answers import fit
from perfsuite.samples.rows import printable
from perfsuite_jmeter.client import processes
from perfsuite_jmeter.client.supervisor import ends_torn
from perfsuite_jmeter.core.states import condition_of
from perfsuite_jmeter.models.runs import (
    FOLDER,
    LOCK_FILE,
    SPEC,
    STATE,
    STOP_REQUEST,
    Condition,
    RunFacts,
    Rung,
    RunList,
    RunOverview,
    RunSpec,
    RunState,
    StoppedRun,
    StopRequest,
    SupervisorState,
)

START_LOCK: Final = "jmeter-start"
SECRETS_FILE: Final = f"{FOLDER}/secrets.properties"
END_OF_RUN: Final = b"... end of run"
_NO_RUNS: Final = "JMeter has run nothing yet: `list_jmeter_scripts` says which plans there are to start."
_ENOUGH: Final = 64 * 1024
_POLL_S: Final = 0.1
_LONGEST_REASON: Final = 400

D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class Observed:
    """A run as it is now."""

    run: RunFolder
    facts: RunFacts
    condition: Condition

    @property
    def spec(self) -> RunSpec | None:
        return self.facts.spec

    @property
    def supervisor(self) -> SupervisorState | None:
        """What the supervisor noted, if it is about this attempt."""
        state, spec = self.facts.state, self.facts.spec
        return state if state is not None and spec is not None and state.attempt == spec.attempt else None


def observe(run: RunFolder) -> Observed:
    """Look at a run, and say what state it is in."""
    facts = facts_of(run)
    return Observed(run, facts, condition_of(facts))


def facts_of(run: RunFolder) -> RunFacts:
    """What decides the state of a run. Secrets that a killed supervisor left behind are removed on the way."""
    faults: list[str] = []
    spec, state = _read(run, SPEC, faults), _read(run, STATE, faults)
    # One that cannot be read asks for nothing that this one could tell; the supervisor stops at the sight of it.
    request = _read(run, STOP_REQUEST, [])
    current = state if spec and state and state.attempt == spec.attempt else None
    being_started = current is None and is_held(run.lock_path(START_LOCK))
    supervisor_alive = processes.is_locked(run.root / FOLDER / LOCK_FILE)
    java_alive = current is not None and processes.is_alive(current.java, current.boot_id)
    if not (being_started or supervisor_alive or java_alive):
        forget_secrets(run)
    results = run.root / layout.JMETER_RESULTS.place
    return RunFacts(
        spec=spec,
        state=state,
        unreadable=faults[0] if faults else None,
        being_started=being_started,
        supervisor_alive=supervisor_alive,
        java_alive=java_alive,
        same_host=current is None or processes.is_here(current.host),
        has_samples=_begin(results).count(b"\n") > 1,
        torn=ends_torn(results),
        end_of_run_printed=END_OF_RUN in _end(run.root / layout.JMETER_CONSOLE.place),
        stop_request=request if request and spec and request.attempt == spec.attempt else None,
    )


def forget_secrets(run: RunFolder) -> None:
    """Remove the file of secrets. JMeter has read it, or never will."""
    with suppress(OSError):
        (run.root / SECRETS_FILE).unlink(missing_ok=True)


def started(run: RunFolder) -> bool:
    """Whether JMeter was ever started for this run."""
    return (run.root / SPEC.place).exists()


def stop_run(runs: RunStore, run_id: str, *, wait_s: float = 45.0) -> StoppedRun:
    """End a test as gently as it allows, and wait for that so long. A run that has ended is left as it is."""
    run = runs.open(run_id)
    until = time.monotonic() + wait_s
    seen = observe(run)
    _refuse_unstoppable(seen)
    while seen.condition.is_live:
        request = _requested(seen)
        _act_for_the_dead(seen, request, until)
        seen = observe(run)
        if time.monotonic() >= until:
            break
        time.sleep(_POLL_S)
    return _stopped(seen)


def list_runs(runs: RunStore, *, start: int = 0, limit: int = 20) -> RunList:
    """Every run of JMeter, the newest first."""
    found = sorted(_newest_first(runs), reverse=True)
    page = [_overview(run) for _, _, run in found[start : start + limit]]
    fitted = fit(page, total=len(found), start=start)
    return RunList(
        runs=fitted.items,
        total=len(found),
        has_more=fitted.has_more,
        next_start=start + len(fitted.items) if fitted.has_more else None,
        notes=[] if found else [_NO_RUNS],
    )


def _read(run: RunFolder, artifact: JsonArtifact[D], faults: list[str]) -> D | None:
    try:
        return run.load(artifact)
    except (NotReady, NotFound):
        return None
    except PerfsuiteError as error:
        faults.append(error.message)
        return None


def _begin(path: Path) -> bytes:
    with suppress(OSError), path.open("rb") as file:
        return file.read(_ENOUGH)
    return b""


def _end(path: Path) -> bytes:
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _ENOUGH))
        return file.read(_ENOUGH)
    return b""


def _refuse_unstoppable(seen: Observed) -> None:
    run_id = seen.run.run_id
    if seen.spec is not None:
        return
    if seen.condition.state == "queued":
        raise Conflict(
            f"Run {run_id!r} is still being checked, and nothing of it runs yet.",
            next_step="Call `stop_jmeter_test` again in a few seconds.",
        )
    raise NotReady(
        f"Run {run_id!r} was never started by JMeter.", next_step="Name one of those that `list_jmeter_runs` gives."
    )


def _requested(seen: Observed) -> StopRequest:
    """The wish to stop, which is written once: whoever comes later joins it."""
    if seen.facts.stop_request is not None or seen.spec is None:
        return seen.facts.stop_request or StopRequest(attempt=1, asked_at=datetime.now(UTC))
    request = StopRequest(attempt=seen.spec.attempt, asked_at=datetime.now(UTC))
    seen.run.save(STOP_REQUEST, request)
    return request


def _act_for_the_dead(seen: Observed, request: StopRequest, until: float) -> None:
    """Where the supervisor has died and Java has not, nobody else walks the ladder."""
    state = seen.supervisor
    if seen.spec is None or state is None or seen.facts.supervisor_alive or not seen.facts.java_alive:
        return

    def note(rung: Rung) -> None:
        seen.run.save(STOP_REQUEST, request.model_copy(update={"reached": rung}))

    processes.end_java(seen.spec, state, request.asked_at, until=until, note=note)


def _stopped(seen: Observed) -> StoppedRun:
    state, request = seen.supervisor, seen.facts.stop_request
    by_supervisor = state.stop.reached if state and state.stop else None
    return StoppedRun(
        run_id=seen.run.run_id,
        state=seen.condition.state,
        reason=_reason(seen.condition),
        reached=by_supervisor or (request.reached if request else None),
        ended_at=_text(state.ended_at) if state else None,
        next_step=_next_step(seen),
    )


def _next_step(seen: Observed) -> str:
    if seen.condition.is_live:
        return "It has not ended yet. Call `stop_jmeter_test` again to wait on; each grace may take seconds."
    return f"Call `{next_tool(seen)}`."


def next_tool(seen: Observed) -> str:
    """The tool to call next for this run."""
    if seen.condition.is_live or seen.condition.state == "lost":
        return "get_jmeter_run_status"
    if not seen.facts.has_samples:
        return "analyze_jmeter_log"
    collected = (seen.run.root / layout.JMETER_AGGREGATE.place).is_file()
    return "analyze_test_results" if collected else "collect_jmeter_results"


def _newest_first(runs: RunStore) -> Iterator[tuple[float, str, RunFolder]]:
    for run in runs.runs():
        with suppress(OSError):
            if (run.root / FOLDER).is_dir():
                spec = run.root / SPEC.place
                yield (spec if spec.exists() else run.root / FOLDER).stat().st_mtime, run.run_id, run


def _overview(run: RunFolder) -> RunOverview:
    seen = observe(run)
    make = partial(
        RunOverview,
        run_id=run.run_id,
        state=seen.condition.state,
        reason=_reason(seen.condition),
        next_tool=next_tool(seen),
    )
    if seen.spec is None:
        return make()
    state = seen.supervisor
    return make(
        plan=printable(seen.spec.plan),
        attempt=seen.spec.attempt,
        started_at=_text(seen.spec.asked_at if state is None else state.started_at),
        duration_s=_duration_s(state, seen.condition.state),
        users=seen.spec.planned_users,
    )


def _duration_s(state: SupervisorState | None, condition: RunState) -> float | None:
    if state is None or state.test_started_at is None:
        return None
    if state.ended_at is not None:
        return round((state.ended_at - state.test_started_at).total_seconds(), 1)
    # Of one that died with its supervisor, nobody knows when.
    known = condition in ("running", "stopping")
    return round((datetime.now(UTC) - state.test_started_at).total_seconds(), 1) if known else None


def _reason(condition: Condition) -> str:
    return printable(condition.reason, _LONGEST_REASON)


def _text(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
