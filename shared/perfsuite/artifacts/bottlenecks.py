"""`analysis/bottleneck_analysis.json`: what held the system back, on which evidence, and what speaks against it."""

from typing import Literal

from pydantic import Field

from perfsuite.artifacts.analyses import Analysis, Value
from perfsuite.artifacts.schemas import Stored, UtcTime

BottleneckClass = Literal[
    "load_generator", "cpu", "memory", "pool", "queueing", "downstream", "network", "error_onset",
    "throughput_plateau", "drift", "fast_failures",
]  # fmt: skip
Confidence = Literal["high", "medium", "low"]


class Evidence(Stored):
    """One observation: what was seen, its numbers, and the file they come from."""

    text: str
    source: str
    numbers: dict[str, Value] = Field(default_factory=dict)


class Onset(Stored):
    """When it began, and at which load."""

    at_s: float
    at: UtcTime
    users: float | None = None
    arrivals_per_s: float | None = None


class Bottleneck(Stored):
    """A class of bottlenecks at one place. It is a suspicion with evidence, not a proven cause."""

    id: str
    kind: BottleneckClass
    subject: str
    confidence: Confidence
    text: str
    evidence: tuple[Evidence, ...]
    counter_evidence: tuple[Evidence, ...] = ()
    onset: Onset | None = None
    next_check: str


class ClassVerdict(Stored):
    """What came of looking for one class. Without the metrics that it needs it is not evaluable, never absent."""

    kind: BottleneckClass
    verdict: Literal["found", "not_found", "not_evaluable"]
    reason: str


class BottleneckAnalysis(Analysis):
    """Every class, and what was found, the likeliest first; the load generator comes before all."""

    window_start: UtcTime | None = None
    window_s: float | None = None
    classes: tuple[ClassVerdict, ...] = ()
    bottlenecks: tuple[Bottleneck, ...] = ()
