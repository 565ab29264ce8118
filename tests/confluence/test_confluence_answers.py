"""Answers that make no sense, from something that stands where Confluence should: said, and never half believed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from confluence.conftest import VARIABLES, Tools
from perfsuite.artifacts import RunStore
from shared.http.loopback import Step, answer, reset, serving

pytestmark = pytest.mark.anyio
Say = Callable[..., Any]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, mode: str, runs: RunStore) -> Say:
    """What `list_spaces` says when these are the answers, and how many were asked for."""

    async def ask(*script: Step, tool: str = "list_spaces", **arguments: Any) -> tuple[str, int]:
        from mcp import Client

        from perfsuite_confluence.server import server

        for name in VARIABLES:
            monkeypatch.delenv(f"CONFLUENCE_{name}", raising=False)
        monkeypatch.setenv("CONFLUENCE_EMAIL", "a@example.com")
        monkeypatch.setenv("CONFLUENCE_API_TOKEN", "a-secret-token")
        monkeypatch.setenv("CONFLUENCE_PAT", "a-secret-token")
        async with serving(*script) as found, Client(server) as client:
            monkeypatch.setenv("CONFLUENCE_URL", found.url)
            told = await Tools(client).refused(tool, mode=mode, **arguments)
            assert "a-secret-token" not in told
            return told, len(found.received)

    return ask


def listed(*rows: object, **beside: object) -> Step:
    return answer(body=json.dumps({"results": list(rows), **beside}).encode())


@pytest.mark.parametrize(
    "row",
    [
        {},
        None,
        7,
        {"id": "../../x", "key": "A", "name": "A"},
        {"id": True, "key": "A", "name": "A"},
        {"id": 1, "key": None, "name": "A"},
        {"id": 1, "key": "A", "name": ["A"]},
    ],
)
async def test_things_that_cannot_be_read_are_said(said: Say, row: object) -> None:
    told, _ = await said(listed(row))
    assert "in a way that cannot be read" in told


@pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'{"results": {}}', b'{"spaces": []}'])
async def test_an_answer_without_a_list_is_said(said: Say, body: bytes) -> None:
    told, _ = await said(answer(body=body))
    assert "no list was in it" in told


@pytest.mark.parametrize("body", [b"", b"{]", b"<html>", b'{"results": NaN}', b"[" * 100_000])
async def test_what_is_no_json_is_said(said: Say, body: bytes) -> None:
    told, _ = await said(answer(body=body))
    assert "where JSON was expected" in told


async def test_a_redirect_elsewhere_is_not_followed_with_the_token(said: Say, mode: str) -> None:
    async with serving(answer(body=b"{}")) as elsewhere:
        told, asked = await said(answer(302, Location=f"{elsewhere.url}/login"))
        if mode == "onprem":
            assert elsewhere.received == []
            assert "CONFLUENCE_URL" in told
        assert not any("authorization" in one.headers for one in elsewhere.received)
    assert asked == 1


async def test_a_list_that_never_ends_is_given_up(said: Say) -> None:
    row = {"id": 1, "key": "A", "name": "A"}
    links = [{"next": f"/rest/api/space?start={number}&cursor=c{number}"} for number in range(1, 60)]
    told, asked = await said(*(listed(row, _links=one) for one in links))
    assert "in more than 40 parts" in told
    assert asked == 40


async def test_a_link_to_the_next_part_leads_nowhere_else(said: Say) -> None:
    row = {"id": 1, "key": "A", "name": "A"}
    told, asked = await said(
        listed(row, _links={"next": "http://127.0.0.1:9/evil?start=100&cursor=abc&limit=9"}), answer(500, b"{}"),
        answer(500, b"{}"), answer(500, b"{}"), answer(500, b"{}"),
    )  # fmt: skip
    assert "answered GET http://127.0.0.1" in told
    assert asked == 5


async def test_a_service_that_fails_is_asked_four_times(said: Say) -> None:
    told, asked = await said(*[answer(503, b'{"message": "maintenance"}')] * 4)
    assert asked == 4
    assert "It says: 'maintenance'" in told
    assert "It was tried 4 times" in told


async def test_a_connection_that_breaks_is_tried_again(said: Say) -> None:
    told, asked = await said(reset, reset, answer(401, b"{}"))
    assert asked == 3
    assert "401" in told


async def test_words_of_the_service_are_shown_without_what_controls_a_terminal(said: Say) -> None:
    told, _ = await said(answer(400, json.dumps({"message": "a\x1b[31m\u202eb\n" * 200}).encode()))
    assert "\x1b" not in told
    assert "\n" not in told
    assert len(told) < 900
