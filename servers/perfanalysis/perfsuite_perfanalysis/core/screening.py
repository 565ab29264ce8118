"""All pairs of responses and metrics: which of them move together beyond what the load explains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from perfsuite.artifacts.correlations import Pair
from perfsuite_perfanalysis.core.association import (
    FEWEST_BUCKETS,
    Association,
    associate,
    is_constant,
    kendall,
    partial_correlation,
)
from perfsuite_perfanalysis.core.effects import too_little_of_metric, too_little_of_response
from perfsuite_perfanalysis.core.identity import finding_id, shown
from perfsuite_perfanalysis.core.readings import Subject
from perfsuite_perfanalysis.core.series import Floats

FALSE_DISCOVERIES: Final = 0.05
LEAST_CORRELATION: Final = 0.3
_OF_ITS_OWN: Final = 0.5
"""The share of a correlation that must be left without the arrivals that a metric follows."""
_FEW: Final = 40
"""Buckets below which Kendall's tau, which minds ties less, must have the same sign."""


@dataclass(frozen=True)
class Response:
    """What the test saw, in each bucket."""

    label: str
    measure: Literal["mean_ms", "error_rate"]
    values: Floats

    @property
    def name(self) -> str:
        return f"{self.measure} of {shown(self.label) if self.label else 'all samples'}"


@dataclass(frozen=True)
class Candidate:
    """A metric in each bucket."""

    subject: Subject
    metric: str
    values: Floats


@dataclass(frozen=True)
class Scene:
    """Everything on one grid, within the window that is looked at."""

    width_s: float
    responses: tuple[Response, ...]
    candidates: tuple[Candidate, ...]
    given: tuple[Floats, ...]
    given_names: tuple[str, ...]
    arrivals: Floats | None = None
    """Where they are not among the given: they may be a consequence, which what follows them is then too."""


@dataclass(frozen=True)
class _Tested:
    scene: Scene
    response: Response
    candidate: Candidate
    found: Association


def screen(scenes: Sequence[Scene]) -> tuple[tuple[Pair, ...], dict[str, str]]:
    """Every pair with its verdict, the most certain first; and what could not be tested."""
    from scipy import stats

    tested: list[_Tested] = []
    untestable: dict[str, str] = {}
    for scene in scenes:
        tested += _tested(scene, untestable)
    adjusted: Floats | list[float] = (
        stats.false_discovery_control([one.found.p_value for one in tested]) if tested else []
    )
    pairs = [_pair(one, float(p), len(tested)) for one, p in zip(tested, adjusted, strict=True)]
    return tuple(sorted(pairs, key=_certainty)), untestable


def named(candidate: Candidate) -> str:
    """A metric as texts name it."""
    return f"{shown(candidate.metric)} of {candidate.subject.shown}"


def _tested(scene: Scene, untestable: dict[str, str]) -> list[_Tested]:
    whys = {one.name: _why_no_response(one) for one in scene.responses}
    responses = [one for one in scene.responses if not whys[one.name]]
    untestable.update({name: why for name, why in whys.items() if why})
    whys = {named(one): _why_untestable(one) for one in scene.candidates}
    candidates = [one for one in scene.candidates if not whys[named(one)]]
    untestable.update({name: why for name, why in whys.items() if why})
    if not candidates:
        return []
    rows = np.stack([one.values for one in candidates])
    tested = [
        _Tested(scene, response, candidate, found)
        for response in responses
        for candidate, found in zip(candidates, associate(response.values, rows, scene.given), strict=True)
        if found is not None
    ]
    known = {named(one.candidate) for one in tested}
    why = "it and the responses that vary are known together in too few buckets" if responses else "no response varies"
    untestable.update({named(one): why for one in candidates if named(one) not in known})
    return tested


def _why_no_response(one: Response) -> str:
    return _few(one.values) or too_little_of_response(one.values, is_share=one.measure == "error_rate")


def _why_untestable(one: Candidate) -> str:
    if few := _few(one.values):
        return few
    return "it hardly ever changes" if is_constant(one.values) else too_little_of_metric(one.metric, one.values)


