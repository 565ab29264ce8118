"""What charts are made of, each read when a chart first asks for it. What is missing says which tool makes it."""

from dataclasses import dataclass, field
from datetime import tzinfo
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, get_args

from perfsuite import samples
from perfsuite.artifacts import JsonArtifact, RunFolder, layout, sha256_of
from perfsuite.artifacts.analyses import Analysis, OverTime, PerformanceAnalysis
from perfsuite.artifacts.bottlenecks import BottleneckAnalysis
from perfsuite.artifacts.correlations import CorrelationAnalysis
from perfsuite.artifacts.infrastructure import InfrastructureAnalysis
from perfsuite.artifacts.schemas import Document
from perfsuite.errors import NotReady, PerfsuiteError
from perfsuite.samples.rows import Kind, printable
from perfsuite_perfreport.service.metric_files import Readings, metric_files, readings_of

if TYPE_CHECKING:
    from perfsuite_perfreport.core.charts.backdrop import Backdrop, Flag
    from perfsuite_perfreport.core.charts.clock import Clock
    from perfsuite_perfreport.core.charts.generator import GeneratorReadings
    from perfsuite_perfreport.core.charts.timelines import CodesOverTime

A = TypeVar("A", bound=Analysis)

_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_LARGEST_HEALTH: Final = 50_000_000
_WITHOUT_HEALTH: Final = {"blazemeter": "A run on BlazeMeter", "import": "A run from files"}
_LONGEST_FLAG: Final = 220
_CERTAINTY: Final = ("high", "medium", "low")


@lru_cache(maxsize=16)
def _understood(run: RunFolder, artifact: JsonArtifact[A], _sha256: str) -> A:
    """An analysis, understood once for as long as its content stays: one chart after the other is made of the same."""
    return run.load(artifact)


