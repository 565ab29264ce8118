"""Nothing that proves who we are, and no signature of a link, may appear where somebody could read it."""

import io
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from perfsuite.errors import AccessDenied, PerfsuiteError
from perfsuite.http import ApiClient, HttpSettings, Service, basic_auth
from perfsuite.http.redaction import excerpt, shown_url
from shared.http.loopback import (
    FakeTime,
    Peer,
    Received,
    Server,
    Step,
    answer,
    breaking_off,
    head,
    reset,
    serving,
    silence,
)

PASSWORD = SecretStr("canary/pass+word")
KEY = SecretStr("canary-key-77f1")
MORE = SecretStr("canarytoken-2")
SIGNATURE = "canarysignature0123"
SIGNED = f"X-Amz-Signature={SIGNATURE}&X-Amz-Credential=canaryid%2Fscope&token=canarytoken"
ENCODED = basic_auth("me", PASSWORD).get_secret_value().removeprefix("Basic ")
CANARIES = (
    "canary/pass",
    "canary\\/pass",
    "canary%2Fpass",
    ENCODED,
    "canary-key",
    "canarysig",
    "canaryid",
    "canarytoken",
)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that any library says, at its most talkative."""
    stream = io.StringIO()
    collector = logging.StreamHandler(stream)
    names = ["", "perfsuite", "perfsuite.http", *(n for n in logging.root.manager.loggerDict if n.startswith("http"))]
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    logging.root.addHandler(collector)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield stream
    logging.root.removeHandler(collector)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


async def echo(request: Received, peer: Peer) -> None:
    """Answer with everything that was sent, as a careless debug page would."""
    said = f"{request.target} {dict(request.headers)} {request.target.replace('/', chr(92) + '/')}"
    await peer.send(head(400, len(said.encode()), Content_Type="text/plain", X_Request=request.target) + said.encode())


def read_all(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


def redirect(to: str) -> Step:
    return answer(302, b"", Location=to, Set_Cookie=f"session={SIGNATURE}")


def client(server: Server) -> ApiClient:
    secrets = {"Authorization": basic_auth("me", PASSWORD), "DD-API-KEY": KEY}
    settings = HttpSettings(timeout_s=0.1)
    return ApiClient(Service("Example", server.url, secrets), settings, timing=FakeTime().timing)


async def _get(api: ApiClient, server: Server, _: Path) -> object:
    return await api.get(f"{server.url}/file?{SIGNED}")


async def _post(api: ApiClient, server: Server, _: Path) -> object:
    return await api.post(f"{server.url}/file?{SIGNED}", json={}, headers={"X-Token": MORE})


async def _download(api: ApiClient, server: Server, folder: Path) -> object:
    return await api.download(f"{server.url}/file?{SIGNED}", folder / "x", max_bytes=10**6)


SCRIPTS: dict[str, list[Step]] = {
    "echo": [echo],
    "redirect into nothing": [redirect(f"http://127.0.0.1:1/x?{SIGNED}"), echo, echo, echo],
    "redirect to nonsense": [redirect(f"gopher://me:{KEY.get_secret_value()}@x/?{SIGNED}")],
    "redirect in a circle": [redirect(f"/again?{SIGNED}")] * 6,
    "silence": [silence] * 4,
    "reset": [reset] * 4,
    "half": [breaking_off(b"x" * 1000, 10)] * 4,
    "busy": [answer(429, f"{SIGNATURE} is used up, and so is {SIGNED}".encode(), Retry_After="1")] * 4,
    "forbidden": [answer(403, f'{{"message": "bad link https://s3.test/x?{SIGNED}"}}'.encode())],
    "fault": [answer(500, f"<a href='https:\\/\\/s3.test\\/x?{SIGNED}'>".encode())] * 4,
    "page": [answer(200, b"<html>", Content_Type="text/html")],
}


@pytest.mark.parametrize("act", [_get, _post, _download])
@pytest.mark.parametrize("script", SCRIPTS)
async def test_no_trouble_brings_a_secret_to_light(
    script: str, act: Callable[[ApiClient, Server, Path], Awaitable[object]], tmp_path: Path, log: io.StringIO
) -> None:
    shown = ""
    async with serving(*SCRIPTS[script]) as server, client(server) as api:
        try:
            await act(api, server, tmp_path)
        except PerfsuiteError as error:
            logging.getLogger("test").exception("failed")
            shown = f"{error} {error!r} {''.join(traceback.format_exception(error))}"
        shown += repr(api.service) + repr(api)
    shown += log.getvalue()
    shown += read_all(tmp_path)
    assert "127.0.0.1" in shown
    assert [canary for canary in CANARIES if canary in shown] == []


async def test_a_download_that_succeeds_is_silent_about_its_link(tmp_path: Path, log: io.StringIO) -> None:
    async with (
        serving(answer(302, b"", Location=f"/file?{SIGNED}"), answer(200, b"data")) as server,
        client(server) as api,
    ):
        await api.download("/start", tmp_path / "x", max_bytes=10)
    assert "/file with 200" in log.getvalue()
    assert [canary for canary in CANARIES if canary in log.getvalue()] == []


def test_an_address_keeps_its_path_and_nothing_of_its_query() -> None:
    url = httpx.URL(f"https://me:hidden@s3.test:8443/a/b.zip?{SIGNED}&canarytoken#hidden")
    assert shown_url(url) == "https://s3.test:8443/a/b.zip"


def test_a_long_address_is_cut() -> None:
    shown = shown_url(httpx.URL("https://s3.test/" + "p" * 5000 + "?" + "q" * 5000 + "=1"))
    assert len(shown) < 230
    assert shown.count("…") == 1


@given(words=st.text(max_size=400), value=st.text("abcdef0123456789", min_size=8, max_size=12))
def test_whatever_a_service_says_becomes_one_short_line_without_signed_links(words: str, value: str) -> None:
    line = excerpt(
        f"{words} https://s3.test/x?sig={value}&b={value} token={value} {{'api_key': '{value}'}}", limit=10**6
    )
    assert value not in line.removeprefix(excerpt(words, 10**6))
    assert line.isprintable()
    assert len(excerpt(words)) <= 240


@pytest.mark.parametrize("act", ["get", "download"])
async def test_a_storage_that_repeats_the_signature_is_not_quoted(act: str, tmp_path: Path, log: io.StringIO) -> None:
    refusal = (
        f"<Error><AWSAccessKeyId>canaryid</AWSAccessKeyId><SignatureProvided>{SIGNATURE}</SignatureProvided></Error>"
    )
    refused = answer(403, refusal.encode(), Content_Type="application/xml")
    async with (
        serving(refused) as storage,
        serving(redirect(f"{storage.url}/f?{SIGNED}")) as server,
        client(server) as api,
    ):
        with pytest.raises(AccessDenied, match="The link may have run out") as caught:
            await (api.get("/f") if act == "get" else api.download("/f", tmp_path / "x", max_bytes=10))
    shown = f"{caught.value} {log.getvalue()}"
    assert [canary for canary in CANARIES if canary in shown] == []
