"""One server may carry the tools of others, and everything about them still holds."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS, ElicitResult, TextContent
from pydantic import Field

from perfsuite.errors import BadInput
from perfsuite.mcp.registration import READ_ONLY
from perfsuite.mcp.server import SuiteServer, create_server
from shared.mcp import demo_server

Carrying = Callable[..., Any]


def other() -> SuiteServer:
    made = create_server("other", title="Other", instructions="", rules_page="AGENTS.md", has_jobs=True)

    @made.tool(title="Echo", annotations=READ_ONLY, structured_output=False)
    def echo(text: Annotated[str, Field(description="what")]) -> str:
        """Say it again."""
        return text

    return made


@pytest.fixture
def carrying(mode: Any, artifacts: Path) -> Carrying:
    @asynccontextmanager
    async def connected(*, environ: dict[str, str] | None = None, **options: Any) -> AsyncIterator[Client]:
        choice = {name: options.pop(name) for name in ("only", "otherwise") if name in options}
        environ = {"PERFSUITE_ARTIFACTS_DIR": str(artifacts), **(environ or {})}
        whole = create_server("whole", title="Whole", instructions="", rules_page=None, has_jobs=True, environ=environ)
        for part in (demo_server.build(environ), other()):
            whole.carry(part, **choice)
        async with Client(whole, mode=mode, **options) as client:
            yield client

    return connected


async def test_the_tools_and_prompts_of_all_are_offered_and_shared_ones_once(carrying: Carrying) -> None:
    async with carrying() as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
        echoed = await client.call_tool("echo", {"text": "hello"})

    assert len(set(names)) == len(names)
    assert {"add", "crunch", "echo", "cancel_job"} < set(names)
    assert prompts == ["demo_rules", "other_rules"]
    assert echoed.content[0].text == "hello"


async def test_a_job_of_a_carried_tool_is_stopped_by_the_one_that_stops_all(
    carrying: Carrying, work: demo_server.Work
) -> None:
    async with carrying() as client:
        first = await client.call_tool("crunch", {"run_id": "r1", "wait_s": 0})
        stopped = await client.call_tool("cancel_job", {"run_id": "r1", "tool": "crunch"})

    assert first.structured_content["state"] == "working"
    assert stopped.structured_content["state"] == "cancelled"
    assert work.saw_cancel.is_set()


async def test_carried_tools_still_ask_and_still_refuse_what_they_do_not_know(carrying: Carrying) -> None:
    async def decline(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="decline")

    async with carrying(elicitation_callback=decline) as client:
        published = await client.call_tool("publish", {"page": "p", "confirm": True})
        mistaken = await client.call_tool("add", {"a": 1, "c": 2})

    assert published.is_error
    assert "Nothing was changed" in text_of(published)
    assert "does not take 'c'" in text_of(mistaken)


async def test_settings_are_those_of_the_server_that_runs(carrying: Carrying, artifacts: Path) -> None:
    async with carrying() as client:
        assert text_of(await client.call_tool("where", {})) == str(artifacts)


async def test_what_was_left_out_says_why(carrying: Carrying) -> None:
    async with carrying(only={"add", "cancel_job"}, otherwise="is for another day.") as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        left_out = await client.call_tool("echo", {"text": "hello"})

    assert names == {"add", "cancel_job"}
    assert "`echo` is for another day." in text_of(left_out)


async def test_a_server_that_only_reads_carries_nothing_that_changes(carrying: Carrying) -> None:
    async with carrying(environ={"PERFSUITE_READ_ONLY": "1"}) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        refused = await client.call_tool("publish", {"page": "p"})

    assert "publish" not in names
    assert "PERFSUITE_READ_ONLY" in text_of(refused)


async def test_a_prompt_that_is_not_there_is_the_mistake_of_who_asks(carrying: Carrying) -> None:
    async with carrying() as client:
        with pytest.raises(MCPError, match="There is no prompt 'demo'; there are demo_rules, other_rules") as error:
            await client.get_prompt("demo")
    assert error.value.error.code == INVALID_PARAMS


def test_two_tools_of_one_name_are_refused() -> None:
    whole = create_server("whole", title="Whole", instructions="", rules_page=None)
    whole.carry(other())
    with pytest.raises(BadInput, match="two tools 'echo'"):
        whole.carry(other())


def text_of(result: Any) -> str:
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text
