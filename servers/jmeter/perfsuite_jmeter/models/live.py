"""What is told about a test that runs or has run: live statistics, the log, and what was collected."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from perfsuite.artifacts.layout import Artifact
from perfsuite_jmeter.models.runs import FOLDER, RunState

CHECKPOINT: Final = Artifact(
    "jmeter_live", f"{FOLDER}/live.json", ("get_jmeter_run_status",), "how far the results were read, and what they say"
)

Kind = Literal["sample", "transaction", "sub"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Numbers(_Answer):
    """Statistics of samples."""

    samples: NonNegativeInt
    errors: NonNegativeInt = Field(description="samples that JMeter marked as failed, whatever their code")
    error_rate: float
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    max_ms: float
    throughput_per_s: float | None = Field(description="from the first start to the last end")


class LabelNumbers(Numbers):
    """Statistics of one label."""

    label: str
    kind: Kind


class LiveErrors(_Answer):
    """Failed samples with one cause."""

    label: str
    response_code: str
    message: str = Field(description="without its numbers, addresses and identifiers")
    count: int
    first_seen: str
    last_seen: str


class HealthReading(_Answer):
    """The load of the machine that generates the load. null where the system does not tell."""

    machine_cpu_pct: float | None = None
    java_cpu_pct: float | None = Field(None, description="of all cores together")
    gc_pct: float | None = Field(None, description="time spent in garbage collections")
    rss_mb: float | None = None
    heap_used_mb: float | None = None


class GeneratorHealth(_Answer):
    """How the generator bears the test."""

    readings: int
    saturated_readings: int
    latest_at: str
    latest: HealthReading
    worst: HealthReading = Field(description="the highest of each, over the whole test")


class LiveStatus(_Answer):
    """How a run goes, or how it ended."""

    findings: list[str] = Field(description="what makes the numbers doubtful; read these first")
    run_id: str
    state: RunState
    reason: str
    attempt: int | None
    elapsed_s: float | None
    time_left_s: float | None = Field(description="null where the plan does not tell")
    users_now: int | None
    users_planned: int | None
    recent_throughput_per_s: float | None = Field(description="over the last ten seconds")
    total: Numbers | None = Field(description="samplers only; null before the first sample")
    labels: list[LabelNumbers]
    labels_total: int
    labels_has_more: bool
    errors: list[LiveErrors]
    errors_total: int
    errors_has_more: bool
    generator: GeneratorHealth | None
    notes: list[str]
    next_step: str


class Counted(_Answer):
    """The number of samples as the results, the console and the log tell it. null where they do not."""

    results: int = Field(description="samplers in the results, as the aggregate report counts them")
    console: int | None = Field(description="in the last `summary =` line of console.log")
    log: int | None = Field(description="in the last `summary =` line of jmeter.log")
    agree: bool | None = Field(description="null where there is nothing to compare with")
    differences: list[str] = Field(description="what differs, and why")


class CollectedRun(_Answer):
    """What was brought into the run folder."""

    run_id: str
    state: RunState
    reason: str
    samples: int
    transactions: int
    errors: int
    rows_rejected: int
    first_sample_at: str
    last_sample_at: str
    counts: Counted
    files: list[str]
    notes: list[str]
    next_step: str


class LogGroup(_Answer):
    """Entries of the log that say the same."""

    level: str
    logger: str
    message: str = Field(description="without its numbers, addresses and identifiers")
    count: int
    first_seen: str | None
    last_seen: str | None
    onset_s: float | None = Field(None, description="seconds after the first sample; below 0 before it")
    root_cause: str | None = Field(None, description="the innermost exception of the stack trace")
    frames: list[str] = Field([], description="its topmost frames")
    example: str
    meaning: str | None = None
    next_step: str | None = None


class LogAnalysis(_Answer):
    """What a log of JMeter says, the most serious first."""

    run_id: str
    file: str
    size_bytes: int
    entries: int
    by_level: dict[str, int]
    groups: list[LogGroup]
    total: int
    has_more: bool
    next_start: int | None = None
    notes: list[str]
    next_step: str
