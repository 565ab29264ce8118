"""What a report should say about the samples of a run, the worst first."""

from collections.abc import Iterator
from typing import Final

from perfsuite.artifacts.analyses import Finding, PerformanceAnalysis, Severity
from perfsuite_perfanalysis.core.identity import finding_id

ORDER: Final[tuple[Severity, ...]] = ("critical", "major", "minor", "info")
_WORTH_SAYING: Final = 0.01
_GRAVE: Final = 0.05
_QUICK: Final = 0.5
_FEWEST_ERRORS: Final = 20


def performance_findings(found: PerformanceAnalysis) -> tuple[Finding, ...]:
    """From everything else that the file holds."""
    parts = (_slas, _errors, _drift, _quality, _quick_failures)
    findings = [one for part in parts for one in part(found)]
    return tuple(sorted(findings, key=lambda one: (ORDER.index(one.severity), one.kind, one.id)))


def _slas(found: PerformanceAnalysis) -> Iterator[Finding]:
    for check in found.sla.checks if found.sla else ():
        if check.verdict in ("fail", "warn"):
            yield Finding(
                id=check.id,
                kind="sla",
                severity="major" if check.verdict == "fail" else "minor",
                subject=check.subject,
                text=f"{check.metric} of {check.subject!r}: {check.reason}",
                evidence={"limit": check.limit, "actual": check.actual, "low": check.low, "high": check.high},
            )


def _errors(found: PerformanceAnalysis) -> Iterator[Finding]:
    samples = found.overall.whole.samples if found.overall else 0
    for cause in found.errors:
        share = cause.count / samples if samples else 1.0
        if share >= _WORTH_SAYING:
            yield Finding(
                id=cause.id,
                kind="errors",
                severity="critical" if share >= _GRAVE else "major",
                subject=", ".join(list(cause.labels)[:3]),
                text=f"{cause.count} failures ({share:.1%} of all samples) say {cause.message!r} "
                f"with code {cause.response_code!r}.",
                evidence={"count": cause.count, "share": share, "first_seen": cause.first_seen.isoformat()},
            )


def _drift(found: PerformanceAnalysis) -> Iterator[Finding]:
    drift = found.phases.drift if found.phases else None
    if drift is not None and drift.verdict == "drift":
        yield Finding(
            id=finding_id("drift"),
            kind="drift",
            severity="major" if (drift.change or 0) > 0 else "minor",
            subject="",
            text=f"Under constant load the run is not steady. {drift.reason}",
            evidence={
                "change": drift.change,
                "change_low": drift.change_low,
                "change_high": drift.change_high,
                "start_ms": drift.start_ms,
                "end_ms": drift.end_ms,
                "p_value": drift.p_value,
                "n": drift.n,
                "n_effective": drift.n_effective,
                "step_at_s": drift.step_at_s,
            },
        )


def _quality(found: PerformanceAnalysis) -> Iterator[Finding]:
    for note in found.quality:
        if note.severity != "info":
            yield Finding(
                id=finding_id(note.kind, str(sorted(note.details.items()))),
                kind=note.kind,
                severity=note.severity,
                subject="",
                text=note.text,
                evidence=note.details,
            )


def _quick_failures(found: PerformanceAnalysis) -> Iterator[Finding]:
    """Failures that come back at once make the numbers of all samples look good."""
    for one in (found.overall, *found.labels):
        numbers = (one.steady or one.whole) if one else None
        if one is None or numbers is None or numbers.errors < _FEWEST_ERRORS:
            continue
        all_ms, alone_ms = numbers.percentiles_ms.get("p50_ms"), numbers.success_percentiles_ms.get("p50_ms")
        if all_ms is not None and alone_ms is not None and all_ms < _QUICK * alone_ms:
            yield Finding(
                id=finding_id("quick_failures", one.kind, one.label),
                kind="quick_failures",
                severity="major",
                subject=one.label,
                text=f"Failures are quick: the median of all is {all_ms:.0f} ms, of successes {alone_ms:.0f} ms.",
                evidence={"p50_ms": all_ms, "success_p50_ms": alone_ms, "errors": numbers.errors},
            )
