"""Plateaus, pools, queues, what lies behind some labels only, and the network."""

from typing import Final

import numpy as np

from perfsuite.artifacts.bottlenecks import BottleneckClass
from perfsuite.artifacts.correlations import Knee
from perfsuite_perfanalysis.core import thresholds
from perfsuite_perfanalysis.core.bottlenecks.facts import (
    CORRELATIONS,
    METRICS,
    SAMPLES,
    Case,
    Facts,
    Look,
    found,
    not_evaluable,
    not_found,
)
from perfsuite_perfanalysis.core.bottlenecks.machines import IDLE_PCT
from perfsuite_perfanalysis.core.bottlenecks.onsets import FEWEST, Rise, find_rise
from perfsuite_perfanalysis.core.series import Floats

_MUCH_SLOWER: Final = 1.5
_SLOWER: Final = 1.3
_AS_BEFORE: Final = 1.1
_MOST_OF_IT: Final = 0.5
_FEWEST: Final = 3
_POOL_WORDS: Final = ("pool", "queue", "thread", "connection", "wait")
_MOST_LABELS: Final = 5


def throughput_plateau(facts: Facts) -> Look:
    """More users, no more throughput, longer times."""
    knee = facts.capacity.knee
    if knee is None or knee.verdict == "not_evaluable":
        return not_evaluable("throughput_plateau", (knee or facts.capacity).reason)
    if knee.verdict != "plateau":
        return not_found("throughput_plateau", knee.reason)
    case = _plateau_case(facts, "throughput_plateau", knee, knee.reason)
    little = facts.capacity.little
    if little is not None and little.verdict == "consistent":
        case.says(little.reason, CORRELATIONS, think_time_s=little.think_time_s)
    case.next_check = (
        "Look at what was short from that moment on: the findings beside this one, or what was not measured."
    )
    return found(case)


def pool(facts: Facts) -> Look:
    """A plateau while every processor that was measured has room: requests wait for something that is counted."""
    knee = facts.capacity.knee
    if knee is None or knee.verdict == "not_evaluable":
        return not_evaluable("pool", (knee or facts.capacity).reason)
    if knee.verdict != "plateau" or knee.reached_at_s is None:
        return not_found("pool", f"Throughput has no plateau. {knee.reason}")
    since = knee.reached_at_s
    busy = {
        machine.resource.name: _busy(machine.series[thresholds.CPU].at_s, machine.series[thresholds.CPU].values, since)
        for machine in facts.machines
        if thresholds.CPU in machine.series
    }
    busy = {name: value for name, value in busy.items() if np.isfinite(value)}
    if not busy:
        reason = facts.without_metrics or "No use of processors was collected during the plateau."
        return not_evaluable("pool", reason)
    name = max(busy, key=lambda one: (busy[one], one))
    if busy[name] >= IDLE_PCT:
        return not_found("pool", f"{name!r} used {busy[name]:.0f} % of its processors during the plateau.")
    case = _plateau_case(
        facts, "pool", knee, "Throughput stands still while every processor that was measured has room."
    )
    case.says(f"No processor was used by more than {busy[name]:.0f} % then.", METRICS, busiest=name, pct=busy[name])
    waiting = [one for one in facts.pairs if any(word in one.metric.lower() for word in _POOL_WORDS)]
    for pair in waiting[:2]:
        case.says(pair.text, CORRELATIONS, partial=pair.partial)
    if not waiting:
        case.confidence = "medium"
        case.doubts("No metric of a pool or queue was collected that would show it full.", METRICS)
    case.next_check = "Collect used and waiting of connection and thread pools, and repeat the test with a larger one."
    return found(case)


def queueing(facts: Facts) -> Look:
    """Little's law: beyond the knee, every further user waits."""
    capacity, knee = facts.capacity, facts.capacity.knee
    if knee is None or capacity.little is None or knee.verdict == "not_evaluable":
        return not_evaluable("queueing", (knee or capacity).reason)
    if knee.verdict not in ("plateau", "bend") or knee.users is None:
        return not_found("queueing", f"No queue grows with the users. {knee.reason}")
    if capacity.little.verdict != "consistent":
        return not_found("queueing", f"Users, throughput and times do not fit one queue. {capacity.little.reason}")
    above = [one for one in capacity.levels if one.users >= knee.users]
    before = [one for one in capacity.levels if one.users < knee.users]
    more, waiting = above[-1].users - before[-1].users, above[-1].in_service - before[-1].in_service
    case = _plateau_case(
        facts,
        "queueing",
        knee,
        f"Of {more:.0f} users beyond {knee.users:.0f}, {waiting:.0f} wait for an answer at a time.",
    )
    case.confidence = "medium"
    case.says(capacity.little.reason, CORRELATIONS, more_users=more, more_waiting=waiting)
    case.doubts("This says that requests wait, and not for what.", CORRELATIONS)
    case.next_check = "Find the queue: thread pools, connection pools, accept queues, locks."
    return found(case)


