"""The verdict of a report, and how sure it is: no more than the analyses say."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from perfsuite_perfreport.core.reporting.sources import BOTTLENECKS, Sources
from perfsuite_perfreport.core.reporting.verdict_table import OF_LIMITS
from perfsuite_perfreport.models.report import Confidence, Verdict

_GRAVE: Final = ("major", "critical")
_LEVELS: Final[tuple[Confidence, ...]] = ("high", "medium", "low")


@dataclass(frozen=True)
class Judgement:
    """A verdict in one sentence, and what speaks against trusting it."""

    verdict: Verdict
    reason: str
    confidence: Confidence
    doubts: tuple[str, ...]


def judge(sources: Sources) -> Judgement:
    """From the SLA verdict, the generator's health, the findings and the quality of the data."""
    verdict, reason = _verdict(sources)
    doubts = tuple(_doubts(sources))
    worst = max((_LEVELS.index(level) for level, _ in doubts), default=0)
    return Judgement(verdict, reason, _LEVELS[worst], tuple(text for _, text in doubts))


def _verdict(sources: Sources) -> tuple[Verdict, str]:
    found = sources.performance
    sla, generator = found.sla, found.generator
    told = f"SLA: {sla.reason}" if sla else "No limits were looked at."
    if found.status == "not_available":
        return "INCONCLUSIVE", f"The samples could not be analysed. {' '.join(found.reasons)}".strip()
    if generator is not None and generator.verdict == "saturated":
        return "INCONCLUSIVE", f"The load generator did not keep up, so the times may be its own. {told}"
    if sla is None or sla.verdict == "not_evaluated":
        return "INCONCLUSIVE", f"No limit was evaluated. {told}"
    if sla.verdict == "pass" and (others := _others(sources)):
        return OF_LIMITS["warn"], f"{told} Beside that there are {others}."
    return OF_LIMITS[sla.verdict], told


def _others(sources: Sources) -> str:
    """What a passed SLA does not make good; findings about the data's quality lower the confidence instead."""
    quality = {note.kind for note in sources.performance.quality}
    found = [one for place, analysis in sources.analyses() if place != BOTTLENECKS for one in analysis.findings]
    grave = sum(one.severity in _GRAVE and one.kind not in quality for one in found)
    likely = sum(one.confidence != "low" for one in (sources.bottlenecks.bottlenecks if sources.bottlenecks else ()))
    counted = [(grave, "major or critical findings"), (likely, "likely bottlenecks")]
    return " and ".join(f"{count} {what}" for count, what in counted if count)


def _doubts(sources: Sources) -> Iterator[tuple[Confidence, str]]:
    found = sources.performance
    if found.status != "complete":
        yield "medium", f"The analysis of the samples is {found.status}. {' '.join(found.reasons)}".strip()
    if found.phases is None or (not found.phases.has_steady_state and found.status == "complete"):
        yield "medium", "There is no steady state, so the numbers are of the whole run, with its ramps."
    elif found.phases.drift.verdict == "drift":
        yield "medium", f"The run is not steady: {found.phases.drift.reason}"
    if found.generator is None or found.generator.verdict == "unknown":
        yield "medium", "Whether the load generator kept up is unknown."
    elif found.generator.verdict == "saturated":
        yield "low", f"The load generator was short itself. {found.generator.reason}"
    yield from _data_doubts(sources)
    yield from _sla_doubts(sources)
    yield "high", "It is one run: how much runs differ from each other is not known from it."


def _data_doubts(sources: Sources) -> Iterator[tuple[Confidence, str]]:
    for note in sources.performance.quality:
        if note.severity == "critical" and note.kind != "generator_saturated":
            yield "low", note.text
        elif note.severity == "major" and note.kind != "no_steady_state":
            yield "medium", note.text
    for one in sources.missing:
        if one.is_stale:
            yield "low", f"{one.what}: {one.why}"


def _sla_doubts(sources: Sources) -> Iterator[tuple[Confidence, str]]:
    checks = sources.performance.sla.checks if sources.performance.sla else ()
    open_ones = [
        one for one in checks if one.low is not None and one.high is not None and one.low < one.limit < one.high
    ]
    if open_ones:
        yield "medium", f"Of {len(open_ones)} limits the interval holds the limit, so the other side is possible too."
    untold = sum(one.verdict == "not_evaluated" for one in checks)
    if untold:
        yield "medium", f"{untold} of {len(checks)} limits could not be evaluated."
