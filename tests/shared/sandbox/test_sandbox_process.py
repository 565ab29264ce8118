"""A stand-in as a process: it says when it is ready, listens on this machine alone, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil
import pytest

from perfsuite.errors import NotReady
from perfsuite.sandbox.running import running, started

PATIENCE_S = 60
MODULE = [sys.executable, "-m", "perfsuite.sandbox"]
COMMAND = [sys.executable, "-c", "from perfsuite.cli import main; main()", "sandbox"]


@contextmanager
def shop(*options: str, stdin: int = subprocess.PIPE, command: list[str] = MODULE) -> Iterator[subprocess.Popen[str]]:
    """A shop that was started by hand."""
    options = ("--port", "0", *options)
    with subprocess.Popen([*command, "shop", *options], stdin=stdin, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ready(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout
    return dict(json.loads(process.stdout.readline()))


def refused(url: str) -> bool:
    try:
        httpx.get(f"{url}/_truth")
    except httpx.HTTPError:
        return True
    return False


def test_it_is_ready_as_soon_as_it_is_given_and_gone_when_the_block_ends() -> None:
    with started("shop", "--workers", "3", "--seed", "7") as found:
        truth = httpx.get(f"{found.url}/_truth").json()
        process = psutil.Process(found.pid)
    assert (truth["spec"]["workers"], truth["spec"]["seed"]) == (3, 7)
    assert not process.is_running()
    assert refused(found.url)


@pytest.mark.anyio
async def test_it_runs_beside_an_event_loop() -> None:
    async with running("shop") as found, httpx.AsyncClient() as client:
        answer = await client.post(f"{found.url}/login", json={"user": "anna"})
        control = await client.get(f"{found.control_url}/_truth")
        shopping = await client.get(f"{found.control_url}/items")
    assert (answer.status_code, control.status_code, shopping.status_code) == (200, 200, 404)
    assert not psutil.pid_exists(found.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", [MODULE, COMMAND], ids=["module", "command"])
def test_a_signal_ends_it_well(number: int, command: list[str]) -> None:
    with shop(command=command) as process:
        ready(process)
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0


def test_the_end_of_its_input_ends_it() -> None:
    with shop() as process:
        ready(process)
        assert process.stdin
        process.stdin.write("what is said to it does not matter\n")
        process.stdin.close()
        process.stdin = None
        assert process.wait(PATIENCE_S) == 0


def test_an_input_that_is_no_pipe_says_nothing() -> None:
    with shop(stdin=subprocess.DEVNULL) as process:
        url = ready(process)["url"]
        assert httpx.get(f"{url}/_faults").json()["faults"] == []
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


def test_it_ends_when_whoever_started_it_is_killed() -> None:
    code = (
        "import os, signal\nfrom perfsuite.sandbox.running import started\n"
        "with started('shop') as found:\n    print(found.pid, flush=True)\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == -signal.SIGKILL
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(ended.stdout)).wait(PATIENCE_S)


def test_one_that_does_not_end_by_itself_is_ended() -> None:
    with started("shop") as found:
        process = psutil.Process(found.pid)
        os.kill(found.pid, signal.SIGSTOP)
    assert not process.is_running()


def test_requests_that_hang_do_not_keep_it_alive() -> None:
    with started("shop", "--fault", "hang") as found:
        address = found.url.removeprefix("http://").partition(":")
        with socket.create_connection((address[0], int(address[2]))) as client:
            client.sendall(b'POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 15\r\n\r\n{"user":"anna"}')
            process = psutil.Process(found.pid)
            process.terminate()
            process.wait(PATIENCE_S)


def test_while_it_is_down_connections_are_refused_and_the_control_answers() -> None:
    with started("shop", "--fault", "down") as found:
        assert refused(found.url)
        faults = httpx.get(f"{found.control_url}/_faults").json()["faults"]
        httpx.delete(f"{found.control_url}/_faults")
        while refused(found.url):
            pass
        httpx.post(f"{found.url}/_faults", json={"fault": "down"})
        while not refused(found.url):
            pass
    assert [fault["fault"] for fault in faults] == ["down"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_it_listens_on_this_machine(host: str) -> None:
    if host == "::1" and not _has_ipv6():
        pytest.skip("no IPv6 on this machine")
    with started("shop", "--host", host) as found:
        assert httpx.get(f"{found.url}/_faults").status_code == 200


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "shop.example"])  # noqa: S104
def test_it_listens_nowhere_else(host: str) -> None:
    ended = subprocess.run([*MODULE, "shop", "--host", host], capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"A sandbox does not listen on {host!r}, where other machines may reach it. Listen on 127.0.0.1.\n"
    )


def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run([*MODULE, "shop", "--port", port], capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 2
    assert f"Cannot listen on '127.0.0.1', port {port}" in ended.stderr


@pytest.mark.anyio
async def test_one_that_cannot_start_is_said_not_to_have_started(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotReady, match="'shop' did not start"):
        async with running("shop", "--hosts", "9"):
            pass
    assert "9 hosts cannot share 8 workers" in capfd.readouterr().err


def test_it_works_where_its_input_is_closed() -> None:
    code = "import os, sys; os.close(0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    command = [sys.executable, "-c", code, *MODULE[1:], "shop", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert ready(process)["service"] == "shop"
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
