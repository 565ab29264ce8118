"""Slow imports happen once, one at a time, and not in the way of the first answers."""

import subprocess
import sys

from shared.mcp.driver import Driver, environment

CHECK = """
import sys, threading, anyio
from mcp import Client
from perfsuite.mcp import heavy
from shared.mcp import demo_server

async def main():
    async with Client(demo_server.server) as client:
        await client.list_tools()
        before = "duckdb" in sys.modules
        {action}
        print(before, "duckdb" in sys.modules)

anyio.run(main)
"""


def checked(action: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CHECK.format(action=action)],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    return done.stdout.splitlines()[-1].split()


def test_the_first_call_waits_for_the_imports() -> None:
    assert checked("await client.call_tool('add', {'a': 1})") == ["False", "True"]


def test_without_a_call_the_imports_begin_by_themselves() -> None:
    action = "\n        ".join(
        [
            "while 'warm-up' not in {thread.name for thread in threading.enumerate()}: await anyio.sleep(0.01)",
            "await heavy.WarmUp(('samples',)).finish()",
        ]
    )
    assert checked(action) == ["False", "True"]


def test_many_first_calls_at_once_are_all_answered() -> None:
    with Driver() as server:
        server.initialize()
        for number in range(20):
            server.send("tools/call", {"name": "add", "arguments": {"a": number}}, id=f"call {number}")
        last = server.call("add", a=99)
        server.hang_up()
        code = server.end()

    assert last["structuredContent"] == {"total": 100.0}
    assert code == 0


def test_an_import_that_fails_is_logged_and_tools_go_on() -> None:
    code = (
        "import sys, anyio; sys.modules['duckdb'] = None\n"
        "from mcp import Client\nfrom shared.mcp import demo_server\n"
        "async def main():\n"
        "    async with Client(demo_server.server) as client:\n"
        "        print((await client.call_tool('add', {'a': 1})).structured_content)\n"
        "anyio.run(main)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())

    assert done.stdout.splitlines()[-1] == "{'total': 2.0}"
    assert "The imports of 'samples' failed." in done.stderr
