"""Starting, ending and publishing: after a question, and never twice."""

from collections.abc import Callable
from typing import Any

import pytest

from blazemeter.conftest import NEWEST, TEST, Connect, Hands, User, started
from perfsuite.errors import Conflict, Unreachable
from perfsuite.mcp.registration import changes_outside
from perfsuite.sandbox.blazemeter import OpenBlazeMeter
from perfsuite.sandbox.blazemeter.catalog import CHECKOUT_TEST
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.models.answers import StartedRun
from perfsuite_blazemeter.server import server
from perfsuite_blazemeter.service.desk import ask
from perfsuite_blazemeter.service.starting import StartQuestion, start_run

Asked = Callable[[str], list[Any]]
Fault = Callable[..., None]


async def test_a_test_is_started_after_the_user_saw_its_load(connect: Connect, asked: Asked, mode: str) -> None:
    user = User()
    async with connect(mode, elicitation_callback=user) as tools:
        found = await tools.call("start_test", test="checkout-flow", project="Checkout")
    assert found["master_id"] == NEWEST + 1
    assert found["run_id"] == str(NEWEST + 1)
    assert "`check_test_status`" in found["next_step"]
    assert user.questions == ["Start BlazeMeter test 'checkout-flow' (id 3001): 8 users, hold 23s, from us-east4-a?"]
    [request] = asked("start")
    assert (request.path, request.body) == ("/api/v4/tests/3001/start", {"isDebugRun": False})


@pytest.mark.parametrize("tool", ["start_test", "stop_test", "get_public_report"])
async def test_a_user_who_says_no_is_obeyed(connect: Connect, asked: Asked, tool: str) -> None:
    arguments = {"test": str(TEST)} if tool == "start_test" else {"run_id": str(NEWEST)}
    async with connect(elicitation_callback=User(agrees=False)) as tools:
        said = await tools.refused(tool, **arguments, confirm=True)
    assert "Nothing was changed" in said
    assert not [one for route in ("start", "stop", "terminate", "public_token") for one in asked(route)]


async def test_where_the_client_cannot_ask_confirm_is_needed(connect: Connect, asked: Asked) -> None:
    async with connect() as tools:
        said = await tools.refused("start_test", test=str(TEST))
        assert not asked("start")
        await tools.call("start_test", test=str(TEST), confirm=True)
    assert "8 users" in said
    assert "confirm=true" in said


async def test_a_test_that_runs_is_not_started_again_unless_that_is_wanted(
    connect: Connect, service: OpenBlazeMeter, hands: Hands, asked: Asked
) -> None:
    running = started(service, hands)
    async with connect() as tools:
        said = await tools.refused("start_test", test=str(TEST), confirm=True)
        assert not asked("start")
        found = await tools.call("start_test", test=str(TEST), alongside=True, confirm=True)
    assert f"runs already: master {running}" in said
    assert found["master_id"] == running + 1


async def test_a_start_whose_answer_was_lost_is_looked_up_and_not_sent_again(
    connect: Connect, fault: Fault, asked: Asked
) -> None:
    fault("start", "lost_answer")
    async with connect() as tools:
        found = await tools.call("start_test", test=str(TEST), confirm=True)
    assert found["master_id"] == NEWEST + 1
    assert "answer to the start was lost" in found["notes"][0]
    assert len(asked("start")) == 1


async def start_at_once() -> StartedRun:
    wanted = StartQuestion(str(TEST), between_looks_s=0)
    return await ask(lambda blazemeter: start_run(blazemeter, wanted))


async def test_a_lost_start_that_shows_only_later_is_found(service: OpenBlazeMeter, fault: Fault, asked: Asked) -> None:
    fault("start", "lost_answer")
    fault("masters", "empty", after=1, times=2)
    assert (await start_at_once()).master_id == NEWEST + 1
    assert len(asked("start")) == 1
    assert len(asked("masters")) == 4


async def test_a_start_that_cannot_be_found_says_that_nobody_knows(
    service: OpenBlazeMeter, fault: Fault, asked: Asked
) -> None:
    fault("start", "lost_answer")
    fault("masters", "empty", after=1)
    with pytest.raises(Unreachable) as raised:
        await start_at_once()
    assert "may or may not have been carried out" in raised.value.message
    assert "Do not start it again" in raised.value.next_step
    assert len(asked("start")) == 1


