"""Which limit of slas.yaml holds for a label, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from perfsuite_perfanalysis.models.slas import FILE, Limits, Override, Profile, SlaFile

DEFAULT_PERCENTILE: Final = 95.0


@dataclass(frozen=True)
class Limit:
    """A number from the file, and where it stands."""

    value: float
    rule: str
    reason: str | None = None


@dataclass(frozen=True)
class LabelRules:
    """What is wanted of one label."""

    percentile: float
    response_ms: Limit | None
    error_pct: Limit | None


@dataclass(frozen=True)
class Rules:
    """The file, seen from the profile that was chosen."""

    file: SlaFile
    profile: Profile | None

    @property
    def percentiles(self) -> set[float]:
        """Every percentile that any limit is about."""
        sources: list[Limits | Override] = [self.file.default_sla]
        if self.profile is not None:
            sources += [self.profile.default_sla, *self.profile.api_overrides]
        return {one.percentile for one in sources if one.percentile is not None} | {DEFAULT_PERCENTILE}

    @property
    def throughput(self) -> Limit | None:
        """Of the whole run."""
        return next(
            (Limit(one.min_throughput, where) for one, where in self._defaults() if one.min_throughput is not None),
            None,
        )

    @property
    def apdex(self) -> Limits | None:
        """The limits that tell those of APDEX."""
        return next((one for one, _ in self._defaults() if one.apdex is not None), None)

    def for_label(self, label: str) -> LabelRules:
        """Each number comes from the override that fits best, else the profile, else the file."""
        override = best_override(self.profile.api_overrides, label) if self.profile is not None else None
        sources: list[tuple[Limits | Override, str]] = [*self._defaults()]
        if override is not None:
            sources.insert(0, (override, f"override {override.pattern!r} of {self._name}"))
        reason = override.reason if override is not None else None
        told = next((one.percentile for one, _ in sources if one.percentile is not None), DEFAULT_PERCENTILE)
        return LabelRules(
            percentile=told,
            response_ms=_first([(one.response_time_sla_ms, one, where) for one, where in sources], reason),
            error_pct=_first([(one.error_rate_threshold, one, where) for one, where in sources], reason),
        )

    def unmatched(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The patterns that fit no label, in the order of the file."""
        known = list(labels)
        overrides = self.profile.api_overrides if self.profile is not None else ()
        return tuple(one.pattern for one in overrides if not any(fits(one.pattern, label) for label in known))

    @property
    def _name(self) -> str:
        return f"profile {self.profile.id!r}" if self.profile is not None else FILE

    def _defaults(self) -> list[tuple[Limits, str]]:
        own = [(self.profile.default_sla, f"the default of {self._name}")] if self.profile is not None else []
        return [*own, (self.file.default_sla, f"the default of {FILE}")]


def best_override(overrides: Sequence[Override], label: str) -> Override | None:
    """The most specific pattern that fits; of equals, the first one in the file."""
    fitting = [one for one in overrides if fits(one.pattern, label)]
    return max(fitting, key=lambda one: _specificity(one.pattern), default=None)


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text fits, * standing for any text and ? for any character. It takes no more than the product
    of the lengths, whatever the pattern."""
    at = star = resume = 0
    place, has_star = 0, False
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            has_star, star, resume = True, at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif has_star:
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")


def _specificity(pattern: str) -> tuple[bool, int, int]:
    """No wildcard at all, then more letters, then fewer wildcards."""
    wild = sum(char in "*?" for char in pattern)
    return wild == 0, len(pattern) - wild, -wild


def _first(found: Sequence[tuple[float | None, Limits | Override, str]], reason: str | None) -> Limit | None:
    for value, source, where in found:
        if value is not None:
            return Limit(value, where, reason if isinstance(source, Override) else None)
    return None
