"""Findings, suspicions and correlations in the words of the analyses: nothing is added to what they claim."""

from collections.abc import Iterator
from typing import Final

from perfsuite.artifacts.bottlenecks import Bottleneck, Evidence, Onset
from perfsuite.artifacts.correlations import CorrelationAnalysis
from perfsuite_perfreport.core.reporting.numbers import duration, name, plain, sentence
from perfsuite_perfreport.core.reporting.rules import class_of
from perfsuite_perfreport.core.reporting.sources import BOTTLENECKS, CORRELATION, Sources
from perfsuite_perfreport.models.report import ReportFinding, Statement, Suspicion

_ORDER: Final = ("critical", "major", "minor", "info")
_MOST_HIGHLIGHTS: Final = 4
_NAMES: Final = {"cpu": "CPU"}
_NO_CAUSE: Final = "What moves together need not be cause and effect: something else may move both."


def findings(sources: Sources) -> tuple[ReportFinding, ...]:
    """Of all analyses but that of the bottlenecks, which are told with their evidence; the worst first."""
    found = [
        ReportFinding(
            id=one.id, kind=one.kind, severity=one.severity, subject=name(one.subject), text=sentence(one.text),
            source=place,
        )
        for place, analysis in sources.analyses()
        if place != BOTTLENECKS
        for one in analysis.findings
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.severity)))


def suspicions(sources: Sources) -> tuple[Suspicion, ...]:
    """The bottlenecks in the order of their analysis, the likeliest first."""
    return tuple(_suspicion(one) for one in (sources.bottlenecks.bottlenecks if sources.bottlenecks else ()))


def highlights(sources: Sources) -> tuple[Statement, ...]:
    """The likeliest bottlenecks, then the gravest findings; each class once.

    Limits stand in their table, and the quality of the data in the confidence.
    """
    elsewhere = {"sla", *(note.kind for note in sources.performance.quality)}
    found = [
        (one.kind, one.subject, one.text, f"{BOTTLENECKS}: {one.id}")
        for one in (sources.bottlenecks.bottlenecks if sources.bottlenecks else ())
        if one.confidence != "low"
    ] + [
        (one.kind, one.subject, one.text, f"{one.source}: {one.id}")
        for one in findings(sources)
        if one.severity in ("critical", "major") and one.kind not in elsewhere
    ]
    told, classes, subjects = list[Statement](), set[str](), set[str]()
    for kind, subject, text, source in found:
        if class_of(kind) not in classes and subject not in subjects:
            told.append(Statement(text=sentence(text), source=source))
        classes.add(class_of(kind))
        subjects |= {subject} - {""}
    return tuple(told[:_MOST_HIGHLIGHTS])


def bottleneck_notes(sources: Sources) -> tuple[Statement, ...]:
    """Classes that were looked for in vain, and those that could not be looked for."""
    if sources.bottlenecks is None:
        return ()
    where = f"{BOTTLENECKS}: classes"
    return tuple(
        Statement(text=sentence(f"{_CLASS[one.verdict]} {class_name(one.kind)}. {one.reason}"), source=where)
        for one in sources.bottlenecks.classes
        if one.verdict != "found"
    )


def class_name(kind: str) -> str:
    """A class of bottlenecks as people call it."""
    return _NAMES.get(kind, kind.replace("_", " "))


_CLASS: Final = {"not_found": "Not found:", "not_evaluable": "Could not be looked for:"}


def correlation(found: CorrelationAnalysis | None) -> tuple[Statement, ...]:
    """The answer, and how far it reaches."""
    return () if found is None else tuple(_correlated(found))


def capacity(found: CorrelationAnalysis | None) -> tuple[Statement, ...]:
    """Knee, fit and Little's law, each with its own reason."""
    seen = found.capacity if found else None
    if seen is None:
        return ()
    parts = [("", seen.reason, "")] if seen.verdict == "not_evaluable" else []
    parts += [("Knee", seen.knee.reason, ".knee")] if seen.knee else []
    parts += [("Scalability law", seen.fit.reason, ".fit")] if seen.fit else []
    parts += [("Little's law", seen.little.reason, ".little")] if seen.little else []
    return tuple(
        Statement(text=sentence(f"{title}: {text}" if title else text), source=f"{CORRELATION}: capacity{key}")
        for title, text, key in parts
    )


def _correlated(found: CorrelationAnalysis) -> Iterator[Statement]:
    moving = [one for one in found.pairs if one.verdict == "moves_with"]
    where = f"{CORRELATION}: pairs"
    for one in moving[:10]:
        yield Statement(text=sentence(one.text), source=f"{CORRELATION}: {one.id}")
    if moving:
        yield Statement(text=_NO_CAUSE, source=where)
    elif found.answer == "insufficient_evidence":
        text = (
            f"Of {found.pairs_tested} pairs of a response and a metric none was found to move together beyond what the "
            "load explains. That is not a proof that none does."
        )
        yield Statement(text=text, source=f"{CORRELATION}: answer")
    else:
        text = f"It could not be tested whether a metric moves with the responses. {' '.join(found.reasons)}"
        yield Statement(text=sentence(text), source=f"{CORRELATION}: reasons")
    if found.untestable:
        text = f"{len(found.untestable)} metrics could not be tested."
        yield Statement(text=text, source=f"{CORRELATION}: untestable")


def _suspicion(one: Bottleneck) -> Suspicion:
    return Suspicion(
        id=one.id,
        kind=class_name(one.kind),
        subject=name(one.subject),
        confidence=one.confidence,
        text=sentence(one.text),
        evidence=tuple(map(_said, one.evidence)),
        counter_evidence=tuple(map(_said, one.counter_evidence)),
        onset=_onset(one.onset),
        next_check=sentence(one.next_check),
        source=f"{BOTTLENECKS}: {one.id}",
    )


def _said(one: Evidence) -> Statement:
    return Statement(text=sentence(one.text), source=name(one.source))


def _onset(onset: Onset | None) -> str:
    if onset is None:
        return ""
    load = [f"{plain(onset.users)} users"] if onset.users is not None else []
    load += [f"{plain(onset.arrivals_per_s)} arrivals per s"] if onset.arrivals_per_s is not None else []
    at = f"{duration(onset.at_s)} after the first sample ({onset.at:%H:%M:%S} UTC)"
    return at + (f", at {' and '.join(load)}" if load else "")
