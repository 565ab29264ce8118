"""Reads what a report is made of. Only the analysis of the samples must be there."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from perfsuite.artifacts import JsonArtifact, RunFolder, layout, sha256_of
from perfsuite.artifacts.analyses import Analysis, Input, PerformanceAnalysis
from perfsuite.errors import BadFile, NotReady
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger, RunningStep
from perfsuite.workflow.stages import PERFANALYSIS
from perfsuite_perfreport.core.reporting.scope import LIMITS_CAME_LATER
from perfsuite_perfreport.core.reporting.sources import Sources
from perfsuite_perfreport.models.report import Missing, Picture
from perfsuite_perfreport.service.metric_files import metric_files
from perfsuite_perfreport.service.metric_plots import metric_plots
from perfsuite_perfreport.service.pictures import Drawn

A = TypeVar("A", bound=Analysis)
_WHAT: Final = {
    layout.INFRASTRUCTURE_ANALYSIS.key: "CPU and memory of hosts and services",
    layout.CORRELATION_ANALYSIS.key: "What moved with the response times, and the capacity",
    layout.BOTTLENECK_ANALYSIS.key: "What held the system back",
    layout.LOG_ANALYSIS.key: "Logs and groups of failures",
}


_FOLDERS: Final = re.compile(r"'(?:[A-Za-z]:)?[/\\][^'\n]*[/\\]([^'/\\\n]+)'")
"""The path of a file outside the run folder: a report goes to people who need not know where it lies."""


@dataclass
class _Gathering:
    """What was read so far."""

    run: RunFolder
    step: RunningStep
    inputs: list[Input] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    def required(self, artifact: JsonArtifact[A]) -> A:
        self._note(self.run.path(artifact))
        found = self.run.load(artifact)
        if found.run_id != self.run.run_id:
            raise BadFile(
                f"{artifact.place!r} in the folder of run {self.run.run_id!r} is about run {found.run_id!r}.",
                next_step=f"Call {artifact.makers} for run {self.run.run_id!r}.",
            )
        return found

    def optional(self, artifact: JsonArtifact[A]) -> A | None:
        """None where there is no such file; one that cannot be used is told as missing, and the report goes on."""
        try:
            return self.required(artifact)
        except NotReady:
            return None
        except BadFile as error:
            why, what = printable(error.message, 300).rstrip("."), _WHAT[artifact.key]
            self.missing.append(Missing(what=what, why=why, next_step=error.next_step))
            return None

    def pictures(self, found: tuple[Picture, ...]) -> tuple[Picture, ...]:
        for one in found:
            self._note(self.run.root / one.file)
        return found

    def metrics(self) -> list[Path]:
        found = metric_files(self.run)
        for path in found:
            self._note(path)
        return found

    def _note(self, path: Path) -> None:
        if path.is_file():
            digest = sha256_of(path)
            self.step.used(path, sha256=digest)
            self.inputs.append(Input(path=path.relative_to(self.run.root).as_posix(), sha256=digest))


def gather(run: RunFolder, step: RunningStep, drawn: Drawn) -> Sources:
    """Everything that is there, noted as input of the step."""
    reading = _Gathering(run, step)
    performance = _since_then(run, reading.required(layout.PERFORMANCE_ANALYSIS))
    infrastructure = reading.optional(layout.INFRASTRUCTURE_ANALYSIS)
    correlation = reading.optional(layout.CORRELATION_ANALYSIS)
    bottlenecks = reading.optional(layout.BOTTLENECK_ANALYSIS)
    logs = reading.optional(layout.LOG_ANALYSIS)
    shown = reading.pictures(drawn.pictures)
    metrics = reading.metrics()
    return Sources(
        performance=performance,
        facts=run.record(),
        infrastructure=infrastructure,
        correlation=correlation,
        bottlenecks=bottlenecks,
        logs=logs,
        missing=(*reading.missing, *_stale(run), *drawn.missing),
        inputs=tuple(sorted(reading.inputs, key=lambda one: one.path)),
        pictures=shown,
        metric_plots=metric_plots(run, performance, metrics),
    )


def _since_then(run: RunFolder, found: PerformanceAnalysis) -> PerformanceAnalysis:
    """An analysis without limits, whose reason would be wrong now that there are some."""
    ledger = run.record().ledger
    looked_for = [one for step in ledger if step.step == "test_results" for one in step.inputs if one.absent]
    if found.sla is None or found.sla.checks or not any(Path(one.path).is_file() for one in looked_for):
        return found
    return found.model_copy(update={"sla": found.sla.model_copy(update={"reason": LIMITS_CAME_LATER})})


def _stale(run: RunFolder) -> tuple[Missing, ...]:
    """Analyses that are older than what they were made of."""
    [stage] = [one for one in Ledger(run).status().stages if one.stage == PERFANALYSIS.id]
    return tuple(
        Missing(
            what=f"{one.title}, as it is now",
            why=printable(_FOLDERS.sub(r"'\1'", "; ".join(one.reasons)), 300).rstrip("."),
            next_step=f"Call `{one.tool}` again, then this report.",
            is_stale=True,
        )
        for one in stage.steps
        if one.state == "stale"
    )
