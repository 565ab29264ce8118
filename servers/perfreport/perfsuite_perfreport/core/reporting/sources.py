"""What a report is made of."""

from dataclasses import dataclass, field
from typing import Final

from perfsuite.artifacts import layout
from perfsuite.artifacts.analyses import Analysis, Input, PerformanceAnalysis
from perfsuite.artifacts.bottlenecks import BottleneckAnalysis
from perfsuite.artifacts.correlations import CorrelationAnalysis
from perfsuite.artifacts.infrastructure import InfrastructureAnalysis
from perfsuite.artifacts.log_findings import LogAnalysis
from perfsuite.artifacts.schemas import RunFacts
from perfsuite_perfreport.models.report import Missing, Picture, Plot

PERFORMANCE: Final = layout.PERFORMANCE_ANALYSIS.place
INFRASTRUCTURE: Final = layout.INFRASTRUCTURE_ANALYSIS.place
CORRELATION: Final = layout.CORRELATION_ANALYSIS.place
BOTTLENECKS: Final = layout.BOTTLENECK_ANALYSIS.place
LOGS: Final = layout.LOG_ANALYSIS.place
RECORD: Final = layout.RUN_RECORD.place


@dataclass(frozen=True)
class Sources:
    """The analyses of a run, of which only that of its samples must be there."""

    performance: PerformanceAnalysis
    facts: RunFacts
    infrastructure: InfrastructureAnalysis | None = None
    correlation: CorrelationAnalysis | None = None
    bottlenecks: BottleneckAnalysis | None = None
    logs: LogAnalysis | None = None
    missing: tuple[Missing, ...] = ()
    """Analyses that could not be read, or are out of date."""
    inputs: tuple[Input, ...] = ()
    pictures: tuple[Picture, ...] = ()
    metric_plots: tuple[Plot, ...] = field(default=())

    def analyses(self) -> tuple[tuple[str, Analysis], ...]:
        """Those that are there, with their files."""
        pairs = (
            (PERFORMANCE, self.performance),
            (INFRASTRUCTURE, self.infrastructure),
            (CORRELATION, self.correlation),
            (BOTTLENECKS, self.bottlenecks),
            (LOGS, self.logs),
        )
        return tuple((place, found) for place, found in pairs if found is not None)
