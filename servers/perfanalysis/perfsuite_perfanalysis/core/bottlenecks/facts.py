"""What bottlenecks are looked for in, and what a look answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from perfsuite.artifacts import layout
from perfsuite.artifacts.analyses import GeneratorHealth, Phases, Value
from perfsuite.artifacts.bottlenecks import Bottleneck, BottleneckClass, ClassVerdict, Confidence, Evidence, Onset
from perfsuite.artifacts.correlations import Capacity, Pair
from perfsuite.artifacts.infrastructure import Resource
from perfsuite_perfanalysis.core.coverage import ENOUGH_TO_RULE_OUT, thin
from perfsuite_perfanalysis.core.identity import finding_id, shown
from perfsuite_perfanalysis.core.readings import MetricSeries
from perfsuite_perfanalysis.core.series import Floats

if TYPE_CHECKING:
    from perfsuite.samples.grid import Line

SAMPLES: Final = layout.SAMPLES.place
METRICS: Final = layout.INFRASTRUCTURE_ANALYSIS.place
CORRELATIONS: Final = layout.CORRELATION_ANALYSIS.place
FEWEST_REQUESTS: Final = 30
FEWEST_BUCKETS: Final = 3
GENERATOR: Final = layout.JMETER_HEALTH.place


@dataclass(frozen=True)
class Machine:
    """A host or container: its numbers, and its series by name."""

    resource: Resource
    series: Mapping[str, MetricSeries]


@dataclass(frozen=True)
class Facts:
    """A run in buckets of time, and what other analyses found in it."""

    at_s: Floats
    width_s: float
    users: Floats
    everything: "Line"
    labels: Mapping[str, "Line"]
    phases: Phases
    generator: GeneratorHealth
    capacity: Capacity
    pairs: Sequence[Pair]
    """Those that move together."""
    untestable: Mapping[str, str]
    """Metrics, as `screening` names them, that were not tested, and why."""
    without_metrics: str
    """Why no metric of a machine can be used, or which files of metrics cannot."""
    machines: Sequence[Machine]
    error_codes: Sequence[tuple[str, int]]
    moment: Callable[[float], datetime]

    def onset(self, at_s: float) -> Onset:
        """A moment, and the load at it."""
        # Buckets of UTC begin a little before those of the run.
        place = int(np.clip(np.searchsorted(self.at_s, at_s + self.width_s / 2) - 1, 0, len(self.at_s) - 1))
        users = float(self.users[place])
        return Onset(
            at_s=at_s,
            at=self.moment(at_s),
            users=users if np.isfinite(users) else None,
            arrivals_per_s=float(self.everything.arrivals[place]) / self.width_s,
        )

    @property
    def too_few(self) -> str:
        """Why so few requests tell nothing; empty where there are enough."""
        requests, buckets = int(self.everything.completed.sum()), int((self.everything.completed > 0).sum())
        if requests >= FEWEST_REQUESTS and buckets >= FEWEST_BUCKETS:
            return ""
        return (
            f"{requests} requests in {buckets} intervals of {self.width_s:g} s are too few: {FEWEST_REQUESTS} in "
            f"{FEWEST_BUCKETS} are needed."
        )

    def thinly_measured(self, *names: str) -> str:
        """Whose metrics of these names cover too little of the steady state to rule anything out; empty if nobody's."""
        end_s = float(self.at_s[-1]) + self.width_s if len(self.at_s) else 0.0
        from_s, to_s = self.phases.steady_from_s or 0.0, self.phases.steady_to_s or end_s
        measured = [one for machine in self.machines for name, one in machine.series.items() if name in names]
        where = "steady state" if self.phases.steady_from_s is not None else "test"
        return _thin_text(thin(measured, from_s, to_s, ENOUGH_TO_RULE_OUT) if to_s > from_s else (), where)

    def pairs_of(self, machine: Machine, *words: str) -> list[Pair]:
        """Pairs of a machine whose metric holds one of these words."""
        name = machine.resource.name
        return [
            one
            for one in self.pairs
            if one.resource.rpartition("/")[2] == name and any(word in one.metric for word in words)
        ]

    def why_untested(self, machine: Machine, metric: str) -> str:
        """Why a metric of a machine was not put beside the responses; empty where it was."""
        places = (machine.resource.name, f"{machine.resource.service}/{machine.resource.name}")
        whys = (self.untestable.get(f"{metric} of {place}") for place in places)
        return next((why for why in whys if why), "")


def _thin_text(names: Sequence[str], where: str) -> str:
    return f"Readings cover too little of the {where}: {', '.join(names)}." if names else ""


@dataclass(frozen=True)
class Look:
    """What came of looking for one class."""

    verdict: ClassVerdict
    found: tuple[Bottleneck, ...] = ()


@dataclass
class Case:
    """A suspicion, while evidence is put together."""

    kind: BottleneckClass
    subject: str
    text: str
    confidence: Confidence
    next_check: str
    onset: Onset | None = None
    evidence: list[Evidence] = field(default_factory=list)
    counter: list[Evidence] = field(default_factory=list)

    def says(self, text: str, source: str, **numbers: Value) -> None:
        self.evidence.append(Evidence(text=text, source=source, numbers=numbers))

    def doubts(self, text: str, source: str, **numbers: Value) -> None:
        self.counter.append(Evidence(text=text, source=source, numbers=numbers))

    def closed(self) -> Bottleneck:
        return Bottleneck(
            id=finding_id(self.kind, self.subject),
            kind=self.kind,
            subject=shown(self.subject),
            confidence=self.confidence,
            text=self.text,
            evidence=tuple(self.evidence),
            counter_evidence=tuple(self.counter),
            onset=self.onset,
            next_check=self.next_check,
        )


def found(*cases: Case) -> Look:
    """What was found, in the words of the first."""
    verdict = ClassVerdict(kind=cases[0].kind, verdict="found", reason=cases[0].text)
    return Look(verdict, tuple(one.closed() for one in cases))


def not_found(kind: BottleneckClass, reason: str) -> Look:
    return Look(ClassVerdict(kind=kind, verdict="not_found", reason=reason))


def not_evaluable(kind: BottleneckClass, reason: str) -> Look:
    return Look(ClassVerdict(kind=kind, verdict="not_evaluable", reason=reason))
