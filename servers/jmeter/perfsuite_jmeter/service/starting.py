"""Starting a test: checked, alone under its run id, with its secrets out of sight, and detached from whoever asked."""

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

from perfsuite.artifacts import RunFolder, RunStore, layout, proposed_run_id
from perfsuite.artifacts.locks import holding
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.errors import BadInput, BadSettings, Conflict, NotFound, NotReady, StorageFailed
from perfsuite.settings import remember_secret
from perfsuite.workflow import Ledger
from perfsuite_jmeter.client import processes
from perfsuite_jmeter.client.engines.columns import result_properties
from perfsuite_jmeter.client.property_files import write_properties
from perfsuite_jmeter.core.states import condition_of
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.models.runs import (
    FOLDER,
    SPEC,
    STATE,
    STOP_REQUEST,
    PlannedLoad,
    RunSpec,
    StartedRun,
    StartRequest,
    StopRequest,
    SupervisorState,
)
from perfsuite_jmeter.service.attempts import attempt_number, set_aside
from perfsuite_jmeter.service.runs import SECRETS_FILE, START_LOCK, facts_of, next_tool, observe, started

TOOL: Final = "start_jmeter_test"
_STAGE: Final = "jmeter"
_PROPERTIES_FILE: Final = f"{FOLDER}/run.properties"
_WORK: Final = f"{FOLDER}/work"
_PATIENCE_S: Final = 0.5
_OVERTIME_S: Final = 30.0
_ENDING_S: Final = 30.0
_POLL_S: Final = 0.05
_PORT_TRIES: Final = 3
_ID_TRIES: Final = 5
_MOST_PROPERTIES: Final = 500
_REMOTE_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_SUMMARY: Final = {"summariser.name": "summary", "summariser.interval": "6", "summariser.out": "true"}
_OWN_FILES: Final = (
    STATE,
    STOP_REQUEST,
    layout.JMETER_CONSOLE,
    layout.JMETER_LOG,
    layout.JMETER_RESULTS,
    layout.JMETER_HEALTH,
)


class PlanChecks(Protocol):
    """What a plan must pass before it is started. Both raise when it must not run."""

    def validate(self, plan: Path, properties: Mapping[str, str], remote_hosts: Sequence[str]) -> PlannedLoad:
        """Say what the plan will do."""
        ...

    def guard(
        self, plan: Path, properties: Mapping[str, str], remote_hosts: Sequence[str], load: PlannedLoad
    ) -> float | None:
        """Say how many seconds the test may last, if that is limited."""
        ...


@dataclass(frozen=True)
class _Start:
    """Everything that is known before the run folder is touched."""

    request: StartRequest
    plan: Path
    content: bytes
    secrets: Mapping[str, str]
    engine: Engine
    environ: Mapping[str, str]
    up_s: float
    load: PlannedLoad = field(default_factory=PlannedLoad)
    limit_s: float | None = None


def start_run(
    runs: RunStore,
    request: StartRequest,
    engine: Engine,
    checks: PlanChecks,
    *,
    environ: Mapping[str, str] | None = None,
    up_s: float = 10.0,
) -> StartedRun:
    """Start a test and come back as soon as it runs, has ended or has failed, or after `up_s` if Java runs by then."""
    environ = os.environ if environ is None else environ
    _refuse_bad(request)
    plan = request.plan.expanduser().absolute()
    start = _Start(request, plan, _content(plan), _secrets(request, environ), engine, environ, up_s)
    run = _existing(runs, request)
    if run is None:
        # Nothing is made for a plan that must not run.
        checked = _checked(start, checks, lambda _: nullcontext())
        run = _made(runs, request)
        return _start_alone(run, start, lambda record: _noted(checked, record))
    return _start_alone(run, start, lambda record: _checked(start, checks, record))


Recorder = Callable[[str], AbstractContextManager[object]]


