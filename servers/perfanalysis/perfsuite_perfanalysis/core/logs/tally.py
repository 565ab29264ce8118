"""Entries counted by what they say, in one pass and in bounded memory, and the groups that come of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from perfsuite.artifacts.log_findings import LogKind
from perfsuite_perfanalysis.core.logs.entries import LEVELS, Entry
from perfsuite_perfanalysis.core.logs.stacks import Fingerprint, fingerprint
from perfsuite_perfanalysis.core.logs.templates import mine, plain

MOST_MESSAGES: Final = 20_000
OTHER: Final = "(other messages)"
_MOST_LABELS: Final = 50


@dataclass
class Counted:
    """How often something was said, by whom, when first and when last."""

    kind: LogKind
    level: str
    service: str
    plain: str
    example: str
    trace: Fingerprint | None = None
    count: int = 0
    first_us: int | None = None
    last_us: int | None = None
    before: int = 0
    """Before the error rate rose."""
    after: int = 0
    baseline: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def join(self, other: "Counted") -> None:
        """Take over what another one counted."""
        self.count += other.count
        self.before += other.before
        self.after += other.after
        self.baseline += other.baseline
        self.labels.update(other.labels)
        self.first_us = _least(self.first_us, other.first_us)
        self.last_us = _most(self.last_us, other.last_us)
        if other.count and (other.first_us or 0, other.example) < (self.first_us or 0, self.example):
            self.example = other.example


@dataclass
class Group:
    """Entries of one template, or of one stack trace."""

    template: str
    counted: Counted


class Tally:
    """Counts entries of a run, and those of a baseline beside them."""

    def __init__(self, onset_us: int | None) -> None:
        self.entries = 0
        self.folded = 0
        self._onset_us = onset_us
        self._found: dict[tuple[str, ...], Counted] = {}

    def take(self, entry: Entry, *, is_baseline: bool = False) -> None:
        """Count one entry, or several that stand together."""
        counted = self._counted(entry)
        if is_baseline:
            counted.baseline += entry.count
            return
        self.entries += entry.count
        counted.count += entry.count
        for label, count in entry.labels:
            if label in counted.labels or len(counted.labels) < _MOST_LABELS:
                counted.labels[label] += count
        if entry.at_us is None:
            return
        counted.first_us = _least(counted.first_us, entry.at_us)
        counted.last_us = _most(counted.last_us, entry.last_us or entry.at_us)
        if self._onset_us is not None:
            if entry.at_us < self._onset_us:
                counted.before += entry.count
            else:
                counted.after += entry.count

    def groups(self) -> list[Group]:
        """What the run said, the most serious first; what only the baseline said is left out."""
        together: dict[tuple[str, ...], Group] = {}
        by_place: dict[tuple[str, ...], list[Counted]] = {}
        for counted in self._found.values():
            if counted.trace is not None:
                key = (counted.kind, counted.level, "trace", counted.trace.id)
                _join(together, key, counted.plain, counted)
            else:
                by_place.setdefault((counted.kind, counted.level, counted.service), []).append(counted)
        for place, parts in sorted(by_place.items()):
            templates = mine(part.plain for part in parts)
            for part in sorted(parts, key=lambda one: one.plain):
                _join(together, (*place, templates[part.plain]), templates[part.plain], part)
        found = [one for one in together.values() if one.counted.count]
        return sorted(found, key=_seriousness)

    def _counted(self, entry: Entry) -> Counted:
        trace = fingerprint(entry.stack) if entry.stack else None
        text = plain(entry.message)
        key = (entry.kind, entry.level, entry.service, text, trace.id if trace else "")
        found = self._found.get(key)
        if found is None and len(self._found) >= MOST_MESSAGES:
            self.folded += entry.count
            key, text, trace = (entry.kind, entry.level, "", OTHER, ""), OTHER, None
            found = self._found.get(key)
        if found is None:
            service = "" if text == OTHER else entry.service
            found = Counted(entry.kind, entry.level, service, text, entry.message, trace)
            self._found[key] = found
        return found


def _join(together: dict[tuple[str, ...], Group], key: tuple[str, ...], template: str, counted: Counted) -> None:
    if key in together:
        together[key].counted.join(counted)
    else:
        together[key] = Group(template, counted)


def _seriousness(one: Group) -> tuple[int, int, str, str]:
    return LEVELS.index(one.counted.level), -one.counted.count, one.counted.kind, one.template


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
