"""Recommendations: the rule table, filled with what the analyses found. Without a finding there is none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from perfsuite.artifacts.analyses import Finding, Value
from perfsuite.artifacts.bottlenecks import Bottleneck
from perfsuite_perfreport.core.reporting.numbers import name, plain, sentence
from perfsuite_perfreport.core.reporting.rules import RULES, Rule
from perfsuite_perfreport.core.reporting.sources import BOTTLENECKS, Sources
from perfsuite_perfreport.models.report import Advice, Statement

MOST_CASES: Final = 5
_ORDER: Final = ("critical", "major", "minor", "info")


@dataclass(frozen=True)
class _Case:
    """One thing that was found."""

    id: str
    subject: str
    evidence: Mapping[str, Value]
    text: str
    source: str
    rank: int
    first_check: str = ""
    """What must be looked at first, where it is hardly more than a guess."""


def advice(sources: Sources) -> tuple[Advice, ...]:
    """In the order of the table."""
    cases = dict[str, list[_Case]]()
    for kind, case in _cases(sources):
        cases.setdefault(kind, []).append(case)
    return tuple(_advised(rule, found) for rule in RULES if (found := _of(rule, cases)))


def _of(rule: Rule, cases: Mapping[str, list[_Case]]) -> list[_Case]:
    found = [case for kind in rule.kinds for case in cases.get(kind, ())]
    return sorted(found, key=lambda one: one.rank)


def _cases(sources: Sources) -> Iterator[tuple[str, _Case]]:
    for bottleneck in sources.bottlenecks.bottlenecks if sources.bottlenecks else ():
        yield bottleneck.kind, _suspected(bottleneck)
    for place, analysis in sources.analyses():
        for finding in analysis.findings if place != BOTTLENECKS else ():
            # Failed samples are grouped twice, and the analysis of the samples has told of them already.
            if finding.evidence.get("source") != "sample_errors":
                yield finding.kind, _found(finding, place)


def _suspected(one: Bottleneck) -> _Case:
    numbers = {key: value for evidence in reversed(one.evidence) for key, value in evidence.numbers.items()}
    check = one.next_check if one.confidence == "low" else ""
    rank = ("high", "medium", "low").index(one.confidence)
    return _Case(one.id, one.subject, numbers, one.text, BOTTLENECKS, rank, check)


def _found(one: Finding, place: str) -> _Case:
    return _Case(one.id, one.subject, one.evidence, one.text, place, _ORDER.index(one.severity))


def _advised(rule: Rule, cases: list[_Case]) -> Advice:
    checks = [case.first_check for case in cases]
    guesses = all(checks)
    what = f"This is not sure enough to act on. Look first: {sentence(checks[0])}" if guesses else rule.what
    shown = cases[:MOST_CASES]
    evidence = [Statement(text=_told(rule, case), source=f"{case.source}: {case.id}") for case in shown]
    if len(cases) > MOST_CASES:
        more = f"{len(cases) - MOST_CASES} more of this class."
        evidence.append(Statement(text=more, source=", ".join(sorted({case.source for case in cases}))))
    return Advice(
        kind=rule.title,
        finding_ids=tuple(case.id for case in cases),
        subjects=tuple(dict.fromkeys(name(case.subject) for case in cases if case.subject)),
        evidence=tuple(evidence),
        what=what,
        check=rule.check,
    )


def _told(rule: Rule, case: _Case) -> str:
    slots = [(key, case.evidence.get(key)) for key in rule.slots]
    numbers = ", ".join(f"{key} {_value(value)}" for key, value in slots if value is not None)
    return sentence(case.text) + (f" ({numbers})" if numbers else "")


def _value(value: Value) -> str:
    return plain(value) if isinstance(value, int | float) and not isinstance(value, bool) else name(str(value))
