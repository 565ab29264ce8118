"""`blazemeter/test_config.json`: what BlazeMeter says about a run, beside its samples."""

from typing import Final, Literal

from pydantic import NonNegativeFloat, NonNegativeInt

from perfsuite.artifacts import JsonArtifact, layout
from perfsuite.artifacts.schemas import Document, Stored, UtcTime
from perfsuite_blazemeter.models.answers import Phase


class Identity(Stored):
    """Something with a number and a name, as far as they are known."""

    id: int | None = None
    name: str | None = None


class TimeSpan(Stored):
    """From when to when."""

    start: UtcTime | None = None
    end: UtcTime | None = None


class Windows(Stored):
    """Both times that a run has. Booting and shutting down belong to the first alone."""

    created_ended: TimeSpan = TimeSpan()
    samples: TimeSpan = TimeSpan()
    use: Literal["samples"] | None = None
    why: str = ""


class Numbers(Stored):
    """The summary's row ALL. What BlazeMeter left out is null. Percentiles are by a method that it does not name."""

    samples: NonNegativeInt | None = None
    errors: NonNegativeInt | None = None
    error_rate: NonNegativeFloat | None = None
    mean_ms: NonNegativeFloat | None = None
    min_ms: NonNegativeFloat | None = None
    max_ms: NonNegativeFloat | None = None
    median_ms: NonNegativeFloat | None = None
    p90_ms: NonNegativeFloat | None = None
    p95_ms: NonNegativeFloat | None = None
    p99_ms: NonNegativeFloat | None = None
    stdev_ms: NonNegativeFloat | None = None
    latency_ms: NonNegativeFloat | None = None
    throughput_per_s: NonNegativeFloat | None = None
    """Samples divided by the time from the first to the last."""
    hits_avg_per_s: NonNegativeFloat | None = None
    """As BlazeMeter has it."""
    duration_s: NonNegativeFloat | None = None
    bytes: NonNegativeFloat | None = None


class Criterion(Stored):
    """A threshold. `fails_if` is when it fails."""

    fails_if: str
    value: float | None = None
    passed: bool | None = None


class Verdict(Stored):
    """What three sources say about the run. None says nothing, and nothing is not a pass."""

    passed: bool | None = None
    reason: str | None = None
    """Why `passed` is null."""
    thresholds: Literal["passed", "failed", "none", "unavailable"] = "unavailable"
    report_status: str | None = None
    ci_status: Literal["clean", "failed", "error", "unavailable"] = "unavailable"
    problems: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    disagreement: str | None = None


class RunConfig(Document):
    """The test, the run, and what BlazeMeter says came of it."""

    run_id: str
    master_id: int
    name: str | None = None
    state: Phase
    test: Identity = Identity()
    project: Identity = Identity()
    workspace: Identity = Identity()
    windows: Windows = Windows()
    max_users: int | None = None
    locations: tuple[str, ...] = ()
    numbers: Numbers = Numbers()
    verdict: Verdict = Verdict()
    notes: tuple[str, ...] = ()


CONFIG: Final = JsonArtifact(
    layout.BLAZEMETER_CONFIG.key,
    layout.BLAZEMETER_CONFIG.place,
    layout.BLAZEMETER_CONFIG.written_by,
    layout.BLAZEMETER_CONFIG.about,
    RunConfig,
)
