"""Runs: their list, their state, and what starts and ends them."""

from collections.abc import Iterator
from typing import Any

from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.responses import Response

from perfsuite.sandbox.blazemeter import catalog, verdicts
from perfsuite.sandbox.blazemeter.entity_routes import find_test, project_of, workspace_of
from perfsuite.sandbox.blazemeter.envelopes import answer, page
from perfsuite.sandbox.blazemeter.masters import Master, Session
from perfsuite.sandbox.blazemeter.standin import BlazeMeterStandIn
from perfsuite.sandbox.blazemeter.tables import API
from perfsuite.sandbox.blazemeter.timeline import DATA
from perfsuite.sandbox.standins.visits import Visit

_SHAPES = ("list_sessions", "dict_sessions")


@API.route(
    "GET", "/masters", name="masters", evidence="reported", faults=("total_na", "empty"),
    note="startTime and endTime filter by the creation of a run; when total is n/a",
)  # fmt: skip
async def masters(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    """Filters by from and to are taken and ignored, and so are those of creation."""
    found = [] if visit.fault("empty") else list(_asked_for(standin, visit))
    rows = [await run_sync(_row, standin, master) for master in found]
    is_wide = not any(visit.value(name) for name in ("testId", "projectId", "workspaceId"))
    return page(visit, rows, total="n/a" if is_wide else None)


@API.route("GET", "/masters/{master_id}", name="master", evidence="reported")
async def master(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    return answer(await run_sync(_row, standin, standin.master(visit)))


@API.route("PATCH", "/masters/{master_id}", name="change_master", evidence="source", note="name and note")
async def change(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    found, said = standin.master(visit), visit.json()
    found.name, found.note = str(said.get("name", found.name)), str(said.get("note", found.note))
    return answer(await run_sync(_row, standin, found))


@API.route("GET", "/masters/{master_id}/full", name="master_full", evidence="source", faults=("no_data",))
async def master_full(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    found = standin.master(visit)
    now = standin.clock.now()
    lacks_data = bool(visit.fault("no_data")) or (found.ended(now) is not None and found.so_far(now) is None)
    errors = [verdicts.NO_DATA] if lacks_data else []
    sessions = [{**_session(standin, found, one), "errors": errors} for one in found.sessions]
    row = await run_sync(_row, standin, found)
    return answer(
        {**row, "sessions": sessions, "hasThresholds": bool(found.test.thresholds), "functionalSummary": None}
    )


@API.route(
    "GET", "/masters/{master_id}/status", name="status", evidence="specified",
    note="no recorded body is public; the names of the phases between those that are documented",
)  # fmt: skip
async def status(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    found = standin.master(visit)
    phase = found.phase(standin.clock.now())
    if phase.progress is None:
        return answer({"id": found.id, "status": phase.status})
    share = {
        "pending": 0, "booting": 0, "downloading": 0,
        "ready": 100 if phase.progress >= DATA and not phase.has_ended else 0, "ended": 100 if phase.has_ended else 0,
    }  # fmt: skip
    if phase.progress < DATA:
        share["booting"] = 100
    sessions = [
        {"id": one.id, "name": _name(found, one), "status": phase.status, "locationId": one.location}
        for one in found.sessions
    ]
    told = {"id": found.id, "progress": phase.progress, "status": phase.status, "statuses": share}
    return answer({**told, "executionStep": "load", "sessions": sessions, "jmeterLogSummary": [], "events": []})


@API.route(
    "GET", "/masters/{master_id}/sessions", name="sessions", evidence="source", faults=_SHAPES,
    note="which of the two shapes comes when",
)  # fmt: skip
async def sessions(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    found = standin.master(visit)
    rows = [_session(standin, found, one) for one in found.sessions]
    as_list = visit.fault("list_sessions") or (standin.spec.sessions == "list" and not visit.fault("dict_sessions"))
    return answer(rows if as_list else {"sessions": rows})


@API.route("POST", "/tests/{id}/start", name="start", evidence="source", note="the HTTP status")
async def start(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    visit.json()
    made = standin.masters.start(find_test(visit), standin.clock.now())
    return answer(await run_sync(_row, standin, made), status=202)


@API.route("POST", "/masters/{master_id}/stop", name="stop", evidence="source", note="the body of the answer")
async def stop(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    return _stopped(standin, standin.master(visit))


@API.route("POST", "/masters/{master_id}/terminate", name="terminate", evidence="source", note="the body of the answer")
async def terminate(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    return _stopped(standin, standin.master(visit))


@API.route("POST", "/masters/{master_id}/public-token", name="public_token", evidence="source")
async def public_token(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    found = standin.master(visit)
    found.public_token = found.public_token or f"sandbox-public-{found.id}"
    return answer({"publicToken": found.public_token})


def _stopped(standin: BlazeMeterStandIn, found: Master) -> Response:
    now = standin.clock.now()
    if found.phase(now).has_ended:
        raise HTTPException(409, "Conflict: Master has ended")
    found.timeline.stop(found.age(now))
    return answer([{"session_id": one.id, "result": True} for one in found.sessions])


def _asked_for(standin: BlazeMeterStandIn, visit: Visit) -> Iterator[Master]:
    test_id, project_id = visit.number("testId"), visit.number("projectId")
    workspace_id, account_id = visit.number("workspaceId"), visit.number("accountId")
    since, until = visit.number("startTime", 0), visit.number("endTime")
    for one in standin.masters:
        place = (one.test.id, one.test.project_id, project_of(one.test).workspace_id, workspace_of(one.test).account_id)
        asked = (test_id, project_id, workspace_id, account_id)
        if all(want in (None, has) for want, has in zip(asked, place, strict=True)) and (
            int(one.created) >= (since or 0) and (until is None or int(one.created) <= until)
        ):
            yield one


def _row(standin: BlazeMeterStandIn, one: Master) -> dict[str, Any]:
    now = standin.clock.now()
    so_far = one.so_far(now)
    users = so_far.numbers().total.users if so_far else None
    verdict = verdicts.report_status(one, now)
    locations = sorted({session.location for session in one.sessions})
    return {
        "id": one.id, "name": one.name, "testId": one.test.id, "projectId": one.test.project_id,
        "userId": catalog.USER_ID, "created": int(one.created), "updated": one.updated(now), "ended": one.ended(now),
        "lastUpdate": one.updated(now), "maxUsers": users or 0, "note": one.note, "reportStatus": verdict,
        "passed": {"pass": True, "fail": False}.get(verdict), "sessionsId": [session.id for session in one.sessions],
        "locations": locations, "scenarios": ["checkout"], "isDebugRun": False, "dumped": one.is_archived,
        "hasData": so_far is not None, "publicToken": one.public_token,
        "executions": [{"concurrency": users or 0, "scenario": "checkout", "locations": dict.fromkeys(locations, 1)}],
    }  # fmt: skip


def _session(standin: BlazeMeterStandIn, found: Master, one: Session) -> dict[str, Any]:
    now = standin.clock.now()
    return {
        "id": one.id, "name": _name(found, one), "testId": found.test.id, "masterId": found.id,
        "userId": catalog.USER_ID, "created": int(found.created), "updated": found.updated(now),
        "ended": found.ended(now), "status": found.phase(now).status, "locationId": one.location,
        "configuration": {"location": one.location, "serversCount": "1"},
    }  # fmt: skip


def _name(found: Master, one: Session) -> str:
    return f"jmeter/{found.test.name}/{one.location}"
