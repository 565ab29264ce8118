"""The reports of a run, from its samples."""

from hashlib import md5
from typing import Any, Final

from anyio.to_thread import run_sync
from starlette.responses import Response

from perfsuite.sandbox.blazemeter import verdicts
from perfsuite.sandbox.blazemeter.envelopes import answer
from perfsuite.sandbox.blazemeter.failures import failure_rows
from perfsuite.sandbox.blazemeter.masters import Master
from perfsuite.sandbox.blazemeter.recording import LabelNumbers, Numbers
from perfsuite.sandbox.blazemeter.standin import BlazeMeterStandIn
from perfsuite.sandbox.blazemeter.tables import API
from perfsuite.sandbox.standins.visits import Visit

_ARCHIVED: Final = ("archived", "archived_in_200")


@API.route(
    "GET", "/masters/{master_id}/reports/default/summary", name="summary", evidence="reported",
    note="no recorded body is public", faults=(*_ARCHIVED, "no_tp95", "null_kpis"),
)  # fmt: skip
async def summary(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    """The row ALL comes second: whoever takes the first one is wrong."""
    found = standin.master(visit)
    if refused := standin.refused_as_archived(visit, found):
        return refused
    numbers = None if visit.fault("null_kpis") else await run_sync(_numbers, found, standin.clock.now())
    total = _summary_row("ALL", numbers.total if numbers else None, found)
    labels = [_summary_row(one.statistics.label, one, found) for one in (numbers.labels[:1] if numbers else ())]
    if visit.fault("no_tp95"):
        for row in (total, *labels):
            for name in ("tp95", "tp99", "median"):
                row.pop(name)
    return answer({"maxUsers": total["maxUsers"], "summary": [*labels, total]})


@API.route(
    "GET", "/masters/{master_id}/reports/aggregatereport/data", name="aggregate_report", evidence="source",
    note="no recorded body is public; whether ALL counts transactions is not known",
    faults=(*_ARCHIVED, "no_median", "no_percentiles"),
)  # fmt: skip
async def aggregate_report(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    found = standin.master(visit)
    if refused := standin.refused_as_archived(visit, found):
        return refused
    numbers = await run_sync(_numbers, found, standin.clock.now())
    rows = (
        [_aggregate_row("ALL", numbers.total), *(_aggregate_row(None, one) for one in numbers.labels)]
        if numbers
        else []
    )
    for row in rows:
        if visit.fault("no_median"):
            row["medianResponseTime"] = 0
        if visit.fault("no_percentiles"):
            row |= {"95line": None, "99line": None}
    return answer(rows, version=2)


@API.route(
    "GET", "/masters/{master_id}/reports/errorsreport/data", name="errors_report", evidence="source",
    note="no recorded body is public", faults=(*_ARCHIVED, "inconsistent"),
)  # fmt: skip
async def errors_report(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    found = standin.master(visit)
    if refused := standin.refused_as_archived(visit, found):
        return refused
    numbers = await run_sync(_numbers, found, standin.clock.now())
    return answer(failure_rows(numbers.failures if numbers else (), is_inconsistent=bool(visit.fault("inconsistent"))))


@API.route(
    "GET", "/masters/{master_id}/reports/thresholds", name="thresholds", evidence="reported",
    note="with external=false it always says success", faults=(*_ARCHIVED, "says_success"),
)  # fmt: skip
async def thresholds(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    found = standin.master(visit)
    if refused := standin.refused_as_archived(visit, found):
        return refused
    if visit.value("external") == "false" or visit.fault("says_success"):
        return answer({"data": [{"success": True, "stop": False, "assertions": []}]})
    return answer(await run_sync(verdicts.thresholds_report, found, standin.clock.now()))


@API.route("GET", "/masters/{master_id}/ci-status", name="ci_status", evidence="source", faults=_ARCHIVED)
async def ci_status(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    found = standin.master(visit)
    if refused := standin.refused_as_archived(visit, found):
        return refused
    return answer(await run_sync(verdicts.ci_status, found, standin.clock.now()))


@API.route("GET", "/data/labels", name="labels", evidence="source", note="undocumented")
async def labels(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    found = standin.masters.find(visit.value("master_id") or "")
    numbers = await run_sync(_numbers, found, standin.clock.now()) if found else None
    if found is None or numbers is None:
        return answer([])
    sessions = [session.id for session in found.sessions]
    named = [("ALL", "ALL"), *((label_id(one), one.statistics.label) for one in numbers.labels)]
    return answer([{"id": id_, "name": name, "sessions": sessions} for id_, name in named])


def label_id(one: LabelNumbers) -> str:
    return md5(one.statistics.label.encode(), usedforsecurity=False).hexdigest()


def _numbers(master: Master, now: float) -> Numbers | None:
    so_far = master.so_far(now)
    return so_far.numbers() if so_far else None


def _summary_row(name: str, one: LabelNumbers | None, master: Master) -> dict[str, Any]:
    row: dict[str, Any] = {"id": "ALL" if one is None or name == "ALL" else label_id(one), "lb": name}
    empty = dict.fromkeys(
        ("hits", "failed", "avg", "min", "max", "median", "tp90", "tp95", "tp99", "std", "hits_avg", "maxUsers")
    )
    if one is None or one.statistics.first_us is None or one.statistics.last_us is None:
        return {**row, **empty, "duration": 0}
    found, times = one.statistics, one.statistics.percentiles_ms
    first, last = (
        (moment + master.shift_us) // 1_000_000 for moment in (one.statistics.first_us, one.statistics.last_us)
    )
    return {
        **row, "hits": found.samples, "failed": found.errors, "avg": _rounded(found.mean_ms), "min": found.min_ms,
        "max": found.max_ms, "median": times["p50_ms"], "tp90": times["p90_ms"], "tp95": times["p95_ms"],
        "tp99": times["p99_ms"], "std": _rounded(found.stdev_ms), "hits_avg": _rounded(found.throughput_per_s),
        "first": first, "last": last, "duration": last - first, "durationIsNotConfigured": False,
        "bytes": round((one.bytes or 0) * found.samples), "size_avg": _rounded(one.bytes), "concurrency": one.users,
        "maxUsers": one.users, "latencyAvg": _rounded(one.latency_ms), "histogram": {"mean": _rounded(found.mean_ms)},
    }  # fmt: skip


def _aggregate_row(name: str | None, one: LabelNumbers) -> dict[str, Any]:
    found, times = one.statistics, one.statistics.percentiles_ms
    seconds = 0 if found.first_us is None or found.last_us is None else (found.last_us - found.first_us) / 1e6
    return {
        "labelId": name or label_id(one), "labelName": name or found.label, "samples": found.samples,
        "avgResponseTime": _rounded(found.mean_ms), "90line": times["p90_ms"], "95line": times["p95_ms"],
        "99line": times["p99_ms"], "minResponseTime": found.min_ms, "maxResponseTime": found.max_ms,
        "medianResponseTime": times["p50_ms"], "avgLatency": _rounded(one.latency_ms), "geoMeanResponseTime": None,
        "stDev": _rounded(found.stdev_ms), "duration": round(seconds), "avgBytes": _rounded(one.bytes),
        "avgThroughput": found.throughput_per_s, "errorsCount": found.errors,
        "errorsRate": None if found.error_rate is None else found.error_rate * 100, "concurrency": one.users,
        "hasLabelPassedThresholds": None,
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