@dataclass
class Material:
    """A run as charts see it. `used` are the files of the chart that is made now; empty it before each."""

    run: RunFolder
    zone: tzinfo | None = None
    used: dict[Path, None] = field(default_factory=dict)
    _read: dict[str, Document] = field(default_factory=dict)

    @property
    def performance(self) -> PerformanceAnalysis:
        return self._document(layout.PERFORMANCE_ANALYSIS)

    @property
    def correlation(self) -> CorrelationAnalysis:
        return self._document(layout.CORRELATION_ANALYSIS)

    @property
    def infrastructure(self) -> InfrastructureAnalysis | None:
        return self._optional(layout.INFRASTRUCTURE_ANALYSIS)

    @property
    def over(self) -> OverTime:
        found = self.performance.over_time
        if found is None or not found.buckets:
            raise self.lacking("The analysis of its samples has no course over time", "analyze_test_results")
        return found

    @property
    def kind(self) -> Kind:
        """Of the rows that stand for requests."""
        overall = self.performance.overall
        return next((one for one in _KINDS if overall and overall.kind == one), "sample")

    def over_for(self, percentile: str) -> OverTime:
        """The course in stretches that tell this percentile, from the samples where those of the analysis do not."""
        from perfsuite_perfreport.service.courses import is_dense, longer_stretches, resampled

        over = self.over
        width_s = None if is_dense(over, percentile) else longer_stretches(over, percentile)
        if width_s is None or not self.run.path(layout.SAMPLES).is_file():
            return over
        self.used[self.run.path(layout.SAMPLES)] = None
        return resampled(samples.open(self.run), width_s, self.kind, self.clock.start, self.clock.span_s)

    @property
    def clock(self) -> "Clock":
        from perfsuite_perfreport.core.charts.clock import Clock

        found = self.performance
        if found.window_start is None or not found.window_s:
            raise self.lacking("The analysis of its samples has no window", "analyze_test_results")
        return Clock(found.window_start, found.window_s, self.zone)

    @property
    def back(self) -> "Backdrop":
        from perfsuite_perfreport.core.charts.backdrop import Backdrop

        phases = self.performance.phases
        return Backdrop(self.run.run_id, self.clock, phases.phases if phases else (), tuple(self._flags()))

    @property
    def method(self) -> str:
        """The definition of the percentiles."""
        return self.performance.percentile_method or "not stated"

    def readings(self, *metrics: str) -> list[Readings]:
        """These metrics of all hosts and containers."""
        paths = metric_files(self.run)
        found = readings_of(paths, metrics, self.clock.start, self.clock.span_s) if paths else []
        if not found:
            what = "no metrics were collected" if not paths else f"the collected metrics hold no {metrics[0]!r}"
            raise self.lacking(f"Of its hosts and services, {what}", "get_host_metrics", "get_kubernetes_metrics")
        self.used |= dict.fromkeys(paths)
        return found

    def codes(self) -> "CodesOverTime":
        """Failures by code over time, from the samples."""
        from perfsuite_perfreport.service.failures import codes_over_time

        found = codes_over_time(self.run, self.over, self.clock.start, self.kind)
        self.used[self.run.path(layout.SAMPLES)] = None
        return found

    def generator(self) -> "GeneratorReadings":
        """What the generator's supervisor noted."""
        from perfsuite_perfreport.service.generator_files import generator_readings

        path = self.run.path(layout.JMETER_HEALTH)
        source = self.run.record().source
        if source in _WITHOUT_HEALTH and not path.is_file():
            raise self.lacking(f"{_WITHOUT_HEALTH[source]} tells nothing of its load generator's health")
        if not path.is_file() or path.stat().st_size > _LARGEST_HEALTH:
            raise self.lacking(f"There is no usable {layout.JMETER_HEALTH.place!r}", "start_jmeter_test")
        found = generator_readings(path, self.clock)
        if not len(found.at_s):
            raise self.lacking(f"{layout.JMETER_HEALTH.place!r} has no reading within the run", "start_jmeter_test")
        self.used[path] = None
        return found

    def lacking(self, what: str, *tools: str) -> NotReady:
        """The error about a chart whose data is missing. Without tools, no call will bring it."""
        call = (
            f"Call {' or '.join(f'`{tool}`' for tool in tools)} for run {self.run.run_id!r}, then `create_chart` again."
        )
        return NotReady(
            f"Run {self.run.run_id!r} cannot have this chart: {printable(what, 300).rstrip('.')}.",
            next_step=call if tools else "Draw another one: `list_chart_types` says which this run can have.",
        )

    def without_limits(self, what: str) -> NotReady:
        """The error about a chart of limits where there are none."""
        return NotReady(
            f"Run {self.run.run_id!r} cannot have this chart: {printable(what, 300).rstrip('.')}.",
            next_step="Write slas.yaml if there is none, then call `analyze_test_results` for run "
            f"{self.run.run_id!r} and `create_chart` again.",
        )

    def _document(self, artifact: JsonArtifact[A]) -> A:
        found, path = self._read.get(artifact.key), self.run.path(artifact)
        if not isinstance(found, artifact.schema):
            digest = sha256_of(path) if path.is_file() else ""
            found = self._read[artifact.key] = _understood(self.run, artifact, digest)
        self.used[path] = None
        return found

    def _optional(self, artifact: JsonArtifact[A]) -> A | None:
        """None where it is missing or cannot be used: the chart goes on without."""
        try:
            return self._document(artifact)
        except PerfsuiteError:
            return None

    def _flags(self) -> "list[Flag]":
        """What began at some moment: bottlenecks, the most certain first, and what the samples alone tell."""
        from perfsuite_perfreport.core.charts.backdrop import Flag

        found: BottleneckAnalysis | None = self._optional(layout.BOTTLENECK_ANALYSIS)
        causes = sorted(found.bottlenecks if found else (), key=lambda one: _CERTAINTY.index(one.confidence))
        flags = [
            Flag(one.onset.at_s, printable(f"({one.confidence} confidence) {one.text}", _LONGEST_FLAG))
            for one in causes
            if one.onset
        ]
        kinds = {one.kind for one in causes}
        phases, health = self.performance.phases, self.performance.generator
        if phases and phases.drift.step_at_s is not None and "drift" not in kinds:
            flags.append(Flag(phases.drift.step_at_s, printable(phases.drift.reason, _LONGEST_FLAG)))
        if health and health.saturated_from_s is not None and "load_generator" not in kinds:
            flags.append(Flag(health.saturated_from_s, printable(f"Load generator: {health.reason}", _LONGEST_FLAG)))
        return flags