def _start_alone(run: RunFolder, start: _Start, check: Callable[[Recorder], _Start]) -> StartedRun:
    busy = Conflict(
        f"Run {run.run_id!r} is being started by another process.",
        next_step="Call `get_jmeter_run_status` to follow that one, or choose another run id.",
    )
    with holding(run.lock_path(START_LOCK), busy=busy, timeout_s=_PATIENCE_S):
        _refuse_taken(run, start.request)
        ledger = Ledger(run)
        checked = check(lambda step: ledger.step(_STAGE, step, tool=TOOL, inputs=[start.plan]))
        with ledger.step(_STAGE, "start", tool=TOOL, inputs=[start.plan]) as step:
            moved = set_aside(run)
            state = _launched(run, checked)
            step.produced(run.path(layout.JMETER_PLAN))
            step.produced(run.path(SPEC))
            run.update(lambda record: record.model_copy(update={"source": _STAGE}))
            return _answer(run, checked, state, moved)


def _refuse_bad(request: StartRequest) -> None:
    given = [*request.properties, *request.secret_properties]
    if both := sorted(set(request.properties) & set(request.secret_properties)):
        raise BadInput(f"{both[0]!r} is given as a property and as a secret one.", next_step="Give it once.")
    if len(given) > _MOST_PROPERTIES or any(not name.strip() for name in given):
        raise BadInput(
            f"Properties need names, and there may be {_MOST_PROPERTIES} of them; found {len(given)}.",
            next_step="Give fewer, each with a name.",
        )
    if own := sorted(set(given) & {*_pinned(0, distributed=True)}):
        raise BadInput(
            f"The property {own[0]!r} is set by `{TOOL}` itself: status and results depend on it.",
            next_step="Leave it out.",
        )
    if request.remote_hosts and request.secret_properties:
        raise BadInput(
            "Secret properties do not go together with remote hosts: an engine writes what it is sent into its log.",
            next_step="Put the secrets into the user.properties of each remote engine, and leave them out here.",
        )
    for host in request.remote_hosts:
        if not _REMOTE_HOST.fullmatch(host):
            raise BadInput(f"{host!r} is not a remote host.", next_step="Write 'host' or 'host:port'.")
    if request.rerun and request.run_id is None:
        raise BadInput("`rerun` needs the id of the run to repeat.", next_step="Give `run_id`.")


def _content(plan: Path) -> bytes:
    try:
        return plan.read_bytes()
    except OSError as error:
        raise NotFound(
            f"The plan {str(plan)!r} cannot be read: {error.strerror}.",
            next_step="Call `list_jmeter_scripts` for the plans that there are.",
        ) from None


