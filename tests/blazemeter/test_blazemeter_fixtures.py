"""Every recorded answer parses, and says what it said. They come over a real socket, as BlazeMeter would send them."""

import json
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fixtures import fixture
from perfsuite.errors import AccessDenied, BadAnswer, BadInput, NotFound, RemoteError
from perfsuite.http import Answer, ApiClient, Service
from perfsuite_blazemeter.client.api import BlazeMeter, Scope
from perfsuite_blazemeter.client.envelopes import result_of
from perfsuite_blazemeter.core.error_counts import count_errors
from perfsuite_blazemeter.core.phases import phase_of
from perfsuite_blazemeter.core.verdicts import verdict_of
from perfsuite_blazemeter.models.entities import Archived, Master, User
from shared.http.loopback import Peer, Received, Step, answer, serving

MASTER = 7_000_001


def body_of(name: str) -> Any:
    return json.loads(fixture(f"blazemeter/{name}").read_text(encoding="utf-8"))


def client_of(url: str) -> ApiClient:
    return ApiClient(Service("BlazeMeter", f"{url}/api/v4"))


async def told(content: Any, method: str, *arguments: Any, status: int = 200, **options: Any) -> Any:
    """What a method of the client makes of one answer."""
    async with serving(answer(status, json.dumps(content).encode())) as server, client_of(server.url) as api:
        return await getattr(BlazeMeter(api), method)(*arguments, **options)


async def test_the_accounts_as_they_were_recorded() -> None:
    page = await told(body_of("taurus_accounts.json"), "accounts")
    assert (len(page.items), page.total, page.has_more) == (3, 3, False)
    assert all(one.id for one in page.items)


async def test_the_user_as_it_was_recorded() -> None:
    user = User.model_validate(body_of("taurus_user.scrubbed.json"))
    assert user.id == 10001
    assert user.default_project is not None
    assert (user.default_project.id, user.default_project.workspace_id) == (77, None)


async def test_a_refusal_as_it_was_recorded() -> None:
    recorded = body_of("recorded_401_unauthorized.json")["body"]
    with pytest.raises(AccessDenied, match="Unauthorized"):
        await told(recorded, "workspace", 1, status=401)
    with pytest.raises(AccessDenied, match="Unauthorized"):
        await told(recorded, "workspace", 1)


async def test_sessions_as_they_were_recorded_long_ago() -> None:
    [session] = await told(body_of("recorded_legacy_v1_sessions_list.json"), "sessions", MASTER)
    assert (session.id, session.status) == ("r-op-beta53c3bdd960f23", "DATA_RECIEVED")


@pytest.mark.parametrize("name", ["shape_sessions_dict.json", "shape_sessions_list.json"])
async def test_both_shapes_of_sessions(name: str) -> None:
    [session] = await told(body_of(name), "sessions", MASTER)
    assert (session.id, session.test_id) == ("r-v4-00000000000001", 201)


async def test_sessions_that_are_not_there_yet_and_sessions_without_an_id() -> None:
    before, after = body_of("mock_sessions_dict_shape.json")
    assert await told(before, "sessions", MASTER) == []
    with pytest.raises(BadAnswer, match=r"'0\.id'"):
        await told(after, "sessions", MASTER)


async def test_runs_of_which_nobody_says_how_many_there_are() -> None:
    content = body_of("shape_masters_page_total_na.json")
    page = await told(content, "masters", Scope(account_id=9))
    assert (page.total, page.has_more) == (None, False)
    assert [(run.ended is None, run.dumped, run.report_status) for run in page.items] == [
        (True, False, "unset"),
        (False, False, "fail"),
        (False, True, "pass"),
    ]
    full = {**content, "limit": 3}
    assert (await told(full, "masters", Scope(account_id=9), limit=3)).has_more is True


async def test_the_last_page_of_runs() -> None:
    page = await told(body_of("shape_masters_page_total_int.json"), "masters", Scope(test_id=201), skip=50)
    assert (page.total, page.has_more, len(page.items)) == (51, False, 1)


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("shape_status_booting_no_progress.json", "starting"),
        ("shape_status_running.json", "running"),
        ("shape_status_ended.json", "ended"),
    ],
)
async def test_the_phases(name: str, phase: str) -> None:
    assert phase_of(await told(body_of(name), "status", MASTER), Master(id=MASTER)) == phase


