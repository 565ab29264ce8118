"""Workspaces, projects, tests and runs, by name or id, over a real socket."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from blazemeter.conftest import NEWEST, TEST, Connect, Hands, started
from perfsuite.artifacts import RunStore
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.http import ApiClient, Service
from perfsuite.sandbox.blazemeter import OpenBlazeMeter
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.service.finding import workspace_or_default
from shared.http.loopback import answer, serving


async def test_the_workspaces_of_every_account_are_listed(connect: Connect, mode: str) -> None:
    async with connect(mode) as tools:
        found = await tools.call("get_workspaces")
    assert found["total"] == 14
    assert found["has_more"] is False
    assert {"id": 1201, "name": "Partner", "account_id": 10, "account": "Sandbox of a partner"} in found["rows"]


async def test_a_long_list_comes_in_parts(connect: Connect) -> None:
    async with connect() as tools:
        first = await tools.call("get_workspaces", limit=10)
        rest = await tools.call("get_workspaces", limit=10, start=first["next_start"])
    assert (len(first["rows"]), first["has_more"], len(rest["rows"]), rest["has_more"]) == (10, True, 4, False)
    assert len({row["id"] for row in first["rows"] + rest["rows"]}) == 14


@pytest.mark.parametrize("wanted", ["Retail EU", "retail eu", " Retail EU ", "1102"])
async def test_a_workspace_is_found_by_name_or_id(connect: Connect, wanted: str) -> None:
    async with connect() as tools:
        found = await tools.call("get_workspaces", workspace=wanted)
    assert [row["id"] for row in found["rows"]] == [1102]


async def test_an_unknown_workspace_is_an_error_that_names_those_with_a_similar_name(connect: Connect) -> None:
    async with connect() as tools:
        said = await tools.refused("get_workspaces", workspace="Retial")
    assert "There is no workspace 'Retial'" in said
    assert "'Retail' (id 1101)" in said
    assert "`get_workspaces`" in said


async def test_the_workspace_of_a_run_is_noted_in_its_ledger(connect: Connect, runs: RunStore) -> None:
    async with connect() as tools:
        await tools.call("get_workspaces", workspace="retail", run_id=str(NEWEST))
    record = runs.open(str(NEWEST)).record()
    assert record.source == "blazemeter"
    assert record.request.workspace == "Retail"
    assert [(step.step, step.state, step.tool) for step in record.ledger] == [
        ("find_workspace", "done", "get_workspaces")
    ]


async def test_a_workspace_that_is_not_found_makes_no_run(connect: Connect, runs: RunStore) -> None:
    async with connect() as tools:
        await tools.refused("get_workspaces", workspace="nowhere", run_id="checkout-1")
    assert runs.runs() == []


async def test_a_run_needs_the_name_of_its_workspace(connect: Connect) -> None:
    async with connect() as tools:
        assert "Give `workspace`" in await tools.refused("get_workspaces", run_id="checkout-1")


async def test_the_samples_of_another_source_are_not_taken_over(connect: Connect, runs: RunStore) -> None:
    runs.create("checkout-1", RunFacts(source="jmeter"))
    async with connect() as tools:
        said = await tools.refused("get_workspaces", workspace="Retail", run_id="checkout-1")
    assert "'jmeter'" in said


async def test_an_account_without_workspaces_says_whose_key_it_may_be(
    connect: Connect, fault: Callable[..., None]
) -> None:
    fault("workspaces", "empty")
    async with connect() as tools:
        found = await tools.call("get_workspaces")
    assert found["rows"] == []
    assert "'Sandbox' (id 9)" in found["notes"][0]
    assert "belongs to somebody else" in found["notes"][0]


async def test_an_account_that_may_not_be_seen_is_said_beside_the_others(
    connect: Connect, fault: Callable[..., None]
) -> None:
    fault("workspaces", "error_in_200", status=403, times=1)
    async with connect() as tools:
        found = await tools.call("get_workspaces")
    assert [row["id"] for row in found["rows"]] == [1201]
    assert "may not see the workspaces of account 'Sandbox' (id 9)" in found["notes"][0]


async def test_projects_are_those_of_the_default_workspace_unless_another_is_named(connect: Connect) -> None:
    async with connect() as tools:
        usual = await tools.call("get_projects")
        other = await tools.call("get_projects", workspace="Retail EU")
    assert [row["id"] for row in usual["rows"]] == [2101, 2102]
    assert "'Retail' (id 1101)" in usual["notes"][0]
    assert [row["id"] for row in other["rows"]] == [2103]


async def test_an_empty_workspace_says_why_it_may_be_empty(connect: Connect) -> None:
    async with connect() as tools:
        found = await tools.call("get_projects", workspace="Empty")
    assert found["rows"] == []
    assert "may not see" in found["notes"][0]


async def test_tests_tell_the_load_they_put_on(connect: Connect, asked: Callable[[str], list[Any]]) -> None:
    async with connect() as tools:
        found = await tools.call("get_tests", project="checkout")
    assert [row["name"] for row in found["rows"]] == ["checkout-flow", "checkout-flow strict", "checkout-spike"]
    assert found["rows"][0]["load"] == ["8 users, hold 23s, from us-east4-a"]
    assert asked("tests")[0].value("projectId") == "2101"


async def test_the_tests_of_a_workspace_are_those_of_all_its_projects(connect: Connect) -> None:
    async with connect() as tools:
        found = await tools.call("get_tests", workspace="1101")
    assert found["total"] == 4


async def test_runs_of_a_whole_account_have_no_total(connect: Connect, asked: Callable[[str], list[Any]]) -> None:
    async with connect() as tools:
        found = await tools.call("get_test_runs", limit=5)
    assert found["total"] is None
    assert found["has_more"] is True
    assert "does not say how many" in found["notes"][0]
    [request] = asked("masters")
    assert request.value("accountId") == "9"
    assert request.value("sort[]") == "-created"


async def test_runs_are_paged_to_the_end(connect: Connect) -> None:
    seen: list[int] = []
    start = 0
    async with connect() as tools:
        for _ in range(3):
            found = await tools.call("get_test_runs", account="Sandbox", limit=5, start=start)
            seen += [row["master_id"] for row in found["rows"]]
            start = found["next_start"] or start
    assert seen == list(range(NEWEST, NEWEST - 12, -1))
    assert found["has_more"] is False


async def test_runs_of_a_test_are_found_by_its_name(connect: Connect, asked: Callable[[str], list[Any]]) -> None:
    async with connect() as tools:
        found = await tools.call("get_test_runs", test="checkout-flow strict", project="Checkout")
    assert found["scope"] == "test 'checkout-flow strict' (id 3002)"
    assert found["total"] == len(found["rows"]) == 3
    assert {row["report_status"] for row in found["rows"]} == {"fail"}
    assert asked("masters")[0].value("testId") == "3002"


async def test_an_archived_run_is_said_to_be_archived(connect: Connect) -> None:
    async with connect() as tools:
        found = await tools.call("get_test_runs", account="9", limit=50)
    assert [row["phase"] for row in found["rows"]] == ["ended"] * 11 + ["archived"]


async def test_the_window_goes_out_as_seconds_under_the_names_that_are_heeded(
    connect: Connect, asked: Callable[[str], list[Any]]
) -> None:
    async with connect() as tools:
        found = await tools.call(
            "get_test_runs", test="3001", start_time="2025-12-30T00:00:00+01:00", end_time="2026-01-02"
        )
    [request] = asked("masters")
    assert (request.value("startTime"), request.value("endTime")) == ("1767049200", "1767312000")
    assert {"from", "to"}.isdisjoint(name for name, _ in request.query)
    assert found["window"] == "2025-12-29T23:00:00Z to 2026-01-02T00:00:00Z"


async def test_a_window_in_the_future_says_so(connect: Connect) -> None:
    async with connect() as tools:
        found = await tools.call("get_test_runs", test="3001", start_time="2101-01-01T00:00:00Z")
    assert found["rows"] == []
    assert "begins in the future" in found["notes"][0]


async def test_a_window_before_anything_was_kept_says_what_may_be_wrong(connect: Connect) -> None:
    async with connect() as tools:
        found = await tools.call("get_test_runs", test="3001", start_time="2001-01-01", end_time="2001-02-01")
    assert (found["rows"], found["window"]) == ([], "2001-01-01T00:00:00Z to 2001-02-01T00:00:00Z")
    assert "perhaps the window or its zone is wrong" in found["notes"][0]


async def test_in_the_night_when_clocks_are_put_back_the_hour_that_is_meant_goes_out(
    connect: Connect, asked: Callable[[str], list[Any]]
) -> None:
    async with connect() as tools:
        said = await tools.refused("get_test_runs", test="3001", start_time="2025-10-26T02:30 Europe/Berlin")
        assert asked("masters") == []
        window = {"start_time": "2025-10-26T02:30:00+02:00", "end_time": "2025-10-26T02:30:00+01:00"}
        await tools.call("get_test_runs", test="3001", **window)
    assert "happened twice in Europe/Berlin" in said
    [request] = asked("masters")
    assert int(request.value("endTime")) - int(request.value("startTime")) == 3600


async def test_a_window_that_ends_before_it_begins_is_refused(connect: Connect) -> None:
    async with connect() as tools:
        said = await tools.refused("get_test_runs", test="3001", start_time="now", end_time="now-1h")
    assert "before it begins" in said


async def test_an_unknown_test_is_looked_for_among_all(connect: Connect, asked: Callable[[str], list[Any]]) -> None:
    async with connect() as tools:
        said = await tools.refused("get_test_runs", test="checkout-flo", project="2101")
    assert "'checkout-flow' (id 3001)" in said
    assert [request.value("name") for request in asked("tests")] == ["checkout-flo", None]


@pytest.mark.parametrize("tool", ["get_workspaces", "get_projects", "get_tests", "get_test_runs"])
async def test_a_wrong_key_names_the_settings(connect: Connect, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    monkeypatch.setenv("API_KEY_SECRET", "c4n4ry-wr0ng-k3y")
    async with connect() as tools:
        said = await tools.refused(tool)
    assert "401" in said
    assert "API_KEY_ID and API_KEY_SECRET" in said
    assert "c4n4ry" not in said


async def test_a_workspace_of_an_account_that_is_not_ours_names_the_account(
    connect: Connect, fault: Callable[..., None]
) -> None:
    fault("workspace", "error_in_200", status=403)
    async with connect() as tools:
        said = await tools.refused("get_projects", workspace="4711")
    assert "workspace 4711" in said
    assert "may see this account and workspace" in said


async def test_a_default_project_may_name_nothing_but_itself() -> None:
    answers = [
        {"id": 51, "defaultProject": {"id": 77}},
        {"id": 77, "name": "P", "workspaceId": 5},
        {"id": 5, "name": "W", "accountId": 9},
    ]
    steps = [answer(200, json.dumps({"result": one}).encode()) for one in answers]
    async with serving(*steps) as server, ApiClient(Service("BlazeMeter", server.url)) as api:
        assert (await workspace_or_default(BlazeMeter(api), None)).name == "W"


async def test_a_workspace_is_looked_for_in_the_account_that_was_named(connect: Connect) -> None:
    async with connect() as tools:
        for named in ("Partner", "1201"):
            said = await tools.refused("get_workspaces", workspace=named, account="Sandbox")
            assert "in account 'Sandbox' (id 9)" in said
            found = await tools.call("get_workspaces", workspace=named, account="Sandbox of a partner")
            assert found["rows"][0]["id"] == 1201


async def test_a_run_that_has_not_ended_is_called_unfinished_in_a_list(
    connect: Connect, service: OpenBlazeMeter, hands: Hands
) -> None:
    master = started(service, hands)
    async with connect() as tools:
        found = await tools.call("get_test_runs", test=str(TEST), limit=2)
    assert (found["rows"][0]["master_id"], found["rows"][0]["phase"]) == (master, "unfinished")
