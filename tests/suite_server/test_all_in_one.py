"""The all-in-one carries what the six servers have, or what was chosen of it."""

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from mcp import Client

from perfsuite.errors import BadSettings
from perfsuite.mcp.server import SuiteServer
from perfsuite.workflow import stages
from perfsuite_suite.choices import CORE, MOST_TOOLS_OF_CORE, SERVERS
from perfsuite_suite.server import build, server
from perfsuite_suite.settings import AllInOneSettings
from suite import generated
from suite.repository import servers
from suite_server.conftest import COMMAND

pytestmark = pytest.mark.anyio
HEAVY = ["numpy", "pandas", "scipy", "duckdb", "httpx", "lxml", "matplotlib"]
Start = Callable[..., Any]


def settings(**environ: str) -> AllInOneSettings:
    return AllInOneSettings.load({f"PERFSUITE_{name.upper()}": value for name, value in environ.items()})


def names(of: SuiteServer) -> list[str]:
    return [tool.name for tool in anyio.run(of.list_tools)]


def test_it_knows_every_server() -> None:
    assert set(SERVERS) == set(servers())


def test_it_carries_every_tool_once() -> None:
    of_all = [tool.name for name in servers() for tool in generated.tools(name)]
    own = [name for name in of_all if name != "cancel_job"]
    assert len(set(own)) == len(own)
    assert sorted(names(server)) == sorted({*own, "cancel_job"})


async def test_it_has_the_prompts_and_the_resources_of_all() -> None:
    async with Client(server) as whole:
        prompts = {prompt.name for prompt in (await whole.list_prompts()).prompts}
        templates = {one.uri_template for one in (await whole.list_resource_templates()).resource_templates}
        resources = {one.uri for one in (await whole.list_resources()).resources}
    for name in servers():
        async with Client(_part(name)) as part:
            assert {prompt.name for prompt in (await part.list_prompts()).prompts} <= prompts
            assert {one.uri_template for one in (await part.list_resource_templates()).resource_templates} <= templates
            assert {one.uri for one in (await part.list_resources()).resources} <= resources


def test_it_prepares_what_any_of_them_needs() -> None:
    names(server)
    assert set(server.warm_up.families) == {family for name in servers() for family in _part(name).warm_up.families}


def test_some_servers_can_be_chosen() -> None:
    chosen = build(settings(servers="datadog, blazemeter-mcp"))
    wanted = {tool.name for name in ("blazemeter", "datadog") for tool in generated.tools(name)}
    assert set(names(chosen)) == wanted
    assert "Confluence" not in (chosen.instructions or "")


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(BadSettings, match=r"PERFSUITE_SERVERS.*some of perfreport, blazemeter.*found 'grafana'"):
        settings(servers="blazemeter,grafana")


def test_the_preset_core_keeps_to_forty_tools_that_exist() -> None:
    core = build(settings(preset="core"))
    assert set(names(core)) == CORE
    assert len(CORE) <= MOST_TOOLS_OF_CORE


@pytest.mark.parametrize("stage", [stages.BLAZEMETER, stages.JMETER, *stages.FOLLOWING], ids=lambda stage: stage.id)
def test_the_preset_core_has_the_tool_of_every_step(stage: stages.Stage) -> None:
    assert {step.tool for step in stage.steps} <= CORE


async def test_a_tool_that_was_left_out_says_how_to_have_it() -> None:
    async with Client(build(settings(preset="core"))) as client:
        answer = await client.call_tool("get_projects", {})
    assert answer.is_error
    assert "without `--preset core`" in answer.content[0].text  # type: ignore[union-attr]


def test_the_instructions_are_short_and_name_every_server() -> None:
    said = server.instructions or ""
    for name in servers():
        first_words = re.split(r"[.:;]", _part(name).instructions or "")[0]
        assert f"- {_part(name).title}: {first_words}.\n" in said
    assert len(said) < 800
    assert set(re.findall(r"`(\w+)`", said)) <= set(names(server))


def test_nothing_heavy_and_no_other_server_is_imported_at_the_start() -> None:
    others = [f"perfsuite_{name}" for name in servers()]
    code = f"import sys, perfsuite_suite.server; print([one for one in {[*HEAVY, *others]} if one in sys.modules])"
    assert output_of(code) == "[]"


def test_nothing_heavy_is_imported_to_list_the_tools() -> None:
    code = (
        "import sys, anyio; from perfsuite_suite.server import server; found = anyio.run(server.list_tools);"
        f"print(len(found) > 40, [one for one in {HEAVY} if one in sys.modules])"
    )
    assert output_of(code) == "True []"


def output_of(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_command_line_chooses(start: Start, mode: str) -> None:
    async with start("--only", "blazemeter,datadog", "--read-only", mode=mode) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        refused = await client.call_tool("start_test", {"test": "1"})
    assert {"get_workspaces", "load_environment"} < tools
    assert tools.isdisjoint({"start_test", "stop_test", "get_public_report", "publish_report"})
    assert "this server only reads" in refused.content[0].text


async def test_every_server_can_be_started_to_read_only(start: Start) -> None:
    async with start("--read-only", command=COMMAND.with_name("confluence-mcp")) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
    assert "list_spaces" in tools
    assert "publish_report" not in tools


def test_a_wrong_choice_ends_it_with_a_sentence() -> None:
    done = subprocess.run([COMMAND, "--preset", "tiny"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "PERFSUITE_PRESET is not usable" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


async def test_wrong_settings_of_one_server_leave_the_others_alone(start: Start) -> None:
    wrong = {"DD_API_KEY": "k", "DD_SITE": "nowhere", "CONFLUENCE_URL": "ftp://wiki", "API_KEY_ID": "half"}
    async with start(**wrong) as client:
        datadog = await client.call_tool("check_datadog_access", {})
        confluence = await client.call_tool("list_spaces", {"mode": "cloud"})
        blazemeter = await client.call_tool("get_workspaces", {})
        others = [await client.call_tool(name, {}) for name in ("list_jmeter_runs", "list_templates")]
    assert "DD_SITE is not usable" in datadog.content[0].text
    assert "CONFLUENCE_URL is not usable" in confluence.content[0].text
    assert "API_KEY_SECRET is not set" in blazemeter.content[0].text
    assert not any(answer.is_error for answer in others)


def _part(name: str) -> SuiteServer:
    module = __import__(f"perfsuite_{name}.server", fromlist=["server"])
    assert isinstance(module.server, SuiteServer)
    return module.server
