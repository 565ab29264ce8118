"""Brings the results of a run that has ended into samples and a report, and proves that nothing is missing."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.layout import Artifact
from perfsuite.errors import Conflict, NotReady
from perfsuite.samples.definitions import Choice, Selection
from perfsuite.samples.options import DEFAULT_READ
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger
from perfsuite_jmeter.client.results import lines
from perfsuite_jmeter.core.counts import Collected, compared
from perfsuite_jmeter.core.summariser import last_total
from perfsuite_jmeter.models.live import CollectedRun
from perfsuite_jmeter.models.runs import STATE
from perfsuite_jmeter.service.runs import Observed, observe, started

if TYPE_CHECKING:
    from perfsuite.samples.engine import Progress
    from perfsuite.samples.statistics import Statistics
    from perfsuite.workflow.bringing import Brought

TOOL: Final = "collect_jmeter_results"
_STAGE: Final = "jmeter"
_STATUS_TOOL: Final = "get_jmeter_run_status"
_START_TOOL: Final = "start_jmeter_test"
_LONGEST_LINE: Final = 4_096
_LONGEST_REASON: Final = 400
_MOST_WARNINGS: Final = 10
_MOST_REJECTED: Final = 5
_FILES: Final = (layout.JMETER_RESULTS, layout.JMETER_LOG, layout.JMETER_AGGREGATE, layout.SAMPLES)


def _nobody_asks(_what: str, _share: float) -> None:
    """Whoever does not want to know how far it is."""


def collect_results(runs: RunStore, run_id: str, progress: "Progress" = _nobody_asks) -> CollectedRun:
    """Collect a run that has ended. Doing it again gives the same files."""
    from perfsuite.workflow.bringing import Origin, bringing, describe, report

    run = runs.open(run_id)
    seen = observe(run)
    _refuse_unfinished(seen)
    origin = Origin(_STAGE, TOOL, layout.JMETER_AGGREGATE)
    ledger = Ledger(run)
    _prove_start(ledger)
    with ledger.step(_STAGE, "wait", tool=_STATUS_TOOL, inputs=_existing(run, STATE)):
        # That it has ended was seen before; this notes of which attempt.
        pass
    results = run.path(layout.JMETER_RESULTS)
    with ledger.step(_STAGE, "collect", tool=TOOL, inputs=[results]) as step:
        with bringing(run, origin, [results], DEFAULT_READ, progress) as found:
            progress("checking files", 0.0)
        describe(run, origin, found.window)
        for artifact in (layout.JMETER_RESULTS, layout.JMETER_LOG, layout.SAMPLES):
            for path in _existing(run, artifact):
                step.produced(path)
    report(ledger, origin, found.rows)
    return _collected(seen, found)


def _prove_start(ledger: Ledger) -> None:
    """Note that the test was started where whoever started it was killed before noting that."""
    noted = {one.step for one in ledger.folder.record().ledger if (one.stage, one.state) == (_STAGE, "done")}
    for step in ("validate_plan", "check_guard_rails", "start"):
        if step not in noted:
            with ledger.step(_STAGE, step, tool=_START_TOOL):
                pass


def _refuse_unfinished(seen: Observed) -> None:
    run_id, condition = seen.run.run_id, seen.condition
    if not started(seen.run):
        raise NotReady(f"Run {run_id!r} was never started by JMeter.", next_step="Call `start_jmeter_test` first.")
    if condition.is_live:
        raise NotReady(
            f"Run {run_id!r} is {condition.state}: its results are not complete.",
            next_step=f"Call `{_STATUS_TOOL}` with `wait_s` until it has ended, or end it by `stop_jmeter_test`.",
        )
    if condition.state == "lost":
        raise NotReady(
            f"Whether run {run_id!r} has ended cannot be told: {condition.reason}",
            next_step="Collect it on the machine that ran it, or start it again by `start_jmeter_test` with `rerun`.",
        )
    if not seen.facts.has_samples:
        raise NotReady(
            f"Run {run_id!r} {condition.state} without a sample: {condition.reason}",
            next_step="Call `analyze_jmeter_log` for the cause.",
        )
    source = seen.run.record().source
    if source not in (None, _STAGE):
        raise Conflict(
            f"Run {run_id!r} holds the samples of {source!r}, which collecting would replace.",
            next_step="Start the test under another run id.",
        )


def _existing(run: RunFolder, artifact: Artifact) -> list[Path]:
    path = run.path(artifact)
    return [path] if path.is_file() else []


def _collected(seen: Observed, found: "Brought") -> CollectedRun:
    run = seen.run
    labels, total = _statistics(run)
    samples, errors = total.samples, total.errors
    collected = Collected(
        samples=samples,
        errors=errors,
        subs=_samples_of(labels, "sub"),
        rejected=found.rows_rejected,
        state=seen.condition.state,
        ended_itself=seen.facts.end_of_run_printed,
    )
    totals = (last_total(lines(run.path(one), _LONGEST_LINE)) for one in (layout.JMETER_CONSOLE, layout.JMETER_LOG))
    return CollectedRun(
        run_id=run.run_id,
        state=seen.condition.state,
        reason=printable(seen.condition.reason, _LONGEST_REASON),
        samples=samples,
        transactions=_samples_of(labels, "transaction"),
        errors=errors,
        rows_rejected=found.rows_rejected,
        first_sample_at=_text(found.window.first_sample_at),
        last_sample_at=_text(found.window.last_sample_at),
        counts=compared(collected, *totals),
        files=[path.relative_to(run.root).as_posix() for one in _FILES for path in _existing(run, one)],
        notes=_notes(run, found),
        next_step=f"Call `analyze_test_results` for run {run.run_id!r}, or `query_samples` for single questions.",
    )


def _statistics(run: RunFolder) -> tuple[list["Statistics"], "Statistics"]:
    from perfsuite.samples import open as open_samples

    return open_samples(run).statistics(Choice(percentiles=()), Selection(kind=None))


def _samples_of(labels: list["Statistics"], kind: str) -> int:
    return sum(one.samples for one in labels if one.kind == kind)


def _notes(run: RunFolder, found: "Brought") -> list[str]:
    notes = [printable(warning) for warning in found.warnings[:_MOST_WARNINGS]]
    notes += [f"Line {row.line}: {row.reason}." for file in found.files for row in file.rejected[:_MOST_REJECTED]]
    if not _existing(run, layout.JMETER_LOG):
        notes.append(f"There is no {layout.JMETER_LOG.place!r}: JMeter did not come so far as to write one.")
    return notes


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
