"""Two clients at once on one run: by one process, and by two that know nothing of each other."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

import jtl
from importing import ROWS, content_of, imported
from perfsuite.artifacts import RunStore
from shared.mcp.driver import Driver
from suite_server.conftest import COMMAND

pytestmark = pytest.mark.anyio
Start = Callable[..., Any]
PART = Path(sys.executable).with_name("perfanalysis-mcp")
ANALYSE = ("analyze_test_results", {"run_id": "r1"})


def run_in(artifacts: Path) -> Path:
    """A small run that nobody has analysed yet."""
    artifacts.mkdir()
    return imported(RunStore(artifacts), jtl.put(artifacts.parent, jtl.text(ROWS)))


async def together(*clients: Client) -> list[Any]:
    """What both are told that ask for the same at the same time."""
    answers: list[Any] = []

    async def ask(client: Client) -> None:
        answers.append(await client.call_tool(*ANALYSE))

    async with anyio.create_task_group() as tasks:
        for client in clients:
            tasks.start_soon(ask, client)
    return answers


async def test_two_clients_of_one_process_join_the_same_work(tmp_path: Path) -> None:
    run_in(tmp_path / "artifacts")
    environ = {"PERFSUITE_ARTIFACTS_DIR": str(tmp_path / "artifacts")}
    with Driver("--http", "--port", "0", module="perfsuite_suite.server", env=environ) as server:
        url = server.until_said("Listening on ").split()[-1]
        async with Client(url, mode="auto") as modern, Client(url, mode="legacy") as legacy:
            answers = await together(modern, legacy)
    assert [answer.structured_content["state"] for answer in answers] == ["done", "done"]
    assert answers[0].structured_content["result"] == answers[1].structured_content["result"]


async def test_two_processes_leave_what_one_would_have_left(start: Start, tmp_path: Path) -> None:
    run = run_in(tmp_path / "artifacts")
    async with start() as one, start(command=PART) as other:
        answers = await together(one, other)
        last = await one.call_tool(*ANALYSE)
    for answer in answers:
        assert not answer.is_error or "is already running" in answer.content[0].text
    assert last.structured_content["state"] == "done"

    alone = run_in(tmp_path / "alone")
    async with start(command=COMMAND, PERFSUITE_ARTIFACTS_DIR=str(alone.parent)) as client:
        await client.call_tool(*ANALYSE)
    assert content_of(run) == content_of(alone)
