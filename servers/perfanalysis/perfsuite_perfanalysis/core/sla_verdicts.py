"""Holds the limits of slas.yaml against what was measured.

A limit that is broken is a fail. One that is kept is a pass only where the interval of the measured value keeps it too;
otherwise it is a warning. What could not be measured is not evaluated, which is never a pass.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

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


def judge(rules: Rules, labels: Sequence[Measured], overall: Measured, run_id: str) -> SlaReport:
    """Every limit of every label, and of the whole run."""
    checks = [check for one in labels for check in _label_checks(rules, one, run_id)]
    if rules.throughput is not None:
        checks.append(_checked(overall, _throughput(overall, rules.throughput, run_id)))
    unmatched = tuple(map(printable, rules.unmatched(one.label for one in labels)))
    verdict, reason = _together(checks)
    if unmatched:
        reason += f" {len(unmatched)} patterns fit no label."
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
        needed = needed_samples(percentile)
        return _Held(key, limit, None, lacking=f"{one.numbers.samples} samples are too few; {needed} are needed.")
    name = (run_id, one.kind, one.label, key)
    interval = percentile_interval(one.blocks, percentile, exact, *name) if one.blocks is not None else None
    return _Held(key, limit, interval or Interval(exact, exact, exact), has_interval=interval is not None)


def _error_rate(one: Measured, limit: Limit, run_id: str) -> _Held:
    numbers = one.numbers
    if not numbers.samples:
        return _Held("error_rate_pct", limit, None, lacking="There is no sample.")
    share = share_interval(numbers.errors, numbers.samples, one.blocks, run_id, one.kind, one.label, "errors")
    return _Held("error_rate_pct", limit, Interval(share.value * 100, share.low * 100, share.high * 100))


def _throughput(one: Measured, limit: Limit, run_id: str) -> _Held:
    exact = one.numbers.throughput_per_s
    if exact is None:
        return _Held("throughput_per_s", limit, None, is_upper=False, lacking="The run has no length.")
    interval = rate_interval(one.blocks, exact, run_id, "throughput") if one.blocks is not None else None
    found = interval or Interval(exact, exact, exact)
    return _Held("throughput_per_s", limit, found, is_upper=False, has_interval=interval is not None)


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
        return "fail", f"{told}; the interval {'is beyond the limit too' if not any(keeps) else 'holds the limit'}."
    if not held.has_interval:
        return "pass", f"{told}; the window is too short for an interval."
    if not all(keeps):
        return "warn", f"{told}, but the interval reaches beyond the limit."
    return "pass", f"{told}, and the whole interval keeps it."


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
        return "fail", f"Of {len(checks)} limits: {told}."
    if counts["warn"] or (counts["not_evaluated"] and counts["pass"]):
        return "warn", f"Of {len(checks)} limits: {told}."
    return ("pass" if counts["pass"] else "not_evaluated"), f"Of {len(checks)} limits: {told}."