async def test_several_new_runs_are_shown_to_the_user(service: OpenBlazeMeter, fault: Fault, hands: Hands) -> None:
    fault("start", "lost_answer")

    async def meanwhile(blazemeter: BlazeMeter) -> StartedRun:
        ask_start = blazemeter.start_test

        async def start_beside(test_id: int) -> Any:
            service.standin.masters.start(CHECKOUT_TEST, hands.now)
            return await ask_start(test_id)

        blazemeter.start_test = start_beside  # type: ignore[method-assign]
        return await start_run(blazemeter, StartQuestion(str(TEST)))

    with pytest.raises(Conflict, match=f"{NEWEST + 2}, {NEWEST + 1}|{NEWEST + 1}, {NEWEST + 2}"):
        await ask(meanwhile)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_start_that_was_refused_is_not_looked_for(
    connect: Connect, fault: Fault, asked: Asked, status: int
) -> None:
    fault("start", "error_in_200", status=status)
    async with connect() as tools:
        said = await tools.refused("start_test", test=str(TEST), confirm=True)
    assert "the start of test 3001" in said
    assert len(asked("masters")) == 1


@pytest.mark.parametrize("kind", ["error_in_200", "server_error"])
async def test_a_refusal_of_another_kind_did_not_get_lost(
    connect: Connect, fault: Fault, asked: Asked, kind: str
) -> None:
    fault("start", kind, status=400)
    async with connect() as tools:
        said = await tools.refused("start_test", test=str(TEST), confirm=True)
    assert "BlazeMeter refused the start of test 3001 (400)" in said
    assert len(asked("start")) == 1
    assert len(asked("masters")) == 1


@pytest.mark.parametrize(
    ("after_s", "done", "route"),
    [(1, "terminated", "terminate"), (10, "terminated", "terminate"), (30, "stopped", "stop")],
)
async def test_a_run_is_ended_as_gently_as_its_progress_allows(
    connect: Connect, service: OpenBlazeMeter, hands: Hands, asked: Asked, after_s: float, done: str, route: str
) -> None:
    master_id = started(service, hands)
    hands.now += after_s
    user = User()
    async with connect(elicitation_callback=user) as tools:
        found = await tools.call("stop_test", run_id=master_id)
    assert (found["done"], found["phase"]) == (done, "ending")
    assert user.questions == [f"End the BlazeMeter run {master_id}?"]
    assert {name: len(asked(name)) for name in ("stop", "terminate")} == {"stop": 0, "terminate": 0} | {route: 1}


async def test_a_run_that_has_ended_is_left_alone(connect: Connect, asked: Asked) -> None:
    async with connect() as tools:
        found = await tools.call("stop_test", master_id=NEWEST, confirm=True)
    assert (found["done"], found["phase"]) == ("nothing", "ended")
    assert not asked("stop")


async def test_a_public_link_is_made_after_a_question(connect: Connect, service: OpenBlazeMeter, asked: Asked) -> None:
    user = User()
    async with connect(elicitation_callback=user) as tools:
        found = await tools.call("get_public_report", run_id=str(NEWEST))
    home = service.base_url.removesuffix("/api/v4")
    assert found["url"] == f"{home}/app/?public-token=sandbox-public-{NEWEST}#/masters/{NEWEST}/summary"
    assert "anybody who has the link" in user.questions[0]
    assert asked("public_token")[0].body == {"publicToken": None}


async def test_a_public_link_whose_answer_was_lost_is_found_at_the_run(
    connect: Connect, fault: Fault, asked: Asked
) -> None:
    fault("public_token", "lost_answer")
    async with connect() as tools:
        found = await tools.call("get_public_report", master_id=NEWEST, confirm=True)
    assert f"sandbox-public-{NEWEST}" in found["url"]
    assert "answer was lost" in found["notes"][0]
    assert len(asked("public_token")) == 1


async def test_the_tools_that_change_something_outside_are_three() -> None:
    outside = {tool.name for tool in await server.list_tools() if changes_outside(tool.annotations)}
    assert outside == {"start_test", "stop_test", "get_public_report"}
