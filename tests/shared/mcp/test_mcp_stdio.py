"""A server as a process: what it writes where, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult

from shared.mcp.driver import ENVELOPE, INITIALIZE, Driver, command, environment

LIGHT = ("mcp", "pydantic", "anyio", "asyncio", "argparse")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_carries_nothing_but_the_protocol(unbuffered: str) -> None:
    with Driver(env={"PYTHONUNBUFFERED": unbuffered}) as server:
        server.initialize()
        result = server.call("noise")
        server.hang_up()
        code = server.end()

    assert result["structuredContent"] == {"total": 0.0}, "standard input of tools and children is empty"
    assert code == 0
    assert [json.loads(line)["jsonrpc"] for line in server.lines] == ["2.0", "2.0"]
    for said in ("a print while importing", "a print, never flushed", "written to descriptor 1", "child says hello"):
        assert said in server.stderr


async def test_a_client_of_either_era_calls_tools_over_stdio(mode: str) -> None:
    program, *arguments = command()
    parameters = StdioServerParameters(command=program, args=arguments, env=environment())
    async with Client(parameters, mode=mode, read_timeout_seconds=60) as client:
        result = await client.call_tool("add", {"a": 1, "b": 2})

    assert result.structured_content == {"total": 3.0}


def test_the_first_request_decides_the_era() -> None:
    with Driver() as server:
        discovered = server.request("server/discover", {"_meta": ENVELOPE})
        late = server.request("initialize", INITIALIZE)

    assert discovered["result"]["supportedVersions"] == ["2026-07-28"]
    assert late["error"]["code"] == -32022


def test_in_legacy_mode_a_client_may_ask_for_the_modern_protocol_first() -> None:
    with Driver(env={"MCP_ERA": "legacy"}) as server:
        refused = server.request("server/discover", {"_meta": ENVELOPE})
        stamped = server.request("tools/list", {"_meta": ENVELOPE})
        answer = server.initialize()
        listed = server.request("tools/list")
        server.hang_up()
        code = server.end()

    assert (refused["error"]["code"], stamped["error"]["code"]) == (-32601, -32601)
    assert answer["result"]["serverInfo"]["name"] == "demo"
    assert listed["result"]["tools"]
    assert code == 0


async def test_in_legacy_mode_the_official_client_falls_back() -> None:
    program, *arguments = command()
    parameters = StdioServerParameters(command=program, args=arguments, env=environment(MCP_ERA="legacy"))
    async with Client(parameters, mode="auto", read_timeout_seconds=60) as client:
        result = await client.call_tool("add", {"a": 1})

    assert result.structured_content == {"total": 2.0}


def test_an_unknown_era_is_said_and_nothing_is_served() -> None:
    with Driver(env={"MCP_ERA": "modern"}) as server:
        code = server.end()

    assert code == 2
    assert "MCP_ERA is not usable" in server.stderr
    assert "Traceback" not in server.stderr
    assert server.lines == []


def test_closing_the_input_ends_the_server_although_a_tool_looks_at_nothing() -> None:
    with Driver() as server:
        server.initialize()
        server.send("tools/call", {"name": "stubborn", "arguments": {"seconds": 300}}, id="long")
        server.call("add", a=1)
        server.hang_up()
        code = server.end()

    assert code == 0


def test_closing_the_input_cancels_jobs(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with Driver(env={"DEMO_TRACE": str(trace)}) as server:
        server.initialize()
        server.call("crunch", run_id="r1", size=9, wait_s=0.2)
        server.hang_up()
        code = server.end()

    assert code == 0
    assert trace.read_text(encoding="utf-8") == "cancelled"


@pytest.mark.skipif(sys.platform == "win32", reason="a process is stopped without a signal there")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cancels_jobs_and_ends_the_server_although_the_client_stays(tmp_path: Path, number: int) -> None:
    trace = tmp_path / "trace"
    with Driver(env={"DEMO_TRACE": str(trace)}) as server:
        server.initialize()
        server.call("crunch", run_id="r1", size=9, wait_s=0.2)
        server.process.send_signal(number)
        code = server.end()

    assert code == 0
    assert trace.read_text(encoding="utf-8") == "cancelled"
    assert "Traceback" not in server.stderr


def test_a_client_that_reads_no_more_ends_the_server() -> None:
    process = subprocess.Popen(
        command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdin
    assert process.stdout
    process.stdout.close()
    request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 0
    assert b"Traceback" not in errors


@pytest.mark.skipif(sys.platform == "win32", reason="pipes block there")
def test_pipes_that_do_not_block_are_made_to() -> None:
    ends = [socket.socketpair() for _ in range(2)]
    (to_server, stdin), (from_server, stdout) = ends
    for end in (stdin, stdout):
        end.setblocking(False)
    process = subprocess.Popen(command(), stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, env=environment())
    for end in (stdin, stdout):
        end.close()
    to_server.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}).encode())
    to_server.sendall(b"\n")
    from_server.settimeout(60)
    answer = json.loads(from_server.makefile().readline())
    to_server.close()
    from_server.close()

    assert answer["result"]["serverInfo"]["name"] == "demo"
    assert process.wait(timeout=60) == 0


def test_a_request_in_many_pieces_and_several_in_one_are_all_answered() -> None:
    with Driver() as server:
        server.initialize()
        assert server.process.stdin
        big = server.call("say", text="é" * 200_000)
        server.send("ping", id="a")
        lines = b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n' % number for number in (100, 101))
        server.process.stdin.write(lines + b"not json\n")
        server.process.stdin.flush()
        server.call("add", a=1)
        server.hang_up()
        server.end()

    assert big["content"][0]["text"] == "é" * 200_000
    assert {"a", 100, 101} <= {json.loads(line).get("id") for line in server.lines}


def test_a_last_line_without_an_end_is_read() -> None:
    with Driver() as server:
        assert server.process.stdin
        request = {"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": INITIALIZE}
        server.process.stdin.write(json.dumps(request).encode())
        server.hang_up()
        code = server.end()

    assert code == 0
    assert [json.loads(line)["id"] for line in server.lines] == [7]


def test_an_input_that_cannot_be_read_ends_the_server(tmp_path: Path) -> None:
    for_writing = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    done = subprocess.run(command(), stdin=for_writing, capture_output=True, env=environment(), check=False)
    os.close(for_writing)

    assert (done.returncode, done.stdout) == (0, b"")
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_closed_input_is_said() -> None:
    program = [*command("shared.mcp.driver_target")]
    closed = ["sh", "-c", 'exec "$@" <&-', "sh", *program]
    done = subprocess.run(closed, capture_output=True, text=True, env=environment(), check=False)

    assert done.returncode == 1
    assert "one of them is closed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_module_that_cannot_be_imported_is_said_on_standard_error() -> None:
    with Driver(module="shared.mcp.broken_server") as server:
        code = server.end()

    assert code == 1
    assert "the module is broken" in server.stderr
    assert "[redacted]" in server.stderr


def test_a_module_without_a_server_is_said_on_standard_error() -> None:
    with Driver(module="shared.mcp.driver_target") as server:
        code = server.end()

    assert code == 1
    assert "not what create_server() makes" in server.stderr


def test_wrong_settings_do_not_keep_a_server_from_starting() -> None:
    with Driver(env={"PERFSUITE_READ_ONLY": "perhaps", "PERFSUITE_LOG_LEVEL": "chatty"}) as server:
        answer = server.initialize()
        tools = server.request("tools/list")["result"]["tools"]
        failed = server.call("count_runs")
        server.hang_up()
        server.end()

    assert answer["result"]["serverInfo"]["name"] == "demo"
    assert "publish" not in {tool["name"] for tool in tools}
    assert failed["isError"]
    assert "PERFSUITE_READ_ONLY is not usable" in failed["content"][0]["text"]
    assert "PERFSUITE_READ_ONLY is not usable" in server.stderr


def test_an_unknown_log_level_is_said() -> None:
    with Driver(env={"PERFSUITE_LOG_LEVEL": "chatty"}) as server:
        server.initialize()
        server.hang_up()
        server.end()

    assert "PERFSUITE_LOG_LEVEL is 'chatty'" in server.stderr


def test_a_masked_error_is_in_the_log_under_its_number_without_secrets() -> None:
    with Driver() as server:
        server.initialize()
        failed = server.call("fail", kind="other")
        server.hang_up()
        server.end()

    text = failed["content"][0]["text"]
    number = text.partition("(error ")[2].partition(")")[0]
    assert f"error {number}" in server.stderr
    assert "ValueError: something about [redacted]" in server.stderr
    assert "canary" not in server.stderr
    assert "something about" not in text


def test_memory_is_looked_after_once_the_server_has_started() -> None:
    with Driver() as server:
        server.initialize()
        assert server.call("collects_garbage")["content"][0]["text"] == "True"


async def test_a_user_is_asked_over_stdio(mode: str) -> None:
    async def agree(context: object, params: object) -> ElicitResult:
        return ElicitResult(action="accept", content={"agreed": True})

    program, *arguments = command()
    parameters = StdioServerParameters(command=program, args=arguments, env=environment())
    async with Client(parameters, mode=mode, read_timeout_seconds=60, elicitation_callback=agree) as client:
        result = await client.call_tool("publish", {"page": "p"})

    assert not result.is_error


def test_importing_the_launcher_imports_nothing_heavy() -> None:
    code = f"import sys, perfsuite.mcp.launch; print([name for name in {LIGHT} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_importing_a_server_imports_none_of_the_slow_families() -> None:
    code = "import sys, shared.mcp.demo_server; print([name for name in ('numpy', 'duckdb') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("option", "said"), [("--version", "perfsuite 0."), ("--help", "--http")])
def test_the_command_line_answers_questions_about_itself(option: str, said: str) -> None:
    done = subprocess.run([*command(), option], capture_output=True, text=True, env=environment(), check=True)

    assert said in done.stdout