async def test_a_status_that_has_no_progress_at_first() -> None:
    first, last = body_of("mock_status_sequence.json")
    phases = [phase_of(await told(one, "status", 1), Master(id=1)) for one in (first, last)]
    assert phases == ["starting", "ended"]


async def test_summaries() -> None:
    whole = (await told(body_of("shape_summary_all_row.json"), "summary", MASTER)).overall
    assert (whole.hits, whole.failed, whole.tp95, whole.first.isoformat()) == (
        2400, 60, 520, "2025-10-09T08:53:20+00:00",
    )  # fmt: skip
    lacking = (await told(body_of("shape_summary_no_tp95_tp99.json"), "summary", MASTER)).overall
    assert (lacking.tp90, lacking.tp95, lacking.tp99, lacking.median) == (390, None, None, None)
    empty = (await told(body_of("shape_summary_all_null_gui_run.json"), "summary", MASTER)).overall
    assert (empty.hits, empty.failed, empty.avg, empty.first) == (None, None, None, None)


@pytest.mark.parametrize("status", [200, 400, 409, 410, 422])
@pytest.mark.parametrize(
    "method", ["summary", "status", "sessions", "aggregate_report", "errors_report", "thresholds", "ci_status"]
)
async def test_an_archived_report_is_a_state_whatever_the_status_of_its_answer(method: str, status: int) -> None:
    found = await told(body_of("shape_summary_archived_422.json"), method, MASTER, status=status)
    assert isinstance(found, Archived)
    assert "archived" in found.message


@pytest.mark.parametrize("method", ["summary", "master", "sessions", "master_full", "labels"])
async def test_an_error_with_status_200_is_an_error(method: str) -> None:
    with pytest.raises(NotFound, match="Master not found"):
        await told(body_of("shape_error_http200_with_error.json"), method, MASTER)


async def test_an_unprocessable_request_that_is_not_archived_is_an_error() -> None:
    with pytest.raises(BadInput, match="no such thing"):
        await told({"error": {"code": 422, "message": "no such thing"}, "result": None}, "summary", 1, status=422)


async def test_request_statistics() -> None:
    rows = await told(body_of("mock_aggregatereport.json"), "aggregate_report", MASTER)
    assert [(row.is_all, row.label_name, row.samples, row.line_95) for row in rows] == [
        (True, "ALL", 152, 912),
        (False, "http://blazedemo.com/", 152, 912),
    ]


async def test_errors_are_not_counted_twice() -> None:
    counts = count_errors(await told(body_of("mock_errorsreport.json"), "errors_report", MASTER), None)
    assert (counts.errors, counts.assertions) == (13, 33)
    assert [one.label for one in counts.labels] == ["label1"]


@pytest.mark.parametrize(
    ("name", "passed", "word"),
    [
        ("shape_thresholds_failed.json", False, "failed"),
        ("mock_thresholds_external_false_empty_success.json", None, "none"),
        ("mock_thresholds_external_false_failed.json", False, "failed"),
    ],
)
async def test_thresholds(name: str, passed: bool | None, word: str) -> None:
    verdict = verdict_of(await told(body_of(name), "thresholds", MASTER), None, None)
    assert (verdict.passed, verdict.thresholds) == (passed, word)


async def test_what_went_wrong_with_an_engine() -> None:
    full = await told(body_of("mock_master_full_70404.json"), "master_full", MASTER)
    assert [(error.code, error.message) for error in full.sessions[0].errors] == [
        (70404, "Session ended without load report data")
    ]


async def test_workspaces_and_labels() -> None:
    page = await told(body_of("mock_workspaces.json"), "workspaces", 1)
    assert [(one.id, one.name, one.account_id) for one in page.items] == [(2, "Wksp name", 1), (1, "Dflt name", 1)]
    labels = await told(body_of("mock_data_labels.json"), "labels", MASTER)
    assert [one.name for one in labels] == ["ALL", "http://blazedemo.com/"]


