"""Calls and their errors, the list of tools, and what a tool must say about itself."""

from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest
from mcp import Client
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ImageContent, TextContent, ToolAnnotations
from pydantic import Field

from perfsuite import __version__
from perfsuite.errors import BadInput
from perfsuite.mcp.registration import CHANGES_OUTSIDE, READ_ONLY, WRITES_RUN_FOLDER
from perfsuite.mcp.server import SuiteServer, create_server
from shared.mcp import demo_server
from shared.mcp.conftest import Connect
from shared.mcp.demo_server import CANARY, Sum

ENOUGH_FOR_EIGHT_TOOLS = 6_000


def text_of(result: CallToolResult) -> str:
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


def new_server(**environ: str) -> SuiteServer:
    return create_server("new", title="New", instructions="-", rules_page="perfanalysis/AGENTS.md", environ=environ)


async def test_a_server_says_its_name_and_version(connect: Connect) -> None:
    async with connect() as client:
        assert client.server_info.name == "demo"
        assert client.server_info.title == "Demo"
        assert client.server_info.version == __version__


async def test_a_result_is_structured_and_the_same_in_compact_text(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("draw", {"points": [{"x": 1, "title": "é"}]})

    assert result.structured_content == {"points": [{"x": 1.0, "title": "é"}], "title": "linear"}
    assert text_of(result) == '{"points":[{"x":1.0,"title":"é"}],"title":"linear"}'


async def test_text_and_images_come_without_structured_content(connect: Connect) -> None:
    async with connect() as client:
        said = await client.call_tool("say", {"text": "hello"})
        shown = await client.call_tool("chart", {})

    assert (text_of(said), said.structured_content) == ("hello", None)
    assert [type(block) for block in shown.content] == [TextContent, ImageContent]
    assert shown.structured_content is None


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("ad", {}, ["no tool 'ad'", "`add`"]),
        ("add", {"a": 1, "B": 2}, ["does not take 'B'", "Did you mean `b`?", "`a`, `b`"]),
        ("chart", {"size": 2}, ["does not take 'size'", "It takes: none"]),
        ("add", {}, ["`a` is missing: first number."]),
        ("add", {"a": "one"}, ["`a`: expected an integer, found \"one\"."]),
        ("add", {"a": 1.5}, ["`a`: expected an integer, found 1.5."]),
        ("add", {"a": None}, ["`a`: expected an integer, found null."]),
        ("add", {"a": -1, "b": 101}, ["`a`: expected at least 0, found -1.", "`b`: expected at most 100, found 101."]),
        ("draw", {"points": []}, ["`points`: expected at least 1 items, found []."]),
        ("draw", {"points": 5}, ["`points`: expected a list, found 5."]),
        ("draw", {"points": [7]}, ["`points.0`: expected an object, found 7."]),
        ("draw", {"points": [{"x": "1a"}]}, ["`points.0.x`: expected a number, found \"1a\"."]),
        ("draw", {"points": [{"x": 1, "y": 2}]}, ["`points.0.y` is not known there."]),
        ("draw", {"points": [{}]}, ["`points.0.x` is missing."]),
        ("draw", {"points": [{"x": 1}], "method": "lin"}, ["expected one of 'linear' or 'cubic', found \"lin\"."]),
        ("say", {"text": ["a"]}, ["`text`: expected a string, found [\"a\"]."]),
        ("draw", {"points": ["x" * 500]}, ["…."]),
        ("draw", {"points": [{}] * 9}, ["`points.4.x`", "4 more are wrong, too."]),
        ("crunch", {"run_id": "../x"}, ["'../x' is not a run id", "Correct this and call `crunch` again."]),
        ("crunch", {"run_id": "r", "wait_s": 60}, ["`wait_s`: expected at most 45, found 60."]),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_call_is_said_in_words(
    connect: Connect, tool: str, arguments: dict[str, Any], said: list[str]
) -> None:
    async with connect() as client:
        result = await client.call_tool(tool, arguments)

    assert result.is_error
    for part in said:
        assert part in text_of(result)
    assert "pydantic" not in text_of(result)
    assert len(text_of(result)) < 1_000


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("ours", "Run 'r1' has no samples, key [redacted]. Call `add` first."),
        ("group", "No a. Make a. No b. B."),
        ("surrogate", "No file 'a?b'. Rename it."),
    ],
)
async def test_errors_raised_on_purpose_reach_the_caller_with_the_next_step(
    connect: Connect, kind: str, said: str
) -> None:
    async with connect() as client:
        result = await client.call_tool("fail", {"kind": kind})

    assert result.is_error
    assert text_of(result) == said


