"""Holds the limits of slas.yaml against what was measured.

A limit that is broken is a fail. One that is kept is a pass only where the interval of the measured value keeps it too;
otherwise it is a warning. What could not be measured is not evaluated, which is never a pass.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from perfsuite.artifacts.analyses import Numbers, SlaCheck, SlaReport
from perfsuite.samples.definitions import percentile_key
from perfsuite.samples.rows import printable
from perfsuite_perfanalysis.core.blocks import (
    Blocks,
    Interval,
    needed_samples,
    percentile_interval,
    rate_interval,
    share_interval,
)
from perfsuite_perfanalysis.core.identity import finding_id, shown
from perfsuite_perfanalysis.core.sla_rules import Limit, Rules

OVERALL = "ALL"
FEWEST: Final = 30
"""Samples: of fewer, neither a share of failures nor a throughput says anything."""
_WORTH_SAYING: Final = 0.05
_MOSTLY: Final = 0.5
Verdict = Literal["pass", "warn", "fail", "not_evaluated"]


@dataclass(frozen=True)
class Measured:
    """A label in the window that is judged."""

    label: str
    kind: str
    numbers: Numbers
    blocks: Blocks | None


@dataclass(frozen=True)
class _Held:
    """What is held against what."""

    metric: str
    limit: Limit
    found: Interval | None
    is_upper: bool = True
    lacking: str = ""
    has_interval: bool = True
    failed: float = 0.0
    """The share of failures among the times."""


def judge(rules: Rules, labels: Sequence[Measured], overall: Measured, run_id: str) -> SlaReport:
    """Every limit of every label, and of the whole run."""
    checks = [check for one in labels for check in _label_checks(rules, one, run_id)]
    if rules.throughput is not None:
        checks.append(_checked(overall, _throughput(overall, rules.throughput, run_id)))
    unmatched = tuple(map(printable, rules.unmatched(one.label for one in labels)))
    verdict, reason = _together(checks)
    if unmatched:
        fit = "pattern fits" if len(unmatched) == 1 else "patterns fit"
        reason += f" {len(unmatched)} {fit} no label."
    return SlaReport(
        verdict=verdict,
        reason=reason,
        profile=rules.profile.id if rules.profile else None,
        checks=tuple(checks),
        unmatched_patterns=unmatched,
    )


def _label_checks(rules: Rules, one: Measured, run_id: str) -> list[SlaCheck]:
    wanted = rules.for_label(one.label)
    held = []
    if wanted.response_ms is not None:
        held.append(_response_time(one, wanted.percentile, wanted.response_ms, run_id))
    if wanted.error_pct is not None:
        held.append(_error_rate(one, wanted.error_pct, run_id))
    return [_checked(one, check) for check in held]


def _response_time(one: Measured, percentile: float, limit: Limit, run_id: str) -> _Held:
    key = percentile_key(percentile)
    exact = one.numbers.percentiles_ms.get(key)
    if exact is None:
        return _Held(key, limit, None, lacking=_too_few(one, needed_samples(percentile)))
    name = (run_id, one.kind, one.label, key)
    interval = percentile_interval(one.blocks, percentile, exact, *name) if one.blocks is not None else None
    found, failed = interval or Interval(exact, exact, exact), one.numbers.error_rate or 0.0
    return _Held(key, limit, found, has_interval=interval is not None, failed=failed)


def _error_rate(one: Measured, limit: Limit, run_id: str) -> _Held:
    numbers = one.numbers
    if numbers.samples < FEWEST:
        return _Held("error_rate_pct", limit, None, lacking=_too_few(one, FEWEST))
    share = share_interval(numbers.errors, numbers.samples, one.blocks, run_id, one.kind, one.label, "errors")
    return _Held("error_rate_pct", limit, Interval(share.value * 100, share.low * 100, share.high * 100))


def _throughput(one: Measured, limit: Limit, run_id: str) -> _Held:
    exact = one.numbers.throughput_per_s
    if exact is None or one.numbers.samples < FEWEST:
        lacking = _too_few(one, FEWEST) if one.numbers.samples < FEWEST else "The run has no length."
        return _Held("throughput_per_s", limit, None, is_upper=False, lacking=lacking)
    interval = rate_interval(one.blocks, exact, run_id, "throughput") if one.blocks is not None else None
    found = interval or Interval(exact, exact, exact)
    return _Held("throughput_per_s", limit, found, is_upper=False, has_interval=interval is not None)


def _too_few(one: Measured, needed: int) -> str:
    are = "1 sample is" if one.numbers.samples == 1 else f"{one.numbers.samples} samples are"
    return f"{are} too few; {needed} are needed."


def _checked(one: Measured, held: _Held) -> SlaCheck:
    found, limit = held.found, held.limit
    verdict, reason = _verdict(held)
    return SlaCheck(
        id=finding_id("sla", one.kind, one.label, held.metric),
        subject=shown(one.label),
        kind=one.kind,
        metric=held.metric,
        verdict=verdict,
        reason=reason,
        limit=limit.value,
        actual=found.value if found else None,
        low=found.low if found and held.has_interval else None,
        high=found.high if found and held.has_interval else None,
        margin=_margin(held),
        samples=one.numbers.samples,
        rule=limit.rule,
        rule_reason=limit.reason,
    )


def _verdict(held: _Held) -> tuple[Verdict, str]:
    found, limit = held.found, held.limit.value
    if found is None:
        return "not_evaluated", held.lacking
    side = "at most" if held.is_upper else "at least"
    told = f"{found.value:.4g} where {side} {limit:g} is wanted"
    keeps = [value <= limit if held.is_upper else value >= limit for value in (found.value, found.low, found.high)]
    if not keeps[0]:
        return "fail", f"{told}; {_beyond(held, keeps)}.{_failures(held)}"
    if held.failed >= _MOSTLY:
        return "warn", f"{told}.{_failures(held)}"
    if not held.has_interval:
        return "pass", f"{told}; the window is too short for an interval.{_failures(held)}"
    if not all(keeps):
        return "warn", f"{told}, but the interval reaches beyond the limit.{_failures(held)}"
    return "pass", f"{told}, and the whole interval keeps it.{_failures(held)}"


def _beyond(held: _Held, keeps: Sequence[bool]) -> str:
    if not held.has_interval:
        return "the window is too short for an interval"
    return "the interval holds the limit" if any(keeps) else "the interval is beyond the limit too"


def _failures(held: _Held) -> str:
    """A time that failures made is told as that."""
    return f" {held.failed:.0%} of these samples failed." if held.failed >= _WORTH_SAYING else ""


def _margin(held: _Held) -> float | None:
    found, limit = held.found, held.limit.value
    if found is None or limit == 0:
        return None
    return (limit - found.value) / limit if held.is_upper else (found.value - limit) / limit


def _together(checks: Sequence[SlaCheck]) -> tuple[Verdict, str]:
    counts = Counter(check.verdict for check in checks)
    if not counts:
        return "not_evaluated", "No limit applies to any label of the run."
    told = ", ".join(f"{counts[name]} {name}" for name in ("fail", "warn", "not_evaluated", "pass") if counts[name])
    if counts["fail"]:
        return "fail", f"{_limits(checks)}: {told}."
    if counts["warn"] or (counts["not_evaluated"] and counts["pass"]):
        return "warn", f"{_limits(checks)}: {told}."
    return ("pass" if counts["pass"] else "not_evaluated"), f"{_limits(checks)}: {told}."


def _limits(checks: Sequence[SlaCheck]) -> str:
    return "Of 1 limit" if len(checks) == 1 else f"Of {len(checks)} limits"
