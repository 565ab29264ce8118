"""What the tools cost: every byte of tools/list is sent to the model with every request."""

import json
import sys
from collections.abc import Iterable
from typing import Any

import anyio
import pytest
from mcp_types import Tool

from perfsuite_suite.server import build
from perfsuite_suite.settings import AllInOneSettings
from suite import generated
from suite.repository import servers

MOST_OF_ALL = 55_000
MOST_OF_ONE = 12_500
PARTS = ("inputSchema", "outputSchema", "description", "annotations")


def wire(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    return [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools]


def size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def row(name: str, tools: list[dict[str, Any]]) -> str:
    parts = [sum(size(tool.get(part, "")) for tool in tools) for part in PARTS]
    return f"{name:14}{len(tools):6}{size(tools):8}" + "".join(f"{part:14}" for part in parts)


@pytest.fixture(scope="module")
def listed() -> dict[str, list[dict[str, Any]]]:
    return {name: wire(generated.tools(name)) for name in servers()}


def all_in_one(**settings: str) -> list[dict[str, Any]]:
    server = build(AllInOneSettings.load({f"PERFSUITE_{name.upper()}": value for name, value in settings.items()}))
    return wire(anyio.run(server.list_tools))


def test_the_tools_stay_within_their_budget(listed: dict[str, list[dict[str, Any]]]) -> None:
    together = [tool for tools in listed.values() for tool in tools]
    whole, core = all_in_one(), all_in_one(preset="core")
    rows = [*listed.items(), ("all six", together), ("perfsuite-mcp", whole), ("  preset core", core)]
    head = f"{'server':14}{'tools':>6}{'bytes':>8}" + "".join(f"{part:>14}" for part in PARTS)
    sys.stdout.write("\n".join(["", head, *(row(name, tools) for name, tools in rows), ""]))
    assert {name: size(tools) for name, tools in listed.items() if size(tools) > MOST_OF_ONE} == {}
    assert size(together) <= MOST_OF_ALL
    assert size(whole) <= size(together)
    assert size(core) < size(whole)


def test_what_is_said_of_a_tool_is_said_in_a_few_lines(listed: dict[str, list[dict[str, Any]]]) -> None:
    long = {tool["name"]: len(tool["description"]) for tools in listed.values() for tool in tools}
    assert {name: length for name, length in long.items() if length > 400} == {}
