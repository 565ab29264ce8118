"""Nothing outside changes without a yes, by whichever server and whatever the client can do."""

from typing import Any

import pytest
from mcp import Client

from perfsuite.mcp.registration import asks_first, changes_outside
from perfsuite_suite.server import server

pytestmark = pytest.mark.anyio
OF_RUNS = ("stop_test", "get_public_report", "stop_jmeter_test")
ARGUMENTS: dict[str, dict[str, Any]] = {
    "start_test": {"test": "1"},
    "start_jmeter_test": {"plan": "missing.jmx"},
    "publish_report": {"mode": "cloud", "run_id": "missing"},
} | {name: {"run_id": "1"} for name in OF_RUNS}


@pytest.fixture
def artifacts(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(tmp_path))


async def test_every_tool_that_changes_something_outside_asks_first() -> None:
    await server.list_tools()
    found = {name for name, tool in server.tools.items() if changes_outside(tool.annotations)}
    assert found == set(ARGUMENTS)
    assert all(asks_first(server.tools[name].fn) for name in found)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_that_cannot_ask_is_told_to(artifacts: None, mode: Any) -> None:
    async with Client(server, mode=mode) as client:
        answers = {name: await client.call_tool(name, arguments) for name, arguments in ARGUMENTS.items()}
    assert all(answer.is_error for answer in answers.values())
    for name in OF_RUNS:
        assert "call again with confirm=true" in answers[name].content[0].text  # type: ignore[union-attr]
