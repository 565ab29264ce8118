"""What is told of the analyses of metrics, correlations, bottlenecks and logs: the files have all."""

from collections import Counter
from typing import Final

from perfsuite.artifacts import layout
from perfsuite.artifacts.analyses import Analysis
from perfsuite.artifacts.bottlenecks import Bottleneck, BottleneckAnalysis
from perfsuite.artifacts.correlations import CorrelationAnalysis, Pair
from perfsuite.artifacts.infrastructure import InfrastructureAnalysis, Metric, Reading, Resource
from perfsuite.artifacts.layout import Artifact
from perfsuite.artifacts.log_findings import LogAnalysis, LogGroup
from perfsuite.mcp.answers import fit
from perfsuite.samples.rows import printable
from perfsuite_perfanalysis.core import thresholds
from perfsuite_perfanalysis.core.logs.entries import LEVELS
from perfsuite_perfanalysis.models.digest import Digest, Row
from perfsuite_perfanalysis.service.correlating import why_untested
from perfsuite_perfanalysis.service.digests import DATA, told

_LONGEST: Final = 9_000
_FOR_ROWS: Final = 4_000
_FOR_FINDINGS: Final = 3_000
_MOST_REASONS: Final = 5
_MOST_UNCERTAIN: Final = 3
_LONGEST_NAME: Final = 80
_CALM_LEVELS: Final = ("INFO", "DEBUG", "TRACE")


def environment_digest(found: InfrastructureAnalysis) -> Digest:
    """The busiest hosts and containers, and the worst findings."""
    busiest = sorted(found.resources, key=lambda one: (-_busyness(one), one.name))
    summary: Row = {
        "hosts": found.hosts,
        "containers": found.containers,
        "services": len(found.services),
        "steady_from_s": short(found.steady_from_s),
        "steady_to_s": short(found.steady_to_s),
        "leak_suspects": sum(one.leak == "suspected" for one in found.resources),
    }
    step = f"Call `correlate_test_results` and then `identify_bottlenecks` for run {found.run_id!r}."
    return digest(found, layout.INFRASTRUCTURE_ANALYSIS, summary, [_resource(one) for one in busiest], [], step)


def correlation_digest(found: CorrelationAnalysis) -> Digest:
    """What moves with the responses, the capacity, and how much was tested."""
    certain = [one for one in found.pairs if one.verdict == "moves_with"]
    others = [one for one in found.pairs if one.verdict != "moves_with"]
    capacity = found.capacity
    knee, fit = (capacity.knee, capacity.fit) if capacity else (None, None)
    summary: Row = {
        "answer": found.answer,
        "pairs_tested": found.pairs_tested,
        "pairs_certain": len(certain),
        "buckets": max((one.buckets for one in found.grids), default=0),
        "given": ", ".join(sorted({name for one in found.grids for name in one.given})),
        "clock": found.clock.verdict if found.clock else None,
        "capacity": printable(capacity.reason) if capacity else None,
        "knee": knee.verdict if knee else None,
        "knee_users": short(knee.users) if knee else None,
        "knee_users_low": short(knee.users_low) if knee else None,
        "knee_users_high": short(knee.users_high) if knee else None,
        "knee_reason": printable(knee.reason) if knee else None,
        "usl": fit.verdict if fit else None,
        "usl_reason": printable(fit.reason) if fit and fit.verdict != "valid" else None,
        "usl_peak_users": short(fit.peak_users) if fit else None,
        "little": capacity.little.verdict if capacity and capacity.little else None,
    }
    notes = [note for grid in found.grids for note in grid.notes]
    notes += why_untested(found.untestable) if found.answer != "not_evaluable" else []
    if others:
        notes.append("Of the pairs that are not certain, only those nearest to it are shown, after the certain ones.")
    step = f"Call `identify_bottlenecks` for run {found.run_id!r}. Say `moves with`, never `caused by`."
    rows = [_pair(one) for one in (*certain, *others[:_MOST_UNCERTAIN])]
    return digest(
        found, layout.CORRELATION_ANALYSIS, summary, rows, notes, step, is_cut=len(rows) < found.pairs_tested
    )  # fmt: skip


def bottleneck_digest(found: BottleneckAnalysis) -> Digest:
    """What was found, and what came of looking for each class."""
    summary: Row = {one.kind: one.verdict for one in found.classes}
    blind = [f"{one.kind}: {one.reason}" for one in found.classes if one.verdict == "not_evaluable"]
    notes = [one for one in blind if one not in found.reasons[:_MOST_REASONS]][:4]
    step = (
        f"Say what was found with its confidence and what speaks against it; then `analyze_logs` for {found.run_id!r}."
    )
    rows = [_bottleneck(one) for one in found.bottlenecks]
    told = found.model_copy(update={"findings": ()})
    return digest(told, layout.BOTTLENECK_ANALYSIS, summary, rows, notes, step)


def log_digest(found: LogAnalysis) -> Digest:
    """The most serious groups."""
    summary: Row = {
        "entries": found.entries,
        "groups": len(found.groups) + found.groups_left_out,
        "new_groups": sum(one.is_new is True for one in found.groups) if found.baseline_run_id else None,
        "baseline_run_id": found.baseline_run_id,
        "error_onset_s": short(found.error_onset_s),
        "levels": _levels(found),
        "sources": ", ".join(f"{one.path}: {one.entries}" for one in found.sources)[:300],
    }
    serious = [one for one in found.groups if one.level not in _CALM_LEVELS]
    notes = [note for one in found.sources for note in one.notes]
    if len(serious) < len(found.groups):
        notes.append(f"{len(found.groups) - len(serious)} groups of INFO and less are in the file only.")
    step = f"Call `query_samples` about `error_groups`, or `create_performance_test_report` for run {found.run_id!r}."
    told = found.model_copy(update={"findings": ()})
    return digest(told, layout.LOG_ANALYSIS, summary, [_log_group(one) for one in serious], notes, step)