def _secrets(request: StartRequest, environ: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, variable in request.secret_properties.items():
        value = environ.get(variable)
        if not value:
            raise BadSettings(
                f"The environment variable {variable!r}, which shall hold the secret property {name!r}, is not set.",
                next_step="Set it where the client starts the jmeter server. Give its name here, never the value.",
            )
        remember_secret(value)
        found[name] = value
    return found


def _existing(runs: RunStore, request: StartRequest) -> RunFolder | None:
    try:
        return runs.open(request.run_id) if request.run_id is not None else None
    except NotFound:
        if request.rerun:
            raise
        return None


def _made(runs: RunStore, request: StartRequest) -> RunFolder:
    facts = RunFacts(
        scenario=request.scenario, type=request.type, version=request.version, source=_STAGE, fidelity=None
    )
    if request.run_id is not None:
        return runs.open_or_create(request.run_id, facts)
    for _ in range(_ID_TRIES):
        taken = [entry.name for entry in runs.root.iterdir()] if runs.root.is_dir() else []
        words = (request.scenario or request.plan.stem, request.type or "", request.version or "")
        try:
            return runs.create(proposed_run_id(*words, taken), facts)
        except Conflict:
            continue
    raise Conflict("Others took every run id that was proposed.", next_step="Give a `run_id`.")


def _checked(start: _Start, checks: PlanChecks, recorded: Recorder) -> _Start:
    asked = (start.plan, start.request.properties, start.request.remote_hosts)
    with recorded("validate_plan"):
        load = checks.validate(*asked)
    with recorded("check_guard_rails"):
        limit_s = checks.guard(*asked, load)
    # A test that ends by itself within the limit may take some time more for its last samples.
    ends_itself = limit_s is not None and load.duration_s is not None
    return replace(start, load=load, limit_s=limit_s + _OVERTIME_S if limit_s and ends_itself else limit_s)


def _noted(checked: _Start, recorded: Recorder) -> _Start:
    for step in ("validate_plan", "check_guard_rails"):
        with recorded(step):
            pass
    return checked


def _refuse_taken(run: RunFolder, request: StartRequest) -> None:
    source = run.record().source
    if source not in (None, _STAGE):
        raise Conflict(
            f"Run {run.run_id!r} holds the results of {source!r}, which a test would replace.",
            next_step="Choose another run id.",
        )
    if not started(run):
        return
    # It is this process that holds the lock of the start.
    condition = condition_of(replace(facts_of(run), being_started=False))
    if condition.is_live:
        raise Conflict(
            f"Run {run.run_id!r} is {condition.state}: it was started already, and is not started twice.",
            next_step="Call `get_jmeter_run_status` to follow it, or `stop_jmeter_test` to end it first.",
        )
    if not request.rerun:
        raise Conflict(
            f"Run {run.run_id!r} exists already: it is {condition.state}.",
            next_step="Choose another run id, or set `rerun`, which keeps the earlier attempt under its number.",
        )


def _launched(run: RunFolder, start: _Start) -> SupervisorState:
    for _ in range(_PORT_TRIES):
        try:
            _clear(run)
            spec = _written(run, start)
        except OSError as error:
            raise StorageFailed(
                f"Run {run.run_id!r} cannot be prepared: {error.filename or run.root}: {error.strerror}.",
                next_step="Make the run folder writable for this user and free space on its disk, then call again.",
            ) from error
        processes.launch(run.path(SPEC), start.engine.environment(start.environ))
        state = _up(run, spec, start.up_s)
        if not state.port_taken:
            return state
    raise Conflict(
        f"Each of {_PORT_TRIES} UDP ports for JMeter's commands was taken while it started.",
        next_step="Call `start_jmeter_test` again, with `rerun`.",
    )


def _clear(run: RunFolder) -> None:
    """Remove what a start left that did not come to run. It is never added to."""
    for artifact in _OWN_FILES:
        run.path(artifact).unlink(missing_ok=True)
    for name in (_PROPERTIES_FILE, SECRETS_FILE):
        (run.root / name).unlink(missing_ok=True)


def _written(run: RunFolder, start: _Start) -> RunSpec:
    with run.staged(layout.JMETER_PLAN) as staged:
        staged.write_bytes(start.content)
    (run.root / _WORK).mkdir(exist_ok=True)
    write_properties(run.root / _PROPERTIES_FILE, start.request.properties)
    if start.secrets:
        write_properties(run.root / SECRETS_FILE, start.secrets)
    port = processes.free_udp_port()
    spec = RunSpec(
        run_id=run.run_id,
        attempt=attempt_number(run),
        asked_at=datetime.now(UTC),
        plan=str(start.plan),
        plan_sha256=sha256(start.content).hexdigest(),
        command=tuple(start.engine.command(_arguments(run, start, port))),
        cwd=str(run.root / _WORK),
        udp_port=port,
        duration_limit_s=start.limit_s,
        graces=start.request.graces,
        secrets_file=SECRETS_FILE if start.secrets else None,
        remote_hosts=start.request.remote_hosts,
        planned_duration_s=start.load.duration_s,
        planned_users=start.load.users,
    )
    run.save(SPEC, spec)
    return spec


def _arguments(run: RunFolder, start: _Start, port: int) -> list[str]:
    """JMeter's arguments. The plan is run where it lies, so that it finds its data and the plans that it includes."""
    _refuse_odd_folder(run, start)
    files = [run.root / _PROPERTIES_FILE, *([run.root / SECRETS_FILE] if start.secrets else [])]
    remote = start.request.remote_hosts
    return [
        *("-n", "-t", str(start.plan)),
        *("-l", str(run.path(layout.JMETER_RESULTS)), "-j", str(run.path(layout.JMETER_LOG))),
        *(part for file in files for part in ("-q", str(file))),
        *(f"-J{name}={value}" for name, value in _pinned(port, distributed=bool(remote)).items()),
        *(("-R", ",".join(remote), f"-G{files[0]}") if remote else ()),
    ]


def _refuse_odd_folder(run: RunFolder, start: _Start) -> None:
    """In the path of its log JMeter takes quotes for a date, and in that of a global property file = for a value."""
    path = str(run.root)
    if path.count("'") > 1 or ("=" in path and start.request.remote_hosts):
        raise BadSettings(
            f"JMeter cannot write to {path!r}: it reads a meaning into the quotes or the '=' of that path.",
            next_step="Point PERFSUITE_ARTIFACTS_DIR at a folder whose path has neither.",
        )


def _pinned(port: int, *, distributed: bool) -> dict[str, str]:
    """What must be as it is for the run to be followed, stopped and collected. It goes before all else."""
    return {
        "jmeterengine.nongui.port": str(port),
        "jmeterengine.nongui.maxport": str(port),
        "jmeterengine.force.system.exit": "true",
        **_SUMMARY,
        **result_properties(with_hostname=distributed),
    }


def _up(run: RunFolder, spec: RunSpec, up_s: float) -> SupervisorState:
    """What the supervisor says as soon as the test runs or has ended, or after a while at the latest."""
    began = time.monotonic()
    while True:
        state = _state(run, spec)
        if state is not None and state.phase in ("running", "ended"):
            return state
        patience_s = _ENDING_S if state is not None and state.port_taken else up_s
        if time.monotonic() > began + patience_s:
            break
        time.sleep(_POLL_S)
    if state is None or state.java is None:
        # Should it get going after all, it must not start what was given up.
        run.save(STOP_REQUEST, StopRequest(attempt=spec.attempt, asked_at=datetime.now(UTC)))
        raise StorageFailed(
            f"The supervisor of run {run.run_id!r} did not start Java within {up_s:g} s.",
            next_step="See that its folder is writable, then call `start_jmeter_test` again with `rerun`.",
        )
    return state


def _state(run: RunFolder, spec: RunSpec) -> SupervisorState | None:
    try:
        state = run.load(STATE)
    except NotReady:
        return None
    return state if state.attempt == spec.attempt else None


def _answer(run: RunFolder, start: _Start, state: SupervisorState, moved: str | None) -> StartedRun:
    seen = observe(run)
    if seen.condition.state == "failed" and state.test_started_at is None:
        _raise_failed(run, start, state, seen.condition.reason)
    facts: dict[str, Any] = {"state": seen.condition.state, "reason": seen.condition.reason, "attempt": state.attempt}
    return StartedRun(
        run_id=run.run_id,
        plan=str(start.plan),
        users=start.load.users,
        planned_duration_s=start.load.duration_s,
        duration_limit_s=start.limit_s,
        remote_hosts=start.request.remote_hosts,
        folder=str(run.root / FOLDER),
        earlier_attempt=moved,
        next_step=f"Call `{next_tool(seen)}` for run {run.run_id!r}.",
        **facts,
    )


def _raise_failed(run: RunFolder, start: _Start, state: SupervisorState, reason: str) -> None:
    again = "then call `start_jmeter_test` again with `rerun`"
    if state.java is None:
        raise BadSettings(reason, next_step=f"Call `check_jmeter_engine` to see which Java there is, {again}.")
    raise BadInput(
        f"JMeter ended before the plan {start.plan.name!r} ran: {reason}",
        next_step=f"Call `analyze_jmeter_log` for run {run.run_id!r} for the whole story, {again}.",
    )
