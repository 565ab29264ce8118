"""From the start of a server's process to its answer to `initialize`, and the size of its list of tools."""

import json
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

from measuring import Measured, interleaved

BARE = """
    from mcp.server import MCPServer
    server = MCPServer("bare", version="1")
    @server.tool(structured_output=False)
    def hello(name: str) -> str:
        "Say hello."
        return "hello " + name
    server.run()
"""
EIGHT = """
    from typing import Annotated, Literal
    from pydantic import BaseModel, Field
    from perfsuite.artifacts import RunId
    from perfsuite.mcp.registration import READ_ONLY
    from perfsuite.mcp.server import create_server
    server = create_server("eight", title="Eight", instructions="", rules_page="perfanalysis/AGENTS.md")
    class Answer(BaseModel):
        run_id: str
        status: Literal["complete", "partial", "not_available"]
        rows: list[dict[str, str | float | None]]
        total: int
        has_more: bool
        notes: list[str]
    def tool(number):
        def work(
            run_id: Annotated[RunId, Field(description="The run.")],
            environment: Annotated[str | None, Field(description="The environment in environments.yaml.")] = None,
            limit: Annotated[int, Field(ge=1, le=100, description="Most rows.")] = 20,
        ) -> Answer:
            "Give what was found about one part of a run.\\n\\nCall it after the samples of the run are there."
        work.__name__ = f"analyze_part_{number}"
        return work
    for number in range(8):
        server.tool(title="Analyse one part of a run", annotations=READ_ONLY)(tool(number))
"""
INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}  # fmt: skip
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


def server_starts(rounds: int) -> dict[str, Measured]:
    with tempfile.TemporaryDirectory() as folder:
        bare = _module(Path(folder), "bare.py", BARE)
        commands = {"bare MCPServer with one tool": [sys.executable, str(bare)]} | {
            name: [path] for name, path in _servers().items()
        }
        return interleaved({name: _starter(command) for name, command in commands.items()}, rounds)


def tool_list_sizes() -> dict[str, tuple[int, int]]:
    """Tools and bytes of every server, and of one with eight tools of usual size."""
    with tempfile.TemporaryDirectory() as folder:
        _module(Path(folder), "eight.py", EIGHT)
        launch = f"import sys; sys.path.insert(0, {folder!r}); from perfsuite.mcp.launch import serve; serve('eight')"
        found = {"eight tools of usual size": _listed([sys.executable, "-c", launch])}
        return found | {name: _listed([path]) for name, path in _servers().items()}


def _servers() -> dict[str, str]:
    scripts = distribution("perfsuite").entry_points.select(group="console_scripts")
    return {name: str(Path(sys.executable).with_name(name)) for name in sorted(scripts.names) if name.endswith("-mcp")}


def _module(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def _starter(command: list[str]) -> Callable[[], tuple[float, float]]:
    def start() -> tuple[float, float]:
        began = time.perf_counter()
        process = _started(command)
        _ask(process, INITIALIZE)
        took = time.perf_counter() - began
        _end(process)
        return took, 0.0

    return start


def _listed(command: list[str]) -> tuple[int, int]:
    process = _started(command)
    _ask(process, INITIALIZE)
    _send(process, INITIALIZED)
    answer = _ask(process, LIST)
    _end(process)
    return len(json.loads(answer)["result"]["tools"]), len(answer.strip())


def _started(command: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _send(process: "subprocess.Popen[bytes]", message: dict[str, object]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()


def _ask(process: "subprocess.Popen[bytes]", message: dict[str, object]) -> bytes:
    _send(process, message)
    assert process.stdout is not None
    answer = process.stdout.readline()
    if not answer:
        sys.exit(f"{process.args} ended without an answer")
    return answer


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait(timeout=20)