def _few(values: Floats) -> str:
    known = int(np.isfinite(values).sum())
    return "" if known >= FEWEST_BUCKETS else f"only {known} buckets are known, and {FEWEST_BUCKETS} are needed"


def _certainty(pair: Pair) -> tuple[float, float, str]:
    return (0.0 if pair.verdict == "moves_with" else 1.0, pair.p_adjusted or 0.0, pair.id)


def _pair(one: _Tested, adjusted: float, tests: int) -> Pair:
    found, subject = one.found, one.candidate.subject
    values = one.response.values, one.candidate.values
    tau = kendall(*values, one.scene.given, found.lag) if found.n < _FEW else None
    agrees = tau is None or tau * found.partial > 0
    is_plain = adjusted < FALSE_DISCOVERIES and abs(found.partial) >= LEAST_CORRELATION and agrees
    is_echo = is_plain and _follows_arrivals(one, tests)
    is_found = is_plain and not is_echo
    return Pair(
        id=finding_id("pair", one.response.name, *map(str, (subject.scope, subject.environment, subject.service)),
                      subject.host, subject.name, one.candidate.metric),
        response=one.response.name,
        label=shown(one.response.label),
        measure=one.response.measure,
        resource=subject.shown,
        metric=shown(one.candidate.metric),
        verdict="moves_with" if is_found else "insufficient_evidence",
        text=_echo_text(one) if is_echo else _text(one, adjusted, is_found=is_found),
        raw=found.raw,
        partial=found.partial,
        lag_s=found.lag * one.scene.width_s if found.is_lag_sure else None,
        lag_is_certain=found.is_lag_sure,
        interval_s=one.scene.width_s,
        n=found.n,
        n_effective=found.n_effective,
        p_value=found.p_value,
        p_adjusted=adjusted,
        by=found.by,
        kendall=tau,
    )  # fmt: skip


def _follows_arrivals(one: _Tested, tests: int) -> bool:
    """Whether it goes against the response only because users who wait send less, and it follows what they send: what
    is more than that must be certain among all that is tested."""
    arrivals = one.scene.arrivals
    if one.found.partial >= 0 or arrivals is None:
        return False
    falls, _ = partial_correlation(one.response.values, arrivals, one.scene.given)
    beyond, p = partial_correlation(one.response.values, one.candidate.values, (*one.scene.given, arrivals))
    is_little = abs(beyond) < max(LEAST_CORRELATION, _OF_ITS_OWN * abs(one.found.partial))
    return falls <= -LEAST_CORRELATION and (is_little or p * tests >= FALSE_DISCOVERIES)


def _echo_text(one: _Tested) -> str:
    return (
        f"{named(one.candidate)} falls when {one.response.name} rises, as arrivals do: users who wait send less. "
        "Beyond that nothing is certain."
    )


def _text(one: _Tested, adjusted: float, *, is_found: bool) -> str:
    found, who = one.found, named(one.candidate)
    given = f" given {' and '.join(one.scene.given_names)}" if one.scene.given_names else ""
    numbers = (
        f"partial Spearman {found.partial:.2f}{given}, n = {found.n} buckets of {one.scene.width_s:g} s, worth "
        f"{found.n_effective:.0f}, adjusted p = {adjusted:.2g}"
    )
    if not is_found:
        is_explained = found.by == "levels" and abs(found.raw) - abs(found.partial) > LEAST_CORRELATION
        explained = (
            f" The load explains why they look alike ({found.raw:.2f} with it)." if is_explained and given else ""
        )
        return f"That {one.response.name} moves with {who} is not certain: {numbers}.{explained}"
    against = "" if found.partial > 0 else ", in the opposite direction"
    when = ""
    if found.is_lag_sure and found.lag:
        seconds = abs(found.lag) * one.scene.width_s
        when = f"; the metric moves {seconds:g} s {'before' if found.lag > 0 else 'after'} the response"
    return f"{one.response.name} moves with {who}{against}: {numbers}{when}."
