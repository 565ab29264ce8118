"""How a group of entries lies to the course of the run: its load, and the moment at which errors began."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np

from perfsuite.artifacts.analyses import Finding, Severity
from perfsuite.artifacts.log_findings import LogGroup, LogOnset
from perfsuite_perfanalysis.core.findings import ORDER
from perfsuite_perfanalysis.core.identity import finding_id, shown
from perfsuite_perfanalysis.core.logs.tally import Group
from perfsuite_perfanalysis.core.series import Floats

TOGETHER_S: Final = 30.0
AROUND_S: Final = 60.0
_LONGEST_EXAMPLE: Final = 300
_MUCH_MORE: Final = 5.0
_FEWEST: Final = 5
_SLACK_S: Final = 1.0
Relation = Literal[
    "before_errors", "with_errors", "after_errors", "no_error_onset", "before_the_run", "after_the_run"
]  # fmt: skip


@dataclass(frozen=True)
class Timeline:
    """The run in buckets: users, arrivals, errors, and when errors began."""

    at_s: Floats
    width_s: float
    users: Floats
    arrivals: Floats
    completed: Floats
    errors: Floats
    span_s: float
    first_us: int
    error_onset_s: float | None
    moment: Callable[[float], datetime]


def told(group: Group, run: Timeline, *, has_baseline: bool) -> LogGroup:
    """A group as the file holds it."""
    counted = group.counted
    before, after = _per_minute(group, run)
    of_samples = counted.kind == "sample_errors"
    return LogGroup(
        id=finding_id("log", counted.kind, counted.level, counted.service if counted.trace is None else "",
                      counted.trace.id if counted.trace else group.template),
        kind=counted.kind,
        level=counted.level,
        service="" if of_samples else shown(counted.service),
        template=shown(f"{counted.service} {group.template}".strip() if of_samples else group.template),
        count=counted.count,
        example=shown(counted.example)[:_LONGEST_EXAMPLE],
        first_seen=None if counted.first_us is None else run.moment((counted.first_us - run.first_us) / 1e6),
        last_seen=None if counted.last_us is None else run.moment((counted.last_us - run.first_us) / 1e6),
        onset=None if counted.first_us is None else onset_of((counted.first_us - run.first_us) / 1e6, run),
        root_cause=shown(counted.trace.root_cause) if counted.trace else None,
        frames=tuple(map(shown, counted.trace.frames)) if counted.trace else (),
        labels={shown(label): count for label, count in sorted(counted.labels.items())},
        per_minute_before=before,
        per_minute_after=after,
        baseline_count=counted.baseline if has_baseline else None,
        is_new=counted.baseline == 0 if has_baseline else None,
    )  # fmt: skip


def onset_of(at_s: float, run: Timeline) -> LogOnset:
    """When a group began, under what load, and how that lies to the errors."""
    relation, lead = _relation(at_s, run.error_onset_s)
    if at_s < -_SLACK_S or at_s > run.span_s + AROUND_S:
        return LogOnset(at_s=at_s, relation="before_the_run" if at_s < 0 else "after_the_run")
    place = int(np.clip(np.searchsorted(run.at_s, at_s, side="right") - 1, 0, len(run.at_s) - 1))
    users = float(run.users[place])
    is_known = bool(np.isfinite(users)) and at_s >= 0
    return LogOnset(
        at_s=at_s,
        users=users if is_known else None,
        arrivals_per_s=float(run.arrivals[place]) / run.width_s,
        share_of_most_users=users / float(np.nanmax(run.users)) if is_known else None,
        error_rate_before=_rate(run, at_s - AROUND_S, at_s),
        error_rate_after=_rate(run, at_s, at_s + AROUND_S),
        relation=relation,
        lead_s=lead,
    )


def log_findings(groups: tuple[LogGroup, ...], most: int = 30) -> tuple[Finding, ...]:
    """What a report should say: serious entries, above all those that are new or came with the errors."""
    found = [finding for one in groups if (finding := _finding(one)) is not None]
    return tuple(sorted(found, key=lambda one: (ORDER.index(one.severity), one.id)))[:most]


def _finding(one: LogGroup) -> Finding | None:
    if one.level not in ("FATAL", "ERROR"):
        return None
    relation = one.onset.relation if one.onset else None
    more = one.per_minute_after is not None and one.per_minute_after > _MUCH_MORE * (one.per_minute_before or 0.0)
    is_near = relation in ("before_errors", "with_errors") and more and one.count >= _FEWEST
    severity: Severity = "major" if one.level == "FATAL" or one.is_new or is_near else "minor"
    words = {"before_errors": "began before the error rate rose", "with_errors": "began when the error rate rose"}
    when = f"; it {words[relation]}" if is_near and relation in words else ""
    new = ", and not in the baseline" if one.is_new else ""
    what = f"{one.root_cause}: {one.template}" if one.root_cause else one.template
    return Finding(
        id=one.id,
        kind="log",
        severity=severity,
        subject=one.service,
        text=f"{'Once' if one.count == 1 else f'{one.count} times'} {one.level} {what!r}{new}{when}.",
        evidence={
            "count": one.count,
            "source": one.kind,
            "first_seen": one.first_seen.isoformat() if one.first_seen else None,
            "lead_s": one.onset.lead_s if one.onset else None,
            "per_minute_before": one.per_minute_before,
            "per_minute_after": one.per_minute_after,
        },
    )


def _relation(at_s: float, onset_s: float | None) -> tuple[Relation, float | None]:
    if onset_s is None:
        return "no_error_onset", None
    lead = round(onset_s - at_s, 3)
    if abs(lead) <= TOGETHER_S:
        return "with_errors", lead
    return ("before_errors" if lead > 0 else "after_errors"), lead


def _rate(run: Timeline, from_s: float, to_s: float) -> float | None:
    inside = (run.at_s >= from_s) & (run.at_s < to_s)
    completed = float(run.completed[inside].sum())
    return float(run.errors[inside].sum()) / completed if completed else None


def _per_minute(group: Group, run: Timeline) -> tuple[float | None, float | None]:
    onset = run.error_onset_s
    if onset is None or group.counted.first_us is None or group.counted.kind == "sample_errors":
        return None, None
    before = group.counted.before / onset * 60 if onset > 0 else None
    after = group.counted.after / (run.span_s - onset) * 60 if run.span_s > onset else None
    return before, after
