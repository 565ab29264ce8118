"""`perfsuite mcp` becomes a server."""

import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from shared.cli.conftest import Command

PERFSUITE = Path(sys.executable).with_name("perfsuite")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "name", "tool"),
    [
        (["mcp", "perfreport"], "perfreport", "create_chart"),
        (["mcp", "--only", "perfreport", "--read-only"], "perfsuite", "create_chart"),
    ],
)
async def test_it_becomes_the_server_that_is_named(arguments: list[str], name: str, tool: str, tmp_path: Path) -> None:
    environ = {"PERFSUITE_ARTIFACTS_DIR": str(tmp_path)}
    wire = StdioServerParameters(command=str(PERFSUITE), args=arguments, env=environ)
    async with Client(wire, read_timeout_seconds=60) as client:
        assert client.server_info.name == name
        assert tool in {one.name for one in (await client.list_tools()).tools}


def test_a_server_that_is_not_there_is_told(command: Command) -> None:
    done = command("mcp", "grafana", "--http")
    assert done.code == 4
    assert "There is no server 'grafana'" in done.err
    assert "perfanalysis" in done.err
