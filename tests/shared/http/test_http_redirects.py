import httpx
import pytest
from pydantic import SecretStr
from pytest_httpx import HTTPXMock

from perfsuite.errors import BadAnswer, PerfsuiteError, Refused, RemoteError
from perfsuite.http import ApiClient, Service, basic_auth
from shared.http.loopback import FakeTime, answer, serving

BASE = "https://api.example.test"
SECRETS = {
    "Authorization": basic_auth("me", SecretStr("redirect-secret-1")),
    "DD-API-KEY": SecretStr("redirect-secret-2"),
    "DD-APPLICATION-KEY": SecretStr("redirect-secret-3"),
    "Cookie": SecretStr("session=redirect-secret-4"),
}
OURS = {"authorization", "dd-api-key", "dd-application-key", "cookie", "x-client", "x-extra"}


def client(base: str = BASE) -> ApiClient:
    return ApiClient(Service("Example", base, SECRETS, {"X-Client": "suite"}), timing=FakeTime().timing)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_within_the_service_keeps_the_credentials(httpx_mock: HTTPXMock, status: int) -> None:
    httpx_mock.add_response(url=f"{BASE}/a", status_code=status, headers={"Location": "/b"})
    httpx_mock.add_response(url=f"{BASE}/b", json={"b": 1})
    async with client() as api:
        assert await api.get("a", headers={"X-Extra": "1"}) == {"b": 1}
    assert set(httpx_mock.get_requests()[1].headers) >= OURS


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://storage.example.test/b",
        "https://api.example.test:8443/b",
        "https://api.example.test.evil.test/b",
        "https://api.example.test@evil.test/b",
        "//evil.test/b",
        "https://user:password@evil.test/b",
    ],
)
async def test_a_redirect_elsewhere_drops_every_header_of_ours(httpx_mock: HTTPXMock, elsewhere: str) -> None:
    httpx_mock.add_response(url=f"{BASE}/a", status_code=302, headers={"Location": elsewhere, "Set-Cookie": "c=1"})
    httpx_mock.add_response(json={})
    async with client() as api:
        await api.get("a", headers={"X-Extra": SecretStr("redirect-secret-5")})
    second = httpx_mock.get_requests()[1]
    assert not OURS & set(second.headers)
    assert "secret" not in str(second.headers)


async def test_the_credentials_do_not_come_back_when_a_foreign_host_leads_home(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=f"{BASE}/a", status_code=302, headers={"Location": "https://evil.test/"})
    httpx_mock.add_response(url="https://evil.test/", status_code=302, headers={"Location": f"{BASE}/delete-me"})
    httpx_mock.add_response(url=f"{BASE}/delete-me", json={})
    async with client() as api:
        await api.get("a")
    assert not OURS & set(httpx_mock.get_requests()[2].headers)


async def test_another_port_of_the_same_host_is_elsewhere() -> None:
    async with (
        serving(answer(200, b'{"here": 1}')) as storage,
        serving(answer(302, b"", Location=f"{storage.url}/file")) as service,
        client(service.url) as api,
    ):
        assert await api.get("a") == {"here": 1}
    assert set(service.received[0].headers) >= OURS - {"x-extra"}
    assert not OURS & set(storage.received[0].headers)


async def test_a_redirect_from_https_to_http_is_refused(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=301, headers={"Location": "http://api.example.test/a"})
    async with client() as api:
        with pytest.raises(Refused, match="led from https to http"):
            await api.get("a")


async def test_a_circle_of_redirects_ends(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=302, headers={"Location": "/a"}, is_reusable=True)
    async with client() as api:
        with pytest.raises(BadAnswer, match="more than 5 times"):
            await api.get("a")
    assert len(httpx_mock.get_requests()) == 6


@pytest.mark.parametrize("location", ["ftp://example.test/", "https://[bad", "mailto:me", "https://a b/"])
async def test_a_redirect_to_no_web_address_is_a_bad_answer(httpx_mock: HTTPXMock, location: str) -> None:
    httpx_mock.add_response(status_code=302, headers={"Location": location})
    async with client() as api:
        with pytest.raises(BadAnswer, match="no web address"):
            await api.get("a")


async def test_a_redirect_that_leads_nowhere_is_an_error(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=302)
    async with client() as api:
        with pytest.raises(RemoteError, match="with 302"):
            await api.get("a")


@pytest.mark.parametrize("status", [307, 308])
async def test_a_post_is_sent_on_within_the_service_as_it_is(httpx_mock: HTTPXMock, status: int) -> None:
    httpx_mock.add_response(url=f"{BASE}/a", status_code=status, headers={"Location": f"{BASE}/b"})
    httpx_mock.add_response(url=f"{BASE}/b", method="POST", json={}, match_json={"title": "x"})
    async with client() as api:
        await api.post("a", json={"title": "x"})


@pytest.mark.parametrize(
    ("status", "location"),
    [(301, "/b"), (302, "/b"), (307, "https://evil.test/b"), (308, "https://api.example.test:444/b")],
)
async def test_a_post_that_would_lose_its_content_or_its_host_is_not_sent_on(
    httpx_mock: HTTPXMock, status: int, location: str
) -> None:
    httpx_mock.add_response(status_code=status, headers={"Location": location})
    async with client() as api:
        with pytest.raises(Refused, match="A POST is not sent on") as caught:
            await api.post("a", json={"title": "x"})
    assert "may or may not have been carried out" in caught.value.message


async def test_a_post_that_leads_down_to_http_says_that_its_outcome_is_unknown(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=307, headers={"Location": "http://api.example.test/a"})
    async with client() as api:
        with pytest.raises(Refused, match=r"led from https to http.*may or may not"):
            await api.post("a", json={})


async def test_see_other_fetches_the_result_of_a_post(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=f"{BASE}/a", method="POST", status_code=303, headers={"Location": "/b"})
    httpx_mock.add_response(url=f"{BASE}/b", method="GET", status_code=502)
    httpx_mock.add_response(url=f"{BASE}/b", method="GET", json={"done": True})
    async with client() as api:
        assert await api.post("a", json={"title": "x"}) == {"done": True}
    assert [r.method for r in httpx_mock.get_requests()] == ["POST", "GET", "GET"]
    assert httpx_mock.get_requests()[1].content == b""
    assert "content-type" not in httpx_mock.get_requests()[1].headers


@pytest.mark.parametrize("status", [404, 500])
async def test_when_the_result_of_a_post_cannot_be_fetched_its_outcome_is_unknown(
    httpx_mock: HTTPXMock, status: int
) -> None:
    httpx_mock.add_response(method="POST", status_code=303, headers={"Location": "/b"})
    httpx_mock.add_response(method="GET", status_code=status, is_reusable=True)
    async with client() as api:
        with pytest.raises(PerfsuiteError, match="may or may not have been carried out"):
            await api.post("a", json={})
    assert [r.method for r in httpx_mock.get_requests()].count("POST") == 1


async def test_a_broken_hop_is_tried_again_where_it_broke(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=f"{BASE}/a", status_code=302, headers={"Location": "/b"})
    httpx_mock.add_exception(httpx.ReadError(""), url=f"{BASE}/b")
    httpx_mock.add_response(url=f"{BASE}/b", json={})
    async with client() as api:
        await api.get("a")
    assert [r.url.path for r in httpx_mock.get_requests()] == ["/a", "/b", "/b"]
