"""The protocol over HTTP: on the loopback interface, or with a token."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

from shared.mcp.driver import INITIALIZE, Driver

TOKEN = "canary-token-5e0d"
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def url_of(server: Driver) -> str:
    return server.until_said("Listening on ").split()[-1]


@pytest.fixture
def open_server() -> Iterator[str]:
    with Driver("--http", "--port", "0") as server:
        yield url_of(server)


@pytest.fixture
def guarded_server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    with Driver("--http", "--port", "0", env={"PERFSUITE_HTTP_TOKEN_FILE": str(tmp_path / "token")}) as server:
        yield url_of(server)


def status(url: str, **headers: str) -> int:
    return httpx2.post(url, json=HELLO, headers={**ACCEPT, **headers}, timeout=60).status_code


async def test_a_client_of_either_era_calls_tools_over_http(open_server: str, mode: str) -> None:
    async with Client(open_server, mode=mode, read_timeout_seconds=60) as client:
        result = await client.call_tool("add", {"a": 1})

    assert result.structured_content == {"total": 2.0}


async def test_jobs_are_shared_by_the_clients_of_one_server(open_server: str, mode: str) -> None:
    async with Client(open_server, mode=mode, read_timeout_seconds=60) as client:
        await client.call_tool("crunch", {"run_id": "r1", "wait_s": 0})
    async with Client(open_server, mode=mode, read_timeout_seconds=60) as client:
        result = await client.call_tool("cancel_job", {"run_id": "r1", "tool": "crunch"})

    assert result.structured_content
    assert result.structured_content["state"] == "cancelled"


async def test_a_user_is_asked_over_http(open_server: str, mode: str) -> None:
    async def agree(context: object, params: object) -> ElicitResult:
        return ElicitResult(action="accept", content={"agreed": True})

    async with Client(open_server, mode=mode, read_timeout_seconds=60, elicitation_callback=agree) as client:
        result = await client.call_tool("publish", {"page": "p"})

    assert not result.is_error


def test_another_host_or_origin_is_refused(open_server: str) -> None:
    assert status(open_server) == 200
    assert status(open_server, Host="evil.example:80") == 421
    assert status(open_server, Origin="http://evil.example") == 403


async def test_a_client_with_the_token_is_served(guarded_server: str, mode: str) -> None:
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http_client:
        transport = streamable_http_client(guarded_server, http_client=http_client)
        async with Client(transport, mode=mode, read_timeout_seconds=60) as client:
            result = await client.call_tool("add", {"a": 1})

    assert result.structured_content == {"total": 2.0}


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer no"}, {"Authorization": f"Basic {TOKEN}"}])
def test_a_client_without_the_token_is_refused(guarded_server: str, header: dict[str, str]) -> None:
    answer = httpx2.post(guarded_server, json=HELLO, headers={**ACCEPT, **header}, timeout=60)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in answer.text


def test_a_token_that_is_not_ascii_is_refused(guarded_server: str) -> None:
    assert httpx2.post(guarded_server, headers={b"Authorization": b"Bearer \xff"}, timeout=60).status_code == 401


def test_without_a_token_other_machines_cannot_be_served() -> None:
    with Driver("--http", "--host", "192.0.2.1", "--port", "0") as server:
        code = server.end()

    assert code == 2
    assert "PERFSUITE_HTTP_TOKEN" in server.stderr
    assert "Traceback" not in server.stderr


def test_with_a_token_any_address_may_be_tried() -> None:
    options = ("--http", "--host", "192.0.2.1", "--port", "0")
    with Driver(*options, env={"PERFSUITE_HTTP_TOKEN": TOKEN}) as server:
        code = server.end()

    assert code == 2
    assert "Cannot listen on '192.0.2.1'" in server.stderr


def test_clients_may_call_by_a_name_that_was_given() -> None:
    with Driver("--http", "--port", "0", "--allowed-host", "perf.example") as server:
        url = url_of(server)
        codes = [status(url, Host=host) for host in ("perf.example", "perf.example:80", "evil.example")]

    assert codes == [200, 200, 421]


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_loopback_has_several_names(host: str) -> None:
    with Driver("--http", "--host", host, "--port", "0") as server:
        assert status(url_of(server)) == 200


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with Driver("--http", "--port", port) as server:
            code = server.end()

    assert code == 2
    assert f"Cannot listen on '127.0.0.1', port {port}" in server.stderr
    assert "Traceback" not in server.stderr


def test_a_port_that_is_none_is_said() -> None:
    with Driver("--http", "--port", "99999") as server:
        assert server.end() == 2


async def test_a_signal_ends_the_server_and_cancels_jobs(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with Driver("--http", "--port", "0", env={"DEMO_TRACE": str(trace)}) as server:
        async with Client(url_of(server), mode="legacy", read_timeout_seconds=60) as client:
            await client.call_tool("crunch", {"run_id": "r1", "wait_s": 0.2})
        server.process.send_signal(signal.SIGTERM)
        server.end()

    assert trace.read_text(encoding="utf-8") == "cancelled"
    assert "Traceback" not in server.stderr