async def test_the_files_of_a_session_and_those_that_are_not_ready() -> None:
    ready = await told(body_of("shape_session_logs.json"), "session_logs", "r-v4-00000000000001")
    assert [bool(one.data_url) for one in ready.data] == [True, True]
    assert "Signature" not in repr(ready)
    waiting = await told(body_of("shape_session_logs_not_ready.json"), "session_logs", "r-v4-00000000000001")
    assert [(one.filename, one.data_url) for one in waiting.data] == [("artifacts.zip", None)]


def test_every_envelope_is_understood() -> None:
    folder = fixture("blazemeter")
    names = [path.name for path in folder.glob("*.json") if path.name.startswith(("mock_", "shape_"))]
    found = [one for body in map(body_of, names) for one in (body if isinstance(body, list) else [body])]
    refused = [one for one in found if one.get("error")]
    for content in found:
        with pytest.raises((NotFound, BadInput)) if content in refused else nullcontext():
            assert result_of(Answer(200, {}, content), "it") == content["result"]
    assert (len(found) >= 25, len(refused)) == (True, 2)


METHODS = {
    "/reports/default/summary": "summary",
    "/reports/aggregatereport/data": "aggregate_report",
}


@pytest.mark.parametrize(
    "name",
    [
        "perfecto_project_export.json",
        "perfecto_project_sweep.json",
        "perfecto_run_pair.json",
        "perfecto_test_history.json",
    ],
)
async def test_the_canned_answers_of_another_client_parse(name: str) -> None:
    told_of = 0
    for route in body_of(name)["routes"]:
        path, content = route["path"], route["response"]
        told_of += await _is_told(path, content)
    assert told_of >= 5


async def _is_told(path: str, content: Any) -> bool:
    """Read one canned answer, if it is of an endpoint that we ask."""
    parts = path.strip("/").split("/")
    end = next((method for tail, method in METHODS.items() if path.endswith(tail)), None)
    if end:
        found = await told(content, end, int(parts[1]))
        return isinstance(found, Archived) or found is not None
    if path == "/masters":
        page = await told(content, "masters", Scope(project_id=101))
        return [run.id for run in page.items] == [row["id"] for row in content["result"]]
    if path == "/data/labels":
        rows = content["result"]
        return "id" in rows[0] and len(await told(content, "labels", 9001)) == len(rows)
    if len(parts) == 2:
        one = await told(content, {"masters": "master"}.get(parts[0], parts[0].removesuffix("s")), int(parts[1]))
        return bool(one.name == content["result"]["name"])
    return False


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        "text",
        {"result": "text", "error": None},
        {"result": {"id": "x"}},
        {"result": {"id": 1, "created": "no"}},
    ],
)
async def test_an_answer_of_another_shape_is_said_to_be_one(content: Any) -> None:
    with pytest.raises(BadAnswer, match="answer about run 1"):
        await told(content, "master", 1)


async def test_an_error_that_is_no_object_is_an_error() -> None:
    with pytest.raises(RemoteError, match="'broken'"):
        await told({"error": "broken", "result": None}, "master", 1)


async def test_what_is_sent_to_list_runs() -> None:
    sent: list[Received] = []

    def keeping(step: Step) -> Step:
        async def kept(request: Received, peer: Peer) -> None:
            sent.append(request)
            await step(request, peer)

        return kept

    async with serving(keeping(answer(200, b'{"result": []}'))) as server, client_of(server.url) as api:
        await BlazeMeter(api).masters(Scope(test_id=201), skip=50)
    query = parse_qs(urlsplit(sent[0].target).query)
    assert query == {"testId": ["201"], "sort[]": ["-created"], "skip": ["50"], "limit": ["50"]}


async def test_a_page_that_brings_nothing_ends_the_list() -> None:
    page = await told({"result": [], "total": 90, "limit": 50}, "projects", 1, skip=50)
    assert (page.total, page.has_more) == (90, False)
