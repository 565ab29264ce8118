"""A secret is found nowhere: not in an answer, an error, a log or a file, whatever tool is called and however."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from perfsuite.artifacts import RunStore
from perfsuite.sandbox import up as sandbox
from perfsuite.workflow.importing import ImportRequest, import_results
from suite.generated import EXAMPLE, tools, variables
from suite.repository import ROOT, command_of, servers

pytestmark = pytest.mark.anyio

CANARY = "c4n4ry-s3cr3t-0f-th3-t3st"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def environment(artifacts: Path, services: dict[str, str]) -> dict[str, str]:
    """Stand-ins for every service, and the canary in place of every secret that any server reads, half by a file."""
    secrets = [one.name for one in variables() if one.is_secret]
    assert secrets
    file = artifacts.parent / "secret.txt"
    file.write_text(CANARY, encoding="utf-8")
    found = {name: value for name, value in services.items() if name not in secrets}
    found |= {"PERFSUITE_ARTIFACTS_DIR": str(artifacts), "PERFSUITE_LOG_LEVEL": "DEBUG"}
    for number, name in enumerate(secrets):
        found |= {name: CANARY} if number % 2 else {f"{name}_FILE": str(file)}
    return found


def arguments_of(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Calls that work, that fail inside, and that are refused."""
    usual = dict.fromkeys(schema.get("required", ()), "example")
    yield usual
    yield {**usual, "no_such_argument": 1}
    yield {**usual, **dict.fromkeys(usual, "missing")}
    yield {}
    for name, one in schema.get("properties", {}).items():
        for value in one.get("enum", ()):
            yield {**usual, name: value}
        yield {**usual, name: {"wrong": ["type"]}}


@pytest.mark.parametrize("server", servers())
async def test_no_tool_lets_a_secret_out(server: str, tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    import_results(RunStore(artifacts), "example", ImportRequest((ROOT / EXAMPLE,)))
    said: list[str] = []
    services = sandbox.opened(sandbox.Wishes((ROOT / EXAMPLE,)), tmp_path / "sandbox")
    with services as up, (tmp_path / "stderr.log").open("w", encoding="utf-8") as log:
        command = str(Path(sys.executable).with_name(command_of(server)))
        parameters = StdioServerParameters(command=command, env=environment(artifacts, up.environment))
        async with _client(parameters, log) as client:
            listed = (await client.list_tools()).tools
            for tool in listed:
                answers = [await client.call_tool(tool.name, one) for one in arguments_of(tool.input_schema)]
                said.extend(map(str, answers))
    assert len(said) >= 4 * len(listed) > 0
    assert not [answer for answer in said if CANARY in answer]
    files = [tmp_path / "stderr.log", *(path for path in artifacts.rglob("*") if path.is_file())]
    assert not [file for file in files if CANARY.encode() in file.read_bytes()]


def _client(parameters: StdioServerParameters, log: TextIO) -> Client:
    return Client(stdio_client(parameters, errlog=log))


def test_every_server_is_tried() -> None:
    assert [server for server in servers() if not _has_tools(server)] == []


def _has_tools(server: str) -> bool:
    return bool(tools(server))