def _levels(found: LogAnalysis) -> str:
    counts = Counter[str]()
    for one in found.sources:
        counts.update(one.by_level or {"failed samples": one.entries})
    order = {level: number for number, level in enumerate(("failed samples", *LEVELS))}
    named = sorted((one for one in counts.items() if one[1]), key=lambda one: order.get(one[0], len(order)))
    return ", ".join(f"{level}: {count}" for level, count in named)


def digest(
    found: Analysis,
    artifact: Artifact,
    summary: Row,
    rows: list[Row],
    notes: list[str],
    next_step: str,
    *,
    is_cut: bool = False,
) -> Digest:
    """The gist of an analysis, in less than an answer may hold. `is_cut`: there are more rows than these."""
    shown = fit(rows, reserve=_LONGEST - _FOR_ROWS, longest=_LONGEST)
    findings = told(found.findings, _FOR_FINDINGS)
    return Digest(
        id=found.run_id,
        file=artifact.place,
        status=found.status,
        reasons=[printable(one, 250) for one in found.reasons[:_MOST_REASONS]],
        summary=summary,
        rows=shown.items,
        has_more=is_cut or shown.has_more or len(findings) < len(found.findings),
        findings=findings,
        notes=[*(printable(one, 250) for one in notes), DATA],
        next_step=next_step,
    )


def short(value: float | None) -> float | None:
    """A number as an answer shows it."""
    return None if value is None else float(f"{value:.4g}")


def name(text: str) -> str:
    """A name as an answer shows it."""
    return printable(text, _LONGEST_NAME)


def _resource(one: Resource) -> Row:
    metrics = {metric.metric: metric for metric in one.metrics}
    throttled = metrics.get(thresholds.THROTTLED)
    return {
        "name": name(one.name),
        "scope": one.scope,
        "numbers_are_of": _window_of(one),
        **({"service": name(one.service)} if one.service else {}),
        **_use("cpu", metrics.get(thresholds.CPU)),
        **_use("mem", metrics.get(thresholds.MEMORY)),
        **({"throttled_pct": short(_seen(throttled).average)} if throttled is not None else {}),
        **({"restarts_in_whole_run": one.restarts} if one.restarts is not None else {}),
        "leak": one.leak,
        **({"not_rated": ", ".join(sorted({f"{part.metric}: {part.reason}" for part in one.not_rated}))[:200]}
           if one.not_rated else {}),
    }  # fmt: skip


def _pair(one: Pair) -> Row:
    return {
        "id": one.id,
        "response": name(one.response),
        "resource": name(one.resource),
        "metric": name(one.metric),
        "verdict": one.verdict,
        "partial": short(one.partial),
        "raw": short(one.raw),
        "lag_s": one.lag_s,
        "n": one.n,
        "n_effective": short(one.n_effective),
        "p_adjusted": short(one.p_adjusted),
    }


def _bottleneck(one: Bottleneck) -> Row:
    return {
        "id": one.id,
        "kind": one.kind,
        "subject": name(one.subject),
        "confidence": one.confidence,
        "text": printable(one.text, 250),
        "evidence": [printable(part.text, 200) for part in one.evidence[:3]],
        "counter_evidence": [printable(part.text, 200) for part in one.counter_evidence[:2]],
        "onset_s": short(one.onset.at_s) if one.onset else None,
        "onset_users": short(one.onset.users) if one.onset else None,
        "next_check": printable(one.next_check, 200),
    }


def _log_group(one: LogGroup) -> Row:
    return {
        "id": one.id,
        "source": one.kind,
        "level": one.level,
        "service": name(one.service),
        "template": printable(one.template, 200),
        "count": one.count,
        "root_cause": printable(one.root_cause, 100) if one.root_cause else None,
        "first_seen": one.first_seen.isoformat() if one.first_seen else None,
        "first_seen_s": short(one.onset.at_s) if one.onset else None,
        "users": short(one.onset.users) if one.onset else None,
        "relation": one.onset.relation if one.onset else None,
        **({"is_new": one.is_new} if one.is_new is not None else {}),
    }


def _use(what: str, metric: Metric | None) -> Row:
    if metric is None:
        return {}
    seen = _seen(metric)
    return {
        f"{what}_avg_pct": short(seen.average),
        f"{what}_p95_pct": short(seen.p95),
        f"{what}_max_pct": short(seen.maximum),
        f"{what}_above_s": short(seen.above_threshold_s),
        f"{what}_trend": metric.trend.verdict,
    }


def _seen(metric: Metric) -> Reading:
    """The numbers that reports show as well: those of the steady state, where there is one."""
    return metric.steady or metric.whole


def _window_of(one: Resource) -> str:
    shown = [part for part in one.metrics if part.metric in (thresholds.CPU, thresholds.MEMORY, thresholds.THROTTLED)]
    windows = {"whole run" if part.steady is None else "steady state" for part in shown or one.metrics}
    return ", else ".join(sorted(windows)) or "whole run"


def _busyness(one: Resource) -> float:
    rated = [_seen(part).p95 for part in one.metrics if part.metric in (thresholds.CPU, thresholds.MEMORY)]
    return max(rated, default=0.0)
