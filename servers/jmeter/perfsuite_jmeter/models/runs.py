"""A run of JMeter: what was asked for, what its supervisor notes, and what the tools answer about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from perfsuite.artifacts import JsonArtifact, RunId, layout
from perfsuite.artifacts.schemas import Document, Sha256, Stored, UtcTime

RunState = Literal[
    "queued", "starting", "running", "stopping", "finished", "stopped", "failed", "interrupted", "lost"
]  # fmt: skip
LIVE: Final[frozenset[RunState]] = frozenset({"queued", "starting", "running", "stopping"})
Phase = Literal["starting", "running", "stopping", "ended"]
StoppedBy = Literal["user", "duration", "signal", "supervisor"]
Rung = Literal["Shutdown", "StopTestNow", "TERM", "KILL"]

FOLDER: Final = "jmeter"
ATTEMPTS: Final = "attempts"
LOCK_FILE: Final = "supervisor.lock"
HEALTH_COLUMNS: Final = (
    "timestamp_utc",
    "java_cpu_pct",  # of all cores together, as is machine_cpu_pct
    "machine_cpu_pct",
    "rss_mb",
    "threads",
    "load1",
    "gc_pct",
    "heap_used_mb",
)


class ProcessHandle(Stored):
    """A process that no other can be taken for, as long as the machine does not boot again."""

    pid: PositiveInt
    start_time: str


class Graces(Stored):
    """How long each rung of the ladder may take before the next."""

    shutdown_s: float = Field(default=10, ge=0)
    stop_now_s: float = Field(default=10, ge=0)
    term_s: float = Field(default=10, ge=0)


class RunSpec(Document):
    """`run-spec.json`: what the supervisor shall run. Paths without a root are relative to the run folder."""

    run_id: RunId
    attempt: PositiveInt
    asked_at: UtcTime
    plan: str
    plan_sha256: Sha256
    command: tuple[str, ...]
    cwd: str
    udp_port: Annotated[int, Field(ge=1001, le=65535)]
    duration_limit_s: PositiveFloat | None = None
    graces: Graces = Graces()
    results: str = layout.JMETER_RESULTS.place
    log: str = layout.JMETER_LOG.place
    console: str = layout.JMETER_CONSOLE.place
    health: str = layout.JMETER_HEALTH.place
    secrets_file: str | None = None
    remote_hosts: tuple[str, ...] = ()
    planned_duration_s: float | None = None
    planned_users: int | None = None


class Stop(Stored):
    """Who asked for the end, and how far the ladder had to be walked."""

    asked_at: UtcTime
    by: StoppedBy
    reached: Rung


class SupervisorState(Document):
    """`state.json`: what the supervisor knows. Nobody else writes it."""

    attempt: PositiveInt
    phase: Phase
    host: str
    boot_id: str
    supervisor: ProcessHandle
    java: ProcessHandle | None = None
    udp_port: int
    port_taken: bool = False
    started_at: UtcTime
    test_started_at: UtcTime | None = None
    ended_at: UtcTime | None = None
    exit_code: int | None = None
    end_of_run: bool = False
    stop: Stop | None = None
    failure: str | None = None


class StopRequest(Document):
    """`stop-request.json`: the wish to end. `reached` is set by a stopper who finds no supervisor to do it."""

    attempt: PositiveInt
    asked_at: UtcTime
    reached: Rung | None = None


SPEC: Final = JsonArtifact(
    layout.JMETER_SPEC.key, layout.JMETER_SPEC.place, layout.JMETER_SPEC.written_by, layout.JMETER_SPEC.about, RunSpec
)
STATE: Final = JsonArtifact(
    layout.JMETER_STATE.key,
    layout.JMETER_STATE.place,
    layout.JMETER_STATE.written_by,
    layout.JMETER_STATE.about,
    SupervisorState,
)
STOP_REQUEST: Final = JsonArtifact(
    "jmeter_stop_request", f"{FOLDER}/stop-request.json", ("stop_jmeter_test",), "the wish to end", StopRequest
)


@dataclass(frozen=True)
class RunFacts:
    """Everything that decides what state a run is in."""

    spec: RunSpec | None = None
    state: SupervisorState | None = None
    unreadable: str | None = None
    """What is wrong with the files that should say."""
    being_started: bool = False
    supervisor_alive: bool = False
    java_alive: bool = False
    same_host: bool = True
    has_samples: bool = False
    torn: bool = False
    """Whether the results end in the middle of a row."""
    end_of_run_printed: bool = False
    stop_request: StopRequest | None = None


@dataclass(frozen=True)
class Condition:
    """The state of a run, and why it is the one."""

    state: RunState
    reason: str

    @property
    def is_live(self) -> bool:
        """Whether there is something to wait for or to stop."""
        return self.state in LIVE


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True)
class PlannedLoad:
    """What a plan will do with the given properties, all remote hosts together; None where that cannot be told."""

    users: int | None = None
    duration_s: float | None = None


class StartRequest(_Answer):
    """What to start. Without a run id, one is made from scenario, type and version, or from the name of the plan."""

    plan: Path
    run_id: str | None = None
    scenario: str | None = None
    type: str | None = None
    version: str | None = None
    properties: dict[str, str] = {}
    secret_properties: dict[str, str] = Field({}, description="property to the environment variable that holds it")
    remote_hosts: tuple[str, ...] = ()
    rerun: bool = False
    graces: Graces = Graces()


class StartedRun(_Answer):
    """A run that was started."""

    run_id: str
    state: RunState
    reason: str
    attempt: int
    plan: str
    users: int | None = Field(description="threads that the plan will start, all remote hosts together")
    planned_duration_s: float | None
    duration_limit_s: float | None
    remote_hosts: tuple[str, ...]
    folder: str = Field(description="where its files are")
    earlier_attempt: str | None = Field(None, description="where the files of the attempt before it were moved")
    next_step: str


class StoppedRun(_Answer):
    """What came of stopping a run."""

    run_id: str
    state: RunState
    reason: str
    reached: Rung | None = Field(description="how far the ladder Shutdown, StopTestNow, TERM, KILL was walked")
    ended_at: str | None
    next_step: str


class RunOverview(_Answer):
    """A run, in a line."""

    run_id: str
    state: RunState
    reason: str
    plan: str | None = None
    attempt: int | None = None
    started_at: str | None = None
    duration_s: float | None = Field(None, description="so far, or until it ended")
    users: int | None = None
    next_tool: str


class RunList(_Answer):
    """The runs that JMeter carried out or is carrying out, the newest first."""

    runs: list[RunOverview]
    total: NonNegativeInt
    has_more: bool
    next_start: int | None = None
    notes: list[str] = []


class ScriptOverview(_Answer):
    """A test plan that lies in the folder of scripts."""

    path: str
    size_bytes: int
    modified_at: str
    thread_groups: int | None = Field(description="null where the file is too large to look into")


class ScriptList(_Answer):
    """The test plans that were found."""

    folder: str
    scripts: list[ScriptOverview]
    total: NonNegativeInt
    has_more: bool
    next_start: int | None = None
    notes: list[str] = []
