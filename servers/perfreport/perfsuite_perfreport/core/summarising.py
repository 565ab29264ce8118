"""The summary of a workflow: outcomes, and numbers side by side that claim no difference without a test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from perfsuite.artifacts import layout
from perfsuite.artifacts.analyses import PerformanceAnalysis
from perfsuite.artifacts.comparisons import Compared, Comparison, PairComparison
from perfsuite.artifacts.infrastructure import InfrastructureAnalysis, Resource
from perfsuite.workflow.status import RunStatus, StepStatus
from perfsuite_perfreport.core.markdown.escaping import Md, code, escaped, lozenge
from perfsuite_perfreport.core.markdown.tables import table
from perfsuite_perfreport.core.reporting.numbers import name, sentence
from perfsuite_perfreport.core.reporting.scope import numbers_of, window_name
from perfsuite_perfreport.core.reporting.verdict_table import WORDS
from perfsuite_perfreport.models.report import Cell, Column, Form, Table
from perfsuite_perfreport.models.workflow import Metrics, Outcome, RunOutcome

_SETTLED: Final = ("done", "skipped")
_RATED: Final = {"cpu_util_pct": "CPU", "mem_util_pct": "memory"}
_MOST_CHANGES: Final = 20
_TROUBLED: Final = ("failed", "interrupted", "stale")


@dataclass(frozen=True)
class Ended:
    """A run at the end of a workflow."""

    run_id: str
    status: RunStatus | None
    performance: PerformanceAnalysis | None
    infrastructure: InfrastructureAnalysis | None
    files: tuple[str, ...]
    problem: str = ""
    page_url: str | None = None


def outcome_of(run: Ended) -> RunOutcome:
    """Success where all is done, failed where there are no numbers, and partial in between."""
    outcome, reason = _judged(run)
    found = run.performance
    return RunOutcome(
        run_id=run.run_id,
        outcome=outcome,
        reason=sentence(reason),
        sla=found.sla.verdict if found and found.sla else "not_evaluated",
        metrics=_metrics(found) if found else None,
        page_url=run.page_url,
    )


def outcome_of_all(runs: Sequence[RunOutcome]) -> Outcome:
    """The whole is what all of its runs are, else partial."""
    outcomes = {one.outcome for one in runs}
    return outcomes.pop() if len(outcomes) == 1 else "Partial Success"


def summary(workflow_id: str, runs: Sequence[Ended], comparisons: Sequence[Comparison]) -> str:
    """The whole summary as Markdown."""
    outcomes = [outcome_of(run) for run in runs]
    parts = [
        f"# Workflow summary: {escaped(workflow_id)}",
        lozenge(outcome_of_all(outcomes).upper()),
        *(f"- {escaped(one.run_id)}: {lozenge(one.outcome.upper())} {escaped(one.reason)}" for one in outcomes),
        *(["## Pages", *pages] if (pages := [_page(run) for run in runs if run.page_url]) else []),
        "## Numbers",
        table(_numbers(outcomes), 1),
        "## CPU and memory (whole run)",
        table(_resources(runs), 2),
    ]
    if len(runs) > 1:
        parts += ["## Differences", *_differences([run.run_id for run in runs], comparisons)]
    parts += ["## Files", *(_files(run) for run in runs)]
    return _joined(parts)


def _page(run: Ended) -> str:
    return f"- {escaped(run.run_id)}: {code(run.page_url or '')}"


def _judged(run: Ended) -> tuple[Outcome, str]:
    troubled = list(_troubled(run.status)) if run.status else []
    if run.status is None or run.performance is None or run.performance.status == "not_available":
        # What went wrong first is why there is no analysis.
        first = f"{troubled[0][0]}. {' '.join(troubled[0][1].reasons)}" if troubled else ""
        return "Failed", first or run.problem or "There is no analysis of its samples."
    if troubled:
        return "Partial Success", f"{'; '.join(told for told, _ in troubled[:5])}."
    left = [stage.title for stage in run.status.stages if stage.state not in _SETTLED]
    if left:
        following = f" Next: `{run.status.next.tool}`." if run.status.next else ""
        return "Partial Success", f"Not finished: {', '.join(left)}.{following}"
    return "Success", "Every stage that was asked for is done."


def _troubled(status: RunStatus) -> Iterator[tuple[str, StepStatus]]:
    for stage in status.stages:
        for step in stage.steps:
            if step.state in _TROUBLED:
                yield f"{stage.title}{f', {step.title}' if step.title != stage.title else ''} is {step.state}", step


def _metrics(found: PerformanceAnalysis) -> Metrics | None:
    if found.overall is None:
        return None
    numbers = numbers_of(found.overall)
    return Metrics(
        window=window_name(found),
        samples=numbers.samples,
        success_rate=None if numbers.error_rate is None else 1 - numbers.error_rate,
        mean_ms=numbers.mean_ms,
        p90_ms=numbers.percentiles_ms.get("p90_ms"),
        p95_ms=numbers.percentiles_ms.get("p95_ms"),
        peak_per_s=found.peak.completed_per_s if found.peak else None,
        error_rate=numbers.error_rate,
    )


def _columns(*named: tuple[str, Form]) -> tuple[Column, ...]:
    return tuple(Column(title=title, form=form) for title, form in named)


def _numbers(outcomes: Sequence[RunOutcome]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in outcomes:
        found = one.metrics
        values = (
            (found.samples, found.success_rate, found.mean_ms, found.p90_ms, found.p95_ms, found.peak_per_s,
             found.error_rate, found.window)
            if found
            else (None, None, None, None, None, None, None, "no analysis")
        )  # fmt: skip
        rows.append((name(one.run_id), *values, one.sla.replace("_", " ").upper()))
    return Table(
        id="numbers", title="Numbers of the runs",
        columns=_columns(
            ("Run", "text"), ("Samples", "count"), ("Success %", "share"), ("Average ms", "ms"), ("P90 ms", "ms"),
            ("P95 ms", "ms"), ("Peak per s", "number"), ("Errors %", "share"), ("Of the", "text"), ("SLA", "status"),
        ),
        rows=tuple(rows), source=layout.PERFORMANCE_ANALYSIS.place, empty="No run was analysed.",
    )  # fmt: skip


def _resources(runs: Sequence[Ended]) -> Table:
    rows = [
        (
            name(run.run_id),
            name(resource.name),
            _rated(resource, metric.metric),
            metric.whole.average,
            metric.whole.maximum,
        )
        for run in runs
        for resource in (run.infrastructure.resources if run.infrastructure else ())
        for metric in resource.metrics
        if metric.metric in _RATED
    ]
    return Table(
        id="resources", title="Average and peak of CPU and memory (whole run)",
        columns=_columns(
            ("Run", "text"), ("Host or service", "text"), ("Metric", "text"), ("Average", "number"), ("Peak", "number")
        ),
        rows=tuple(rows), source=layout.INFRASTRUCTURE_ANALYSIS.place, empty="No use of CPU and memory was analysed.",
    )  # fmt: skip


def _rated(resource: Resource, metric: str) -> str:
    return f"{_RATED[metric]}, % of the {'host' if resource.scope == 'host' else 'limit'}"


def _differences(run_ids: list[str], comparisons: Sequence[Comparison]) -> Iterator[str]:
    directions = {(pair.baseline, pair.candidate) for one in comparisons for pair in one.pairs}
    if twice := sorted({pair for pair in directions if pair[::-1] in directions and pair[0] < pair[1]}):
        told = "; ".join(f"{escaped(a)} and {escaped(b)}" for a, b in twice)
        yield (
            f"Compared in both directions: {told}. It is one difference seen from two sides: what is a regression "
            "against the one is an improvement against the other."
        )
    for one in comparisons:
        for pair in one.pairs:
            yield from _difference(one, pair)
    compared = {run_id for one in comparisons for run_id in (one.baseline, *one.run_ids)}
    if untested := [run_id for run_id in run_ids if run_id not in compared]:
        yield (
            f"Not tested against the others: {', '.join(map(escaped, untested))}. Numbers that stand side by side are "
            "no difference until `compare_test_runs` says so."
        )


def _difference(comparison: Comparison, pair: PairComparison) -> Iterator[str]:
    source = code(f"comparisons/{comparison.comparison_id}/comparison.json")
    against = f"{escaped(pair.candidate)} against {escaped(pair.baseline)}"
    told = f"{against}: {lozenge(WORDS[pair.verdict])} {escaped(sentence(pair.reason))}"
    yield f"{told} ({source})"
    changes = [one for one in pair.changes if one.verdict in ("regression", "improvement")]
    if changes:
        yield "\n".join(_change(one) for one in changes[:_MOST_CHANGES])
    if len(changes) > _MOST_CHANGES:
        yield f"{len(changes) - _MOST_CHANGES} more changes are in the file."


def _change(one: Compared) -> str:
    by = "" if one.change is None else f" by {one.change:+.1%}"
    low, high = one.change_low, one.change_high
    within = "" if low is None or high is None else f" ({low:+.1%} to {high:+.1%})"
    return f"- {escaped(name(one.label))}, {escaped(one.metric)}: {one.verdict}{by}{within}"


def _files(run: Ended) -> str:
    listed = [f"- {code(file)}" for file in run.files] or ["- none"]
    return "\n".join([f"{escaped(run.run_id)}:", "", *listed])


def _joined(parts: Sequence[str]) -> Md:
    """Items of one list stand below each other, all else apart."""
    text = ""
    for before, part in zip(("", *parts), parts, strict=False):
        is_item = part.startswith("- ") and before.startswith("- ")
        text += ("\n" if is_item else "\n\n" if text else "") + part
    return Md(text + "\n")
