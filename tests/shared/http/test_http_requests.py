import json
import time
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpx import HTTPXMock

from perfsuite.errors import AccessDenied, BadInput, BadSettings, NotFound, RateLimited, Refused, RemoteError
from perfsuite.http import ApiClient, HttpSettings, Service, basic_auth
from shared.http.loopback import FakeTime

BASE = "https://api.example.test/v4"
KEY = "k-requests-5e7d"


def client(**service: Any) -> ApiClient:
    headers = {"X-Api-Key": SecretStr(KEY)}
    return ApiClient(Service("Example", BASE, headers, **service), timing=FakeTime().timing)


async def test_a_path_is_appended_to_the_base_address_and_the_key_goes_with_it(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=f"{BASE}/masters/1", json={"result": {"id": 1}})
    async with client(headers={"X-Client": "suite"}) as api:
        assert await api.get("/masters/1") == {"result": {"id": 1}}
    request = httpx_mock.get_requests()[0]
    assert request.headers["x-api-key"] == KEY
    assert request.headers["x-client"] == "suite"
    assert request.headers["accept"] == "application/json"


async def test_parameters_repeat_lists_and_leave_out_none(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=[])
    async with client() as api:
        await api.get("masters", params={"sort[]": ["-updated", "name"], "limit": 50, "name": None, "full": True})
    query = httpx_mock.get_requests()[0].url.params
    assert query.multi_items() == [("sort[]", "-updated"), ("sort[]", "name"), ("limit", "50"), ("full", "true")]


async def test_parameters_join_those_of_a_next_page_link(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url="https://api.example.test/wiki/pages?cursor=a&limit=5", json=[])
    async with client() as api:
        await api.get(api.link("/wiki/pages?cursor=a"), params={"limit": 5})


@pytest.mark.parametrize("method", ["post", "put", "patch"])
async def test_content_is_sent_as_json(httpx_mock: HTTPXMock, method: str) -> None:
    httpx_mock.add_response(json={"ok": True})
    async with client() as api:
        await getattr(api, method)("pages", json={"title": "Größe", "size": 1.5})
    request = httpx_mock.get_requests()[0]
    assert request.method == method.upper()
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"title": "Größe", "size": 1.5}


async def test_files_are_sent_as_a_form_with_their_fields_and_headers(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={})
    async with client() as api:
        await api.post(
            "attachments",
            files={"file": ("chart.png", b"\x89PNG", "image/png")},
            fields={"comment": "a chart"},
            headers={"X-Atlassian-Token": "no-check"},
        )
    request = httpx_mock.get_requests()[0]
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert request.headers["x-atlassian-token"] == "no-check"
    assert b'filename="chart.png"' in request.content
    assert b"\x89PNG" in request.content
    assert b"a chart" in request.content


async def test_an_answer_without_content_is_none(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(method="DELETE", status_code=204)
    async with client() as api:
        assert await api.delete("pages/1") is None


async def test_the_full_answer_has_status_and_headers(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=201, json=[1], headers={"X-RateLimit-Remaining": "7"})
    async with client() as api:
        answer = await api.request("POST", "pages", json={})
    assert (answer.status, answer.body, answer.headers["x-ratelimit-remaining"]) == (201, [1], "7")


async def test_an_expected_status_is_an_answer_and_no_error(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=422, json={"error": {"code": 422}})
    async with client() as api:
        answer = await api.request("GET", "report", expected={422})
    assert (answer.status, answer.body) == (422, {"error": {"code": 422}})


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (401, AccessDenied, "Ask for the scope hosts_read."),
        (403, AccessDenied, "Ask for the scope hosts_read."),
        (404, NotFound, "Check the id"),
        (429, RateLimited, "try again"),
        (400, RemoteError, "Check what was asked for."),
        (409, RemoteError, "Check what was asked for."),
        (304, RemoteError, "Check what was asked for."),
        (500, RemoteError, "try again later"),
        (503, RemoteError, "try again later"),
    ],
)
async def test_a_status_becomes_the_error_that_says_what_to_do(
    httpx_mock: HTTPXMock, status: int, kind: type[Exception], hint: str
) -> None:
    httpx_mock.add_response(status_code=status, json={"errors": ["no \x1b[31mluck\u202e"]}, is_reusable=True)
    async with client(access_hint="Ask for the scope hosts_read.") as api:
        with pytest.raises(kind) as caught:
            await api.get("hosts")
    assert type(caught.value) is kind
    assert f"Example answered GET {BASE}/hosts with {status}. It says: 'no [31mluck'." in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"errors":["too many", "points"]}', "too many; points"),
        (b'{"errors":[{"title":"Not Found","detail":"no such page","status":"404"}]}', "Not Found; no such page"),
        (b'{"error":{"code":422,"message":"Execution report is archived."},"result":null}', "Execution report is arch"),
        (b'{"status":"error","code":403,"errors":["Forbidden"]}', "Forbidden"),
        (b'{"statusCode":404,"message":"com.atlassian: gone"}', "com.atlassian: gone"),
        (b'{"unknown":"shape"}', '{"unknown":"shape"}'),
        (b"<html><head><title>Bad\nGateway</title></head><body>x</body></html>", "Bad Gateway"),
        (b"<Error><Code>Slow</Code><Message>down</Message></Error>", "Slow down"),
        (b"plain words", "plain words"),
        (b"[" * 5000, "[[[["),
        (b"\xff\xfe\x00", "��"),
    ],
)
async def test_the_message_of_the_service_is_found_in_every_known_shape(
    httpx_mock: HTTPXMock, body: bytes, said: str
) -> None:
    httpx_mock.add_response(status_code=400, content=body)
    async with client() as api:
        with pytest.raises(RemoteError, match="It says: ") as caught:
            await api.get("x")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 500


