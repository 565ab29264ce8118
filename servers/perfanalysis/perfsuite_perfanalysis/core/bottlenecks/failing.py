"""Errors that begin, failures that come back quickly, and times that drift under constant load."""

from typing import Final

import numpy as np

from perfsuite_perfanalysis.core.bottlenecks.facts import (
    CORRELATIONS,
    SAMPLES,
    Case,
    Facts,
    Look,
    found,
    not_evaluable,
    not_found,
)
from perfsuite_perfanalysis.core.bottlenecks.onsets import find_error_onset
from perfsuite_perfanalysis.core.identity import shown

_SURE: Final = 5.0
_FAST: Final = 0.5
_MANY: Final = 0.05
_MEANINGS: Final = {
    "429": "the service sheds load",
    "503": "the service sheds load",
    "502": "something upstream fails",
    "504": "something upstream does not answer in time",
}
_NEAR_S: Final = 60.0


def error_onset(facts: Facts) -> Look:
    """From when on requests fail more than before, and how that lies to the knee."""
    if few := facts.too_few:
        return not_evaluable("error_onset", few)
    line = facts.everything
    rise = find_error_onset(line.errors, line.completed)
    if rise is None:
        return not_found("error_onset", "Requests do not begin to fail at any time.")
    at_s = float(facts.at_s[rise.at])
    case = Case(
        kind="error_onset",
        subject="",
        text=f"{rise.then:.1%} of the requests fail from the start on."
        if rise.at == 0
        else f"From {at_s:.0f} s on {rise.then:.1%} of the requests fail, where it was {rise.calm:.2%} in calm times.",
        confidence="high" if rise.then >= _SURE * max(rise.calm, 0.002) else "medium",
        next_check="Read `analyze_logs` from that moment on, and the error groups of `analyze_test_results`.",
        onset=facts.onset(at_s),
    )
    case.says(case.text, SAMPLES, calm=rise.calm, then=rise.then)
    for code, count in facts.error_codes[:3]:
        meaning = _MEANINGS.get(code)
        told = f", which usually says that {meaning}" if meaning else ""
        case.says(f"{count} failures have code {shown(code)!r}{told}.", SAMPLES, code=shown(code), count=count)
    _against_knee(facts, case, at_s)
    return found(case)


def fast_failures(facts: Facts) -> Look:
    """Failures that come back at once, and make the mean of all look good."""
    if few := facts.too_few:
        return not_evaluable("fast_failures", few)
    line = facts.everything
    errors, completed = float(line.errors.sum()), float(line.completed.sum())
    if not errors or errors < _MANY * completed:
        return not_found("fast_failures", f"{errors / max(completed, 1):.2%} of the requests failed.")
    failing = (line.errors > 0) & np.isfinite(line.failed_ms) & np.isfinite(line.mean_ms)
    if not failing.any():
        return not_evaluable("fast_failures", "There is no time in which requests both fail and succeed.")
    failed = float(np.average(line.failed_ms[failing], weights=line.errors[failing]))
    succeeded = float(np.median(line.mean_ms[failing]))
    if failed >= _FAST * succeeded:
        return not_found("fast_failures", f"Failures take {failed:.0f} ms and successes {succeeded:.0f} ms.")
    case = Case(
        kind="fast_failures",
        subject="",
        text=f"{errors / completed:.1%} of the requests fail in {failed:.0f} ms; successes take {succeeded:.0f} ms.",
        confidence="high",
        next_check="Judge response times by successes alone, and throughput too.",
    )
    case.says(case.text, SAMPLES, failed_ms=failed, succeeded_ms=succeeded, errors=errors)
    return found(case)


def drift(facts: Facts) -> Look:
    """Times that rise while the load does not."""
    seen = facts.phases.drift
    if seen.verdict == "not_tested":
        return not_evaluable("drift", f"{seen.reason} {facts.phases.reason}")
    if seen.verdict != "drift" or (seen.change or 0.0) <= 0:
        return not_found("drift", seen.reason)
    jump = seen.step_at_s
    case = Case(
        kind="drift",
        subject="",
        text=f"Under constant load: {seen.reason}",
        confidence="high" if (seen.p_value or 1.0) < 0.001 else "medium",
        next_check="Run longer at the same load, and look at what fills up: memory, connections, tables, disks."
        if jump is None
        else "Look at what happened at that moment: a deployment, a job, a failover, a full disk.",
        onset=facts.onset(facts.phases.steady_from_s or 0.0 if jump is None else jump),
    )
    case.says(
        seen.reason, SAMPLES, change=seen.change, low=seen.change_low, high=seen.change_high, p_value=seen.p_value
    )
    return found(case)


def _against_knee(facts: Facts, case: Case, at_s: float) -> None:
    knee = facts.capacity.knee
    if knee is None or knee.reached_at_s is None or knee.verdict not in ("plateau", "bend"):
        return
    apart = at_s - knee.reached_at_s
    where = "at" if abs(apart) <= _NEAR_S else "after" if apart > 0 else "before"
    case.says(f"They begin {where} the knee of {knee.users:.0f} users.", CORRELATIONS, knee_at_s=knee.reached_at_s)
