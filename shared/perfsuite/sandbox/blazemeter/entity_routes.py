"""Accounts, workspaces, projects and tests."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.responses import Response

from perfsuite.sandbox.blazemeter import catalog
from perfsuite.sandbox.blazemeter.catalog import Account, LoadTest, Project, Workspace
from perfsuite.sandbox.blazemeter.envelopes import answer, page
from perfsuite.sandbox.blazemeter.recording import Recording
from perfsuite.sandbox.blazemeter.standin import BlazeMeterStandIn
from perfsuite.sandbox.blazemeter.tables import API
from perfsuite.sandbox.standins.visits import Visit

E = TypeVar("E", Account, Workspace, Project, LoadTest)
_TIMES = {"created": catalog.SINCE, "updated": catalog.SINCE + 86_400}


@API.route("GET", "/user", name="user", evidence="recorded")
async def user(_: BlazeMeterStandIn, __: Visit) -> Response:
    project = {"id": catalog.CHECKOUT.id, "accountId": 9, "workspaceId": catalog.RETAIL.id}
    return answer(
        {
            "id": catalog.USER_ID, "email": "user@example.com", "displayName": "Sandbox User", "enabled": True,
            "access": catalog.SINCE, "login": catalog.SINCE, "timezone": 0, "defaultProject": project, **_TIMES,
        }
    )  # fmt: skip


@API.route("GET", "/accounts", name="accounts", evidence="recorded", faults=("total_na",))
async def accounts(_: BlazeMeterStandIn, visit: Visit) -> Response:
    return page(visit, [_account(one) for one in catalog.ACCOUNTS])


@API.route("GET", "/workspaces", name="workspaces", evidence="source", faults=("total_na", "empty"))
async def workspaces(_: BlazeMeterStandIn, visit: Visit) -> Response:
    account_id = visit.number("accountId")
    if account_id is not None and account_id not in {account.id for account in catalog.ACCOUNTS}:
        raise HTTPException(403, "Forbidden")
    return _page(visit, [_workspace(one) for one in catalog.WORKSPACES if account_id in (None, one.account_id)])


@API.route("GET", "/workspaces/{id}", name="workspace", evidence="reported", note="id, name, accountId, enabled")
async def workspace(_: BlazeMeterStandIn, visit: Visit) -> Response:
    return answer(_workspace(_named(catalog.WORKSPACES, visit, "Workspace")))


@API.route("GET", "/projects", name="projects", evidence="source", faults=("total_na", "empty"))
async def projects(_: BlazeMeterStandIn, visit: Visit) -> Response:
    workspace_id = visit.number("workspaceId")
    return _page(visit, [_project(one) for one in catalog.PROJECTS if workspace_id in (None, one.workspace_id)])


@API.route("GET", "/projects/{id}", name="project", evidence="reported")
async def project(_: BlazeMeterStandIn, visit: Visit) -> Response:
    return answer(_project(_named(catalog.PROJECTS, visit, "Project")))


@API.route("GET", "/tests", name="tests", evidence="source", faults=("total_na", "empty"))
async def tests(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    project_id, workspace_id = visit.number("projectId"), visit.number("workspaceId")
    found = [
        await run_sync(_test, one, standin.recording)
        for one in catalog.TESTS
        if project_id in (None, one.project_id) and workspace_id in (None, project_of(one).workspace_id)
    ]
    return _page(visit, found)


@API.route("GET", "/tests/{id}", name="test", evidence="source")
async def test(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    return answer(await run_sync(_test, find_test(visit), standin.recording))


def find_test(visit: Visit) -> LoadTest:
    """The test that the path names."""
    return _named(catalog.TESTS, visit, "Test")


def project_of(found: LoadTest) -> Project:
    return next(one for one in catalog.PROJECTS if one.id == found.project_id)


def workspace_of(found: LoadTest) -> Workspace:
    return next(one for one in catalog.WORKSPACES if one.id == project_of(found).workspace_id)


def _page(visit: Visit, rows: Sequence[dict[str, Any]]) -> Response:
    return page(visit, [] if visit.fault("empty") else rows)


def _named(known: Iterable[E], visit: Visit, what: str) -> E:
    found = next((one for one in known if str(one.id) == visit.part("id")), None)
    if found is None:
        raise HTTPException(404, f"Not Found: {what} not found")
    return found


def _account(one: Account) -> dict[str, Any]:
    owner = {"id": catalog.USER_ID, "email": "user@example.com", "displayName": "Sandbox User"}
    count = sum(workspace.account_id == one.id for workspace in catalog.WORKSPACES)
    return {
        "id": one.id, "name": one.name, "owner": owner, "membersCount": 1, "workspacesCount": count, "aiConsent": True,
        "apiKeyExpiration": -1, "sessionDelayedStart": 180, **_TIMES,
    }  # fmt: skip


def _workspace(one: Workspace) -> dict[str, Any]:
    limits = {"concurrency": 1000, "engines": 20, "duration": 120, "threadsPerEngine": 500}
    locations = [{"id": id_, "title": id_, "sandbox": False, "limits": limits} for id_ in catalog.LOCATIONS]
    return {
        "id": one.id, "name": one.name, "accountId": one.account_id, "enabled": True, "locations": locations, **_TIMES,
    }  # fmt: skip


def _project(one: Project) -> dict[str, Any]:
    count = sum(test.project_id == one.id for test in catalog.TESTS)
    return {"id": one.id, "name": one.name, "workspaceId": one.workspace_id, "testsCount": count, **_TIMES}


def _test(one: LoadTest, load: Recording) -> dict[str, Any]:
    """A test, set up for the load that its runs have."""
    users = load.numbers().total.users
    thresholds = [
        {"field": limit.field, "label": "ALL", "op": limit.op, "value": limit.limit} for limit in one.thresholds
    ]
    configuration = {
        "type": "taurus", "filename": "checkout.jmx", "enableFailureCriteria": bool(thresholds),
        "plugins": {"thresholds": {"thresholds": thresholds}},
    }  # fmt: skip
    executions = [
        {"concurrency": users, "rampUp": None, "holdFor": load.length, "locations": {catalog.LOCATIONS[0]: users}}
    ]
    return {
        "id": one.id, "name": one.name, "projectId": one.project_id, "configuration": configuration,
        "overrideExecutions": executions, **_TIMES,
    }  # fmt: skip
