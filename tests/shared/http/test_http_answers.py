import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpx import HTTPXMock

from perfsuite.errors import BadAnswer
from perfsuite.http import ApiClient, HttpSettings, Service
from shared.http.loopback import FakeTime, answer, serving

BASE = "https://api.example.test"


def client(**settings: int) -> ApiClient:
    return ApiClient(Service("Example", BASE), HttpSettings(**settings), timing=FakeTime().timing)


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        ("text/html; charset=utf-8", b"<html><title>Log in</title></html>", "'text/html' (34 bytes)"),
        ("text/plain", b"{}", "'text/plain' (2 bytes)"),
        ("application/json", b"", "nothing"),
        ("application/json", b" \n ", "nothing"),
        ("application/json", b"<html></html>", "no JSON (Expecting value"),
        ("application/json", b'{"a": NaN}', "no JSON (NaN is not JSON)"),
        ("application/json", b"[" * 200_000, "no JSON (maximum recursion depth"),
        ("application/json", b"9" * 5000, "no JSON (Exceeds the limit"),
        ("application/json", b'{"a": "\xff"}', "no JSON ("),
        ("application/json", b'{"a":1} x', "no JSON (Extra data"),
    ],
)
async def test_an_answer_that_is_no_json_says_what_was_expected_and_what_came(
    httpx_mock: HTTPXMock, kind: str, body: bytes, found: str
) -> None:
    httpx_mock.add_response(content=body, headers={"Content-Type": kind})
    async with client() as api:
        with pytest.raises(BadAnswer, match="where JSON was expected") as caught:
            await api.get("x")
    assert f"Example answered GET {BASE}/x with 200 and {found}" in caught.value.message


@pytest.mark.parametrize("cut", [b'{"a": [1, 2', b'{"a": "cut'])
async def test_json_that_breaks_off_is_asked_for_again_where_nothing_changes_by_it(
    httpx_mock: HTTPXMock, cut: bytes
) -> None:
    for _ in range(2):
        httpx_mock.add_response(content=cut, headers={"Content-Type": "application/json"})
    httpx_mock.add_response(content=b'{"a": 1}', headers={"Content-Type": "application/json"})
    async with client() as api:
        with pytest.raises(BadAnswer, match=f"JSON that breaks off after {len(cut)} bytes"):
            await api.post("x", json={})
        assert await api.get("x") == {"a": 1}
    assert len(httpx_mock.get_requests()) == 3


@pytest.mark.parametrize("kind", ["application/json", "application/vnd.api+json; charset=utf-8", "Text/JSON", None])
async def test_json_is_accepted_under_all_its_names(httpx_mock: HTTPXMock, kind: str | None) -> None:
    httpx_mock.add_response(content=b'\xef\xbb\xbf{"a": 1}', headers={"Content-Type": kind} if kind else {})
    async with client() as api:
        assert await api.get("x") == {"a": 1}


async def test_an_answer_beyond_the_limit_is_not_read_to_its_end(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=b'"' + b"x" * 100 + b'"', headers={"Content-Type": "application/json"})
    async with client(max_answer_bytes=50) as api:
        with pytest.raises(BadAnswer, match="more than 50 bytes"):
            await api.get("x")


@asynccontextmanager
async def packed(body: bytes, coding: str, **settings: int) -> AsyncIterator[ApiClient]:
    async with serving(answer(200, body, Content_Encoding=coding)) as server:
        api = ApiClient(Service("Example", server.url), HttpSettings(**settings), timing=FakeTime().timing)
        async with api:
            yield api


async def test_json_may_come_packed() -> None:
    async with packed(gzip.compress(b'{"a": 1}'), "gzip") as api:
        assert await api.get("x") == {"a": 1}


async def test_a_small_gzip_that_unpacks_beyond_the_limit_is_refused() -> None:
    async with packed(gzip.compress(b" " * 1_000_000), "gzip", max_answer_bytes=10_000) as api:
        with pytest.raises(BadAnswer, match="more than 10000 bytes"):
            await api.get("x")


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip,gzip,gzip", "br", "aes128gcm"])
async def test_content_that_is_packed_twice_or_strangely_is_not_unpacked(coding: str) -> None:
    async with packed(gzip.compress(gzip.compress(b"{}")), coding) as api:
        with pytest.raises(BadAnswer, match="packed in a way that cannot be read"):
            await api.get("x")


async def test_content_that_is_not_packed_as_it_claims_is_a_bad_answer() -> None:
    async with packed(b"this is no gzip", "gzip") as api:
        with pytest.raises(BadAnswer, match=r"packed in a way that cannot be read \('gzip'\)"):
            await api.get("x")


@given(body=st.binary(max_size=60), kind=st.sampled_from(["application/json", "text/html", ""]))
async def test_any_bytes_become_an_answer_or_a_bad_answer(body: bytes, kind: str) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body, headers={"Content-Type": kind})

    api = ApiClient(Service("Example", BASE), transport=httpx.MockTransport(respond))
    with suppress(BadAnswer):
        await api.get("x")