async def test_an_endless_error_is_cut(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("fail", {"kind": "long"})

    assert text_of(result).endswith("[cut]")
    assert len(text_of(result)) < 5_000


@pytest.mark.parametrize("kind", ["other", "mixed", "exit", "stop"])
async def test_what_nobody_foresaw_is_masked_and_logged_under_a_number(
    connect: Connect, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect() as client:
        result = await client.call_tool("fail", {"kind": kind})
        after = await client.call_tool("add", {"a": 1})

    number = text_of(result).partition("(error ")[2].partition(")")[0]
    assert result.is_error
    assert len(number) == 8
    assert f"error {number}" in caplog.text
    assert "secret path" not in text_of(result)
    assert CANARY not in text_of(result)
    assert not after.is_error


async def test_a_number_that_json_does_not_have_is_a_mistake_of_the_tool(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect() as client:
        result = await client.call_tool("infinite", {})

    assert result.is_error
    assert "failed inside" in text_of(result)
    assert "numbers that JSON does not have, at .total" in caplog.text


async def test_a_second_call_is_answered_while_a_plain_function_works(connect: Connect) -> None:
    async with connect() as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.call_tool, "stubborn", {"seconds": 300})
        with anyio.fail_after(60):
            result = await client.call_tool("add", {"a": 1})
        tasks.cancel_scope.cancel()

    assert result.structured_content == {"total": 2.0}


async def test_more_calls_than_threads_are_all_answered(connect: Connect) -> None:
    totals = []

    async def call(client: Client, number: int) -> None:
        totals.append((await client.call_tool("add", {"a": number})).structured_content)

    async with connect() as client, anyio.create_task_group() as tasks:
        for number in range(50):
            tasks.start_soon(call, client, number)

    assert sorted(total["total"] for total in totals if total) == [float(number + 1) for number in range(50)]


async def test_tools_get_the_runs_of_the_artifacts_folder(connect: Connect, artifacts: Path) -> None:
    async with connect() as client:
        result = await client.call_tool("count_runs", {})
        said = await client.call_tool("where", {})

    assert result.structured_content == {"total": 0.0}
    assert text_of(said) == str(artifacts)


async def test_an_unusable_artifacts_folder_is_the_error_of_a_call(connect: Connect) -> None:
    async with connect(environ={"PERFSUITE_ARTIFACTS_DIR": "/"}) as client:
        failed = await client.call_tool("count_runs", {})
        fine = await client.call_tool("add", {"a": 1})

    assert "PERFSUITE_ARTIFACTS_DIR is '/'" in text_of(failed)
    assert not fine.is_error


async def test_the_rules_are_a_prompt(connect: Connect) -> None:
    async with connect() as client:
        prompts = (await client.list_prompts()).prompts
        page = await client.get_prompt("demo_rules")

    assert [prompt.name for prompt in prompts] == ["demo_rules"]
    assert isinstance(page.messages[0].content, TextContent)
    assert page.messages[0].content.text == demo_server.PAGE.read_text(encoding="utf-8")


async def test_the_list_of_tools_is_small_and_its_schemas_are_whole(connect: Connect) -> None:
    async with connect() as client:
        tools = (await client.list_tools()).tools
        again = (await client.list_tools()).tools

    listed = {tool.name: tool for tool in tools}
    draw = listed["draw"]
    size = sum(len(tool.model_dump_json(by_alias=True, exclude_none=True)) for tool in tools)
    assert size / len(tools) * 8 < ENOUGH_FOR_EIGHT_TOOLS
    assert "title" not in draw.input_schema["properties"]["points"]
    assert draw.input_schema["additionalProperties"] is False
    assert draw.input_schema["$defs"]["Point"]["properties"]["title"]["default"] is None
    assert draw.output_schema == {"type": "object", "required": ["points", "title"]}
    assert listed["add"].description == "Add two numbers.\n\nUse it rather than counting."
    assert listed["say"].output_schema is None
    assert again == tools


async def test_read_only_mode_leaves_out_what_changes_something_outside(connect: Connect) -> None:
    async with connect(environ={"PERFSUITE_READ_ONLY": "1"}) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool("publish", {"page": "p", "confirm": True})

    assert "publish" not in names
    assert {"add", "crunch", "cancel_job"} <= names
    assert result.is_error
    assert "PERFSUITE_READ_ONLY" in text_of(result)


async def test_a_tool_that_was_removed_is_unknown() -> None:
    server = new_server()
    server.tool(title="Add", annotations=READ_ONLY)(demo_server.add)
    server.remove_tool("add")

    assert await server.list_tools() == []
    with pytest.raises(ToolError, match="There is no tool 'add'"):
        server.remove_tool("add")


async def test_a_server_called_without_a_client_answers() -> None:
    server = new_server()
    server.tool(title="Add", annotations=READ_ONLY)(demo_server.add)
    result = await server.call_tool("add", {"a": 1})

    assert isinstance(result, CallToolResult)
    assert result.structured_content == {"total": 2.0}


def no_docstring(a: Annotated[int, Field(description="a")]) -> Sum:
    return Sum(total=a)


def no_description_of_b(a: Annotated[int, Field(description="a")], b: int) -> Sum:
    """Add."""
    return Sum(total=a + b)


def returns_text() -> str:
    """Say nothing."""
    return ""


def CamelCase() -> Sum:  # noqa: N802
    """Add nothing."""
    return Sum(total=0)


@pytest.mark.parametrize(
    ("tool", "options", "said"),
    [
        (no_docstring, {}, "has no description"),
        (no_description_of_b, {}, r"does not describe \['b'\]"),
        (returns_text, {}, "returns no model"),
        (CamelCase, {}, "is not named like"),
        (demo_server.add, {"title": None}, "has no title"),
        (demo_server.add, {"annotations": None}, "lacks annotations"),
        (demo_server.add, {"annotations": ToolAnnotations(read_only_hint=True)}, "lacks annotations"),
        (demo_server.add, {"annotations": CHANGES_OUTSIDE}, "changes something outside without asking"),
    ],
)
def test_a_tool_that_says_too_little_about_itself_is_refused(tool: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        new_server().tool(**{"title": "T", "annotations": READ_ONLY, **options})(tool)


def test_two_tools_of_one_name_are_refused() -> None:
    server = new_server()
    server.tool(title="Add", annotations=READ_ONLY)(demo_server.add)

    with pytest.raises(BadInput, match="two tools 'add'"):
        server.tool(title="Add", annotations=READ_ONLY)(demo_server.add)


def test_an_unknown_family_of_imports_is_refused() -> None:
    with pytest.raises(BadInput, match="sklearn"):
        create_server("x", title="X", instructions="-", rules_page="perfanalysis/AGENTS.md", warm_up=("sklearn",))


def test_the_presets_set_every_hint() -> None:
    presets = {"reads": READ_ONLY, "writes": WRITES_RUN_FOLDER, "changes": CHANGES_OUTSIDE}
    hints = {
        name: (preset.read_only_hint, preset.destructive_hint, preset.idempotent_hint, preset.open_world_hint)
        for name, preset in presets.items()
    }

    assert hints == {
        "reads": (True, False, True, False),
        "writes": (False, False, True, False),
        "changes": (False, True, False, True),
    }


async def test_a_page_that_is_missing_is_an_error_of_its_prompt() -> None:
    server = create_server("x", title="X", instructions="-", rules_page="nowhere/AGENTS.md")

    with pytest.raises(ValueError, match="x_rules"):
        await server.get_prompt("x_rules")


@pytest.mark.parametrize(("given", "said"), [(2101, "2101"), (2101.5, None), (True, None), ("2101", "2101")])
async def test_an_integer_is_taken_where_a_text_is(connect: Connect, given: Any, said: str | None) -> None:
    async with connect() as client:
        result = await client.call_tool("say", {"text": given})
    assert result.is_error is (said is None)
    assert (said or "expected a string") in text_of(result)