def downstream(facts: Facts) -> Look:
    """Some labels take much longer and others take as long as before."""
    if len(facts.labels) < 2:
        return not_evaluable("downstream", "There is only one label, so none can be compared with others.")
    rises = {label: find_rise(line.mean_ms, _MUCH_SLOWER) for label, line in facts.labels.items()}
    starts = {label: rise for label, rise in rises.items() if rise is not None}
    if not starts:
        return not_found("downstream", "No label began to take much longer.")
    at = min(rise.at for rise in starts.values())
    changes = {label: _change(line.mean_ms, at) for label, line in facts.labels.items()}
    calm = [label for label, change in changes.items() if label not in starts and change <= _AS_BEFORE]
    if not calm or not any(_SLOWER <= changes[label] < np.inf for label in starts):
        return not_found("downstream", "It is not that some labels take longer for good and others as long as before.")
    slow = sorted(starts, key=lambda one: (-starts[one].ratio, one))
    case = Case(
        kind="downstream",
        subject=", ".join(slow[:_MOST_LABELS]),
        text=f"{len(slow)} of {len(facts.labels)} labels take longer, others as long as before: what do only they use?",
        confidence="medium",
        next_check="Look at what these labels use and the others do not: a database, a table, another service.",
        onset=facts.onset(float(facts.at_s[at])),
    )
    for label in slow[:_MOST_LABELS]:
        rise = starts[label]
        by_s = float(facts.at_s[rise.by])
        text = f"{label!r} takes {rise.ratio:.1f} times as long by {by_s:.0f} s."
        case.says(text, SAMPLES, calm_ms=rise.calm, then_ms=rise.then, by_s=by_s)
    case.says(f"{len(calm)} labels take as long as before.", SAMPLES, example=calm[0])
    pairs = [one for one in facts.pairs if one.label in slow]
    for pair in pairs[:2]:
        case.says(pair.text, CORRELATIONS, partial=pair.partial)
    if not pairs:
        case.doubts("No metric of a machine behind them moves with them.", CORRELATIONS)
    return found(case)


def network(facts: Facts) -> Look:
    """What responses take longer for: the connection, the answer, or its transfer."""
    line = facts.everything
    if few := facts.too_few:
        return not_evaluable("network", few)
    if (known := int(np.isfinite(line.mean_ms).sum())) < FEWEST:
        reason = (
            f"Requests succeeded in {known} intervals of {facts.width_s:g} s, and a rise shows in {FEWEST} at least."
        )
        return not_evaluable("network", reason)
    parts = {"connecting": line.connect_ms, "transfer": line.transfer_ms, "waiting": line.waiting_ms}
    if not all(np.isfinite(one).any() for one in parts.values()):
        return not_evaluable("network", "The results do not hold the times of connections and of first bytes.")
    rise = find_rise(line.mean_ms)
    if rise is None:
        return not_found("network", "Responses did not begin to take longer.")
    more = {name: _more(values, rise) for name, values in parts.items()}
    total = sum(max(0.0, one) for one in more.values())
    slow = max(("connecting", "transfer"), key=lambda name: more[name])
    if total <= 0 or more[slow] < _MOST_OF_IT * total:
        share = max(0.0, more["waiting"]) / total if total > 0 else 0.0
        return not_found("network", f"{share:.0%} of what responses take longer passes before the first byte.")
    case = Case(
        kind="network",
        subject=slow,
        text=f"{more[slow] / total:.0%} of what responses take longer is {slow}: {more[slow]:.0f} ms.",
        confidence="medium",
        next_check="Look at bytes per second of every link, retransmits, TLS handshakes and keep-alive.",
        onset=facts.onset(float(facts.at_s[rise.at])),
    )
    text = f"Responses take {rise.ratio:.1f} times as long by {facts.at_s[rise.by]:.0f} s."
    case.says(text, SAMPLES, **{f"{name}_more_ms": value for name, value in more.items()})
    if more["waiting"] > 0:
        case.doubts("The time to the first byte rises as well.", SAMPLES, waiting_more_ms=more["waiting"])
    return found(case)


def _plateau_case(facts: Facts, kind: BottleneckClass, knee: Knee, text: str) -> Case:
    case = Case(
        kind=kind,
        subject="",
        text=text,
        confidence="high",
        next_check="",
        onset=None if knee.reached_at_s is None else facts.onset(knee.reached_at_s),
    )
    case.says(
        knee.reason, CORRELATIONS, users=knee.users, throughput_per_s=knee.throughput_per_s, bic_gain=knee.bic_gain
    )
    return case


def _busy(at_s: Floats, values: Floats, since: float) -> float:
    inside = values[(at_s >= since) & np.isfinite(values)]
    return float(np.percentile(inside, 95)) if len(inside) else float("nan")


def _change(values: Floats, at: int) -> float:
    """How many times as much it is from a bucket on; much where it cannot be told."""
    before, after = values[:at], values[at:]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if len(before) < _FEWEST or len(after) < _FEWEST:
        return float("inf")
    return float(np.median(after) / np.median(before))


def _more(values: Floats, rise: Rise) -> float:
    """What a part takes more after the rise than in the calmer half before it, or after it where nothing was before."""
    known = values[np.isfinite(values)]
    after = values[rise.at :]
    after = after[np.isfinite(after)]
    return float(np.median(after) - np.percentile(known, 20)) if len(after) else 0.0
