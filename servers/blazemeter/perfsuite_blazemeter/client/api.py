"""BlazeMeter's API, one method for each endpoint. Times go out as seconds since 1970, which is all it understands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar, Unpack
from urllib.parse import quote

from pydantic import BaseModel

from perfsuite.http import Answer, ApiClient, HttpSettings, Options, Service, ServiceClock, basic_auth
from perfsuite.http.models import Param
from perfsuite_blazemeter.client.envelopes import (
    ACCESS_HINT,
    or_archived,
    page_of,
    parsed,
    parsed_list,
    result_of,
    unwrapped,
)
from perfsuite_blazemeter.models.entities import (
    Account,
    Archived,
    LoadTest,
    Master,
    MasterFull,
    MasterStatus,
    Page,
    Project,
    PublicLink,
    Session,
    User,
    Workspace,
)
from perfsuite_blazemeter.models.reports import (
    AggregateRow,
    CiStatus,
    ErrorRow,
    LabelName,
    SessionLogs,
    Summary,
    Thresholds,
)
from perfsuite_blazemeter.settings import BlazeMeterSettings

M = TypeVar("M", bound=BaseModel)

# The documented maximum.
PAGE: Final = 50
_NEWEST_FIRST: Final = "-created"
# An archived report comes with one of these, or with 200.
_MAYBE_ARCHIVED: Final = (400, 409, 410, 422)
# With these, what was asked for was certainly not done.
_REFUSED: Final = (400, 402, 409, 422)


@dataclass(frozen=True)
class Scope:
    """Whose runs are asked for: those of one of these."""

    test_id: int | None = None
    project_id: int | None = None
    workspace_id: int | None = None
    account_id: int | None = None

    @property
    def params(self) -> dict[str, Param]:
        return {
            "testId": self.test_id,
            "projectId": self.project_id,
            "workspaceId": self.workspace_id,
            "accountId": self.account_id,
        }


class BlazeMeter:
    """One method for each endpoint. `api` is for downloads, whose links stand in the answers."""

    def __init__(self, api: ApiClient) -> None:
        self.api = api
        self.clock = ServiceClock()

    async def user(self) -> User:
        return await self._one(User, "user", "the user")

    async def accounts(self, *, skip: int = 0, limit: int = PAGE) -> Page[Account]:
        return await self._page(Account, "accounts", "the accounts", {}, skip, limit)

    async def workspaces(self, account_id: int, *, skip: int = 0, limit: int = PAGE) -> Page[Workspace]:
        params: dict[str, Param] = {"accountId": account_id}
        return await self._page(Workspace, "workspaces", f"the workspaces of account {account_id}", params, skip, limit)

    async def workspace(self, workspace_id: int) -> Workspace:
        return await self._one(Workspace, f"workspaces/{workspace_id}", f"workspace {workspace_id}")

    async def projects(
        self, workspace_id: int, *, name: str | None = None, skip: int = 0, limit: int = PAGE
    ) -> Page[Project]:
        params: dict[str, Param] = {"workspaceId": workspace_id, "name": name}
        return await self._page(Project, "projects", f"the projects of workspace {workspace_id}", params, skip, limit)

    async def project(self, project_id: int) -> Project:
        return await self._one(Project, f"projects/{project_id}", f"project {project_id}")

    async def tests(self, scope: Scope, *, name: str | None = None, skip: int = 0, limit: int = PAGE) -> Page[LoadTest]:
        return await self._page(LoadTest, "tests", "the tests", {**scope.params, "name": name}, skip, limit)

    async def test(self, test_id: int) -> LoadTest:
        return await self._one(LoadTest, f"tests/{test_id}", f"test {test_id}")

    async def masters(
        self,
        scope: Scope,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        skip: int = 0,
        limit: int = PAGE,
    ) -> Page[Master]:
        """The runs, the newest first. Any other names for the window than these two are ignored by BlazeMeter."""
        window: dict[str, Param] = {"startTime": _seconds(start), "endTime": _seconds(end)}
        params = {**scope.params, **window, "sort[]": _NEWEST_FIRST}
        return await self._page(Master, "masters", "the runs", params, skip, limit)

    async def master(self, master_id: int) -> Master:
        return await self._one(Master, f"masters/{master_id}", f"run {master_id}")

    async def master_full(self, master_id: int) -> MasterFull:
        return await self._one(MasterFull, f"masters/{master_id}/full", f"the details of run {master_id}")

    async def status(self, master_id: int) -> MasterStatus | Archived:
        about = f"the status of run {master_id}"
        return await self._report(MasterStatus, f"masters/{master_id}/status", about, {"events": False})

    async def sessions(self, master_id: int) -> list[Session] | Archived:
        """The engines, whose list comes in two shapes."""
        about = f"the sessions of run {master_id}"
        answer = await self._get(f"masters/{master_id}/sessions", expected=_MAYBE_ARCHIVED)
        return self._rows(Session, answer, about, "sessions")

    async def summary(self, master_id: int) -> Summary | Archived:
        path = f"masters/{master_id}/reports/default/summary"
        return await self._report(Summary, path, f"the summary of run {master_id}")

    async def aggregate_report(self, master_id: int) -> list[AggregateRow] | Archived:
        path = f"masters/{master_id}/reports/aggregatereport/data"
        answer = await self._get(path, expected=_MAYBE_ARCHIVED)
        return self._rows(AggregateRow, answer, f"the request statistics of run {master_id}")

    async def errors_report(self, master_id: int) -> list[ErrorRow] | Archived:
        path = f"masters/{master_id}/reports/errorsreport/data"
        answer = await self._get(path, {"noDataError": False}, expected=_MAYBE_ARCHIVED)
        return self._rows(ErrorRow, answer, f"the errors of run {master_id}")

    async def thresholds(self, master_id: int) -> Thresholds | Archived:
        """Without parameters: `source=default` answers success whatever happened."""
        path = f"masters/{master_id}/reports/thresholds"
        return await self._report(Thresholds, path, f"the thresholds of run {master_id}")

    async def ci_status(self, master_id: int) -> CiStatus | Archived:
        return await self._report(CiStatus, f"masters/{master_id}/ci-status", f"the CI status of run {master_id}")

    async def labels(self, master_id: int) -> list[LabelName]:
        answer = await self._get("data/labels", {"master_id": master_id})
        about = f"the labels of run {master_id}"
        return parsed_list(LabelName, result_of(answer, about), about)

    async def session_logs(self, session_id: str) -> SessionLogs | Archived:
        """The files of a session; right after the end they have no `data_url` for a while."""
        path = f"sessions/{quote(session_id, safe='')}/reports/logs"
        return await self._report(SessionLogs, path, "the files of a session")

    async def start_test(self, test_id: int) -> Master:
        """Start a test. It is sent once; if its answer is lost, nobody knows whether it started."""
        return await self._do(Master, f"tests/{test_id}/start", f"the start of test {test_id}", {"isDebugRun": False})

    async def stop(self, master_id: int) -> None:
        """Let the run end by itself, with its results."""
        await self._end(f"masters/{master_id}/stop", f"the stop of run {master_id}")

    async def terminate(self, master_id: int) -> None:
        """End a run that has no results yet."""
        await self._end(f"masters/{master_id}/terminate", f"the termination of run {master_id}")

    async def public_token(self, master_id: int) -> str:
        """Make the report readable for whoever has the token."""
        path, about = f"masters/{master_id}/public-token", f"the public link of run {master_id}"
        return (await self._do(PublicLink, path, about, {"publicToken": None})).public_token

    async def _get(self, path: str, params: dict[str, Param] | None = None, expected: tuple[int, ...] = ()) -> Answer:
        return await self._request("GET", path, params=params or {}, expected=expected)

    async def _request(self, method: str, path: str, **options: Unpack[Options]) -> Answer:
        sent_at = self.clock.here()
        answer = await self.api.request(method, path, **options)
        self.clock.learn(answer.headers, sent_at)
        return answer

    async def _one(self, model: type[M], path: str, about: str) -> M:
        return parsed(model, result_of(await self._get(path), about), about)

    async def _page(
        self, model: type[M], path: str, about: str, params: dict[str, Param], skip: int, limit: int
    ) -> Page[M]:
        answer = await self._get(path, {**params, "skip": skip, "limit": limit})
        return page_of(answer, model, about, skip=skip, limit=limit)

    async def _report(
        self, model: type[M], path: str, about: str, params: dict[str, Param] | None = None
    ) -> M | Archived:
        answer = await self._get(path, params, expected=_MAYBE_ARCHIVED)
        return or_archived(answer, about, lambda value: parsed(model, value, about))

    def _rows(self, model: type[M], answer: Answer, about: str, *keys: str) -> list[M] | Archived:
        return or_archived(answer, about, lambda value: parsed_list(model, unwrapped(value, *keys), about))

    async def _do(self, model: type[M], path: str, about: str, body: object) -> M:
        answer = await self._request("POST", path, json=body, expected=_REFUSED)
        return parsed(model, result_of(answer, about), about)

    async def _end(self, path: str, about: str) -> None:
        # To end what has ended does no harm, so it may be sent again.
        result_of(await self._request("POST", path, idempotent=True), about)


@asynccontextmanager
async def connected(settings: BlazeMeterSettings, http: HttpSettings) -> AsyncIterator[BlazeMeter]:
    """BlazeMeter as the settings name it, for as long as the block lasts."""
    credentials = settings.credentials
    header = {"Authorization": basic_auth(credentials.key_id, credentials.secret)}
    async with ApiClient(Service("BlazeMeter", settings.base_url, header, access_hint=ACCESS_HINT), http) as api:
        yield BlazeMeter(api)


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