async def test_words_about_a_query_are_shown_but_for_its_key(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=400, text="cannot parse avg:system.cpu with tok-123")
    async with client() as api:
        with pytest.raises(RemoteError, match=r"cannot parse avg:system\.cpu with \[redacted\]"):
            await api.get("query", params={"query": "avg:system.cpu", "token": "tok-123"})


async def test_an_error_without_words_only_says_its_status(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=400)
    async with client() as api:
        with pytest.raises(RemoteError) as caught:
            await api.get("x")
    assert caught.value.message == f"Example answered GET {BASE}/x with 400."


@pytest.mark.parametrize("path", ["../user", "a/../../user", "a/./b", "%2e%2e/user", "a/..\\b", "a/.."])
async def test_a_path_that_steps_aside_is_refused_before_anything_is_sent(path: str) -> None:
    async with client() as api:
        with pytest.raises(BadInput, match="leaves its place"):
            await api.get(path)


@pytest.mark.parametrize("path", ["https://[x", "https://" + "a" * 64 + ".test/x", "https://a..b/", "bad\x00path"])
async def test_an_address_that_is_none_is_refused(path: str) -> None:
    async with client() as api:
        with pytest.raises(BadInput, match="is not an address"):
            await api.get(path)


@pytest.mark.parametrize("href", ["ftp://example.test/x", "javascript:alert(1)", "file:///etc/passwd"])
def test_a_link_to_something_else_than_the_web_is_refused(href: str) -> None:
    with pytest.raises(BadInput, match="is not an address"):
        client().link(href)


def test_a_link_from_https_to_http_is_refused() -> None:
    with pytest.raises(Refused, match=r"led from https to http://files\.example\.test/x"):
        client().link("http://files.example.test/x?sig=1")


def test_links_are_resolved_as_a_browser_would() -> None:
    assert client().link("/api/x.zip?a=1#frag") == "https://api.example.test/api/x.zip?a=1"
    assert client().link("https://u:p@files.example.test/x") == "https://files.example.test/x"


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, "\ud800"])
async def test_content_that_is_not_json_is_refused(value: object) -> None:
    async with client() as api:
        with pytest.raises(BadInput, match="cannot be written as JSON"):
            await api.post("x", json={"value": value})


async def test_a_header_that_would_smuggle_another_is_refused() -> None:
    async with client() as api:
        with pytest.raises(BadInput, match="header"):
            await api.get("x", headers={"X-A": "1\r\nX-B: 2"})


async def test_a_whole_address_elsewhere_gets_no_header_of_ours(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={})
    async with client(headers={"X-Client": "suite"}) as api:
        await api.get("https://other.example.test/x", headers={"X-More": SecretStr("more-secret")})
    headers = httpx_mock.get_requests()[0].headers
    assert not {"x-api-key", "x-client", "x-more", "authorization", "cookie"} & set(headers)


async def test_cookies_are_never_kept(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={}, headers={"Set-Cookie": "session=abc; Path=/"}, is_reusable=True)
    async with client() as api:
        await api.get("x")
        await api.get("x")
    assert all("cookie" not in request.headers for request in httpx_mock.get_requests())


async def test_basic_auth_is_written_as_the_standard_says(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={})
    service = Service("Example", BASE, {"Authorization": basic_auth("Aladdin", SecretStr("open sesame"))})
    async with ApiClient(service) as api:
        await api.get("")
    request = httpx_mock.get_requests()[0]
    assert request.headers["authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert str(request.url) == BASE


@pytest.mark.parametrize(
    "base",
    ["example.test", "ftp://example.test", "https://u:hidden@example.test", "https://example.test/?key=hidden", ""],
)
def test_a_base_address_that_cannot_be_used_is_named_without_its_secrets(base: str) -> None:
    with pytest.raises(BadSettings, match="base address of Example") as caught:
        Service("Example", base)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("value", ["a\nb", "ключ-12", " padded"])
def test_a_credential_that_no_header_can_carry_is_not_shown(value: str) -> None:
    with pytest.raises(BadSettings, match="'X-Api-Key' for Example") as caught:
        Service("Example", BASE, {"X-Api-Key": SecretStr(value)})
    assert value not in str(caught.value)


def test_a_public_header_is_checked_too() -> None:
    with pytest.raises(BadSettings, match="'X Y' for Example"):
        Service("Example", BASE, headers={"X Y": "1"})


async def test_a_client_that_was_never_used_can_be_closed() -> None:
    await client().aclose()


@pytest.mark.parametrize(
    ("variable", "value"), [("PERFSUITE_HTTP_TIMEOUT_S", "0"), ("PERFSUITE_HTTP_DEADLINE_S", "inf")]
)
def test_settings_that_make_no_sense_are_named(variable: str, value: str) -> None:
    with pytest.raises(BadSettings, match=f"{variable} is not usable"):
        HttpSettings.load({variable: value})


@pytest.mark.parametrize(
    "piece", ["a", "http:/", "https:////", "://", "?", "<title", "<", "token", "sig=", '{"error":', "["]
)
async def test_hostile_words_do_not_keep_the_processor_busy(httpx_mock: HTTPXMock, piece: str) -> None:
    httpx_mock.add_response(status_code=400, text=piece * (64_000 // len(piece)))
    before = time.process_time()
    async with client() as api:
        with pytest.raises(RemoteError):
            await api.get("x")
    assert time.process_time() - before < 2
