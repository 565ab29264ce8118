"""Whether a run has passed, in the three places that say so."""

import operator
from dataclasses import dataclass
from typing import Any, Final

from perfsuite.sandbox.blazemeter.catalog import Threshold
from perfsuite.sandbox.blazemeter.masters import Master
from perfsuite.sandbox.blazemeter.recording import Numbers

NO_DATA: Final = {"code": 70404, "message": "Session ended without load report data", "details": None}
_FAILED: Final = 61000
_OPERATORS: Final = {"gt": operator.gt, "lt": operator.lt}


@dataclass(frozen=True)
class Judged:
    """A threshold and what came of it."""

    threshold: Threshold
    value: float
    success: bool


def judged(master: Master, now: float) -> list[Judged]:
    """The thresholds of the test, as they stand now."""
    so_far = master.so_far(now)
    if so_far is None:
        return []
    numbers = so_far.numbers()
    return [_judged(threshold, numbers) for threshold in master.test.thresholds]


def report_status(master: Master, now: float) -> str:
    if master.ended(now) is None:
        return "unset"
    if master.so_far(now) is None:
        return "noData"
    found = judged(master, now)
    return "unset" if not found else "pass" if all(one.success for one in found) else "fail"


def thresholds_report(master: Master, now: float) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {
            "id": number, "masterId": master.id, "testId": master.test.id, "field": one.threshold.field,
            "labelId": "ALL", "op": one.threshold.op, "threshold": one.threshold.limit, "value": one.value, "range": -1,
            "ignoreRampupTime": 0, "stopTestOnViolation": False, "success": one.success, "violations": [],
        }
        for number, one in enumerate(judged(master, now), start=1)
    ]  # fmt: skip
    return {
        "hash": "thresholds", "name": "Thresholds", "type": "thresholds", "master_id": master.id, "data": rows,
    }  # fmt: skip


def ci_status(master: Master, now: float) -> dict[str, Any]:
    failures = [
        {"code": _FAILED, "message": f"Failure criteria failed: {one.threshold.field}", "details": None}
        for one in judged(master, now)
        if not one.success
    ]
    errors = [NO_DATA] if report_status(master, now) == "noData" else []
    return {"masterId": master.id, "errors": errors, "failures": failures}


def _judged(threshold: Threshold, numbers: Numbers) -> Judged:
    total = numbers.total.statistics
    values = {
        "errors.percent": (total.error_rate or 0) * 100,
        "responseTime.percentile.90": total.percentiles_ms["p90_ms"] or 0,
        "responseTime.avg": total.mean_ms or 0,
    }
    value = round(values[threshold.field], 4)
    return Judged(threshold, value, not _OPERATORS[threshold.op](value, threshold.limit))
