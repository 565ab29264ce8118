"""Whether a run passed, from three sources that do not always agree. Where none of them speaks, nobody knows."""

from collections.abc import Sequence
from typing import Final

from perfsuite_blazemeter.models.config import Criterion, Verdict
from perfsuite_blazemeter.models.reports import CiProblem, CiStatus, Threshold, Thresholds

# `unset` is what a run without criteria has; it is no pass.
_BY_STATUS: Final = {"pass": True, "fail": False, "error": False, "abort": False, "nodata": False}
_OPERATORS: Final = {"gt": ">", "lt": "<", "eq": "=", "ne": "!=", "gte": ">=", "lte": "<="}
_MOST_PROBLEMS: Final = 10
_NOBODY: Final = "Nothing says whether it passed."


def verdict_of(
    thresholds: Thresholds | None, report_status: str | None, ci: CiStatus | None, *, unproven: str | None = None
) -> Verdict:
    """What each source says, what follows, and where they contradict each other. None is a source that is not there.

    `unproven` is why no source can be right that says the run passed.
    """
    rows = thresholds.data if thresholds else ()
    said = {
        "the thresholds": _by_thresholds(rows),
        f"reportStatus {report_status!r}": _BY_STATUS.get((report_status or "").lower()),
        "ci-status": False if ci and (ci.errors or ci.failures) else None,
    }
    known = {name: passed for name, passed in said.items() if passed is not None}
    passed = all(known.values()) if known else None
    reason = _NOBODY if passed is None else unproven if passed else None
    return Verdict(
        passed=None if reason else passed,
        reason=reason,
        thresholds="unavailable" if thresholds is None else _word(_by_thresholds(rows)),
        report_status=report_status,
        ci_status="unavailable" if ci is None else "error" if ci.errors else "failed" if ci.failures else "clean",
        problems=tuple(map(_told, (*ci.errors, *ci.failures)[:_MOST_PROBLEMS])) if ci else (),
        criteria=tuple(_criterion(row) for row in rows if row.field),
        disagreement=_disagreement(known, ci),
    )


def _by_thresholds(rows: Sequence[Threshold]) -> bool | None:
    """A row that only says success and names no criterion says nothing (taurus issue 1941); a failure counts."""
    if any(row.success is False for row in rows):
        return False
    return True if any(row.success and row.field for row in rows) else None


def _word(passed: bool | None) -> str:
    return "none" if passed is None else "passed" if passed else "failed"


def _disagreement(known: dict[str, bool], ci: CiStatus | None) -> str | None:
    passes = [name for name, passed in known.items() if passed]
    fails = [name for name, passed in known.items() if not passed]
    if passes and fails:
        return f"{' and '.join(fails)} say that it failed; {' and '.join(passes)} that it passed. It counts as failed."
    if fails and ci is not None and not (ci.errors or ci.failures):
        return f"{' and '.join(fails)} say that it failed, and ci-status lists nothing. It counts as failed."
    return None


def _criterion(row: Threshold) -> Criterion:
    about = "" if row.label_id in (None, "ALL") else f" of {row.label_id}"
    sign = _OPERATORS.get(row.op or "", row.op or "?")
    limit = "?" if row.threshold is None else f"{row.threshold:g}"
    return Criterion(fails_if=f"{row.field}{about} {sign} {limit}", value=row.value, passed=row.success)


def _told(problem: CiProblem) -> str:
    return f"{problem.message or 'nothing said'} (code {problem.code if problem.code is not None else 'unknown'})"
