import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from perfsuite.errors import BadSettings, Unreachable
from perfsuite.http import ApiClient, HttpSettings, Service
from shared.http.loopback import FakeTime, Peer, Received, answer, breaking_off, head, reset, serving, silence


def client(url: str, time: FakeTime | None = None, **settings: object) -> ApiClient:
    return ApiClient(Service("Example", url), HttpSettings.model_validate(settings), timing=(time or FakeTime()).timing)


async def test_a_connection_that_is_reset_is_tried_again() -> None:
    async with (
        serving(reset, breaking_off(b'{"a": 1}', 3), answer(200, b'{"a": 1}')) as server,
        client(server.url) as api,
    ):
        assert await api.get("x") == {"a": 1}
    assert len(server.received) == 3


async def test_a_post_that_is_reset_is_not_sent_again() -> None:
    async with serving(reset, answer()) as server, client(server.url) as api:
        with pytest.raises(Unreachable, match="may or may not have been carried out"):
            await api.post("tests/1/start", json={})
    assert len(server.received) == 1


async def test_a_post_to_a_service_that_is_down_is_tried_four_times(unused_port: int) -> None:
    time = FakeTime()
    async with client(f"http://127.0.0.1:{unused_port}", time) as api:
        with pytest.raises(Unreachable, match=r"no connection came about .* It was tried 4 times\.") as caught:
            await api.post("x", json={})
    assert len(time.slept) == 3
    assert "may or may not" not in str(caught.value)


async def test_a_silent_service_is_given_up_after_the_timeout() -> None:
    async with serving(silence, silence, answer()) as server, client(server.url, timeout_s=0.05) as api:
        assert await api.get("x") == {}
    assert len(server.received) == 3


async def test_a_service_that_trickles_is_given_up_at_the_deadline() -> None:
    async def trickle(_: Received, peer: Peer) -> None:
        await peer.send(head(200, 10**6))
        while True:
            await peer.send(b" ")
            await anyio.sleep(0.01)

    async with serving(trickle) as server, client(server.url, deadline_s=0.2) as api:
        with pytest.raises(Unreachable, match=r"did not finish answering GET .* before the deadline"):
            await api.get("x")


async def test_a_post_cut_off_by_the_deadline_has_an_unknown_outcome() -> None:
    async with serving(silence) as server, client(server.url, deadline_s=0.1) as api:
        with pytest.raises(Unreachable, match="may or may not have been carried out"):
            await api.post("x", json={})


@pytest.mark.parametrize("headers", [{"Retry_After": "4"}, {"X_RateLimit_Reset": "4"}])
async def test_a_429_over_the_wire_is_waited_for(headers: dict[str, str]) -> None:
    time = FakeTime()
    async with serving(answer(429, b"", **headers), answer()) as server, client(server.url, time) as api:
        assert await api.post("x", json={"a": 1}) == {}
    assert time.slept == [4]
    assert [r.body for r in server.received] == [b'{"a": 1}'] * 2


async def test_words_that_are_no_http_are_a_broken_connection() -> None:
    async def mail(_: Received, peer: Peer) -> None:
        await peer.send(b"220 mail.example.test ESMTP\r\n")

    async with serving(*[mail] * 4) as server, client(server.url) as api:
        with pytest.raises(Unreachable, match="the connection broke off"):
            await api.get("x")


async def test_a_cancelled_request_hangs_up() -> None:
    asked = anyio.Event()

    async def stuck(request: Received, peer: Peer) -> None:
        asked.set()
        await silence(request, peer)

    async with serving(stuck) as server, client(server.url) as api, anyio.create_task_group() as group:
        group.start_soon(api.get, "x")
        await asked.wait()
        group.cancel_scope.cancel()
    assert server.given_up.is_set()


async def test_requests_go_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answer(200, b'{"via": "proxy"}')) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with client("http://service.invalid") as api:
            assert await api.get("x") == {"via": "proxy"}
    assert proxy.received[0].target == "http://service.invalid/x"


async def test_a_proxy_that_refuses_the_tunnel_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(*[answer(407, b"")] * 4) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "http://user:proxy-password@"))
        async with client("https://service.invalid") as api:
            with pytest.raises(Unreachable, match=r"the proxy refused \(407 Status\)") as caught:
                await api.post("x", json={})
    assert "proxy-password" not in str(caught.value)
    assert {r.method for r in proxy.received} == {"CONNECT"}


async def test_a_host_that_no_proxy_names_is_asked_directly(monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with serving(answer()) as server, client(server.url) as api:
        assert await api.get("x") == {}


@pytest.mark.parametrize("proxy", ["ftp://proxy.test", "socks5://proxy.test", "http://proxy.test:port"])
async def test_a_proxy_that_cannot_be_used_is_a_setting_to_correct(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    async with client("http://127.0.0.1") as api:
        with pytest.raises(BadSettings, match="proxy that the environment names"):
            await api.get("x")


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for 127.0.0.1 that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "perfsuite test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "ca.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, secret)
    return context, pem


async def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tmp_path: Path) -> None:
    tls, _ = self_signed(tmp_path)
    time = FakeTime()
    async with serving(answer(), tls=tls) as server, client(server.url, time) as api:
        with pytest.raises(Unreachable, match=r"certificate was not accepted \(self.signed certificate\)") as caught:
            await api.get("x")
    assert "PERFSUITE_CA_BUNDLE" in caught.value.next_step
    assert (server.received, time.slept) == ([], [])


async def test_a_certificate_authority_of_ones_own_is_trusted_when_it_is_named(tmp_path: Path) -> None:
    tls, pem = self_signed(tmp_path)
    settings = HttpSettings.load({"PERFSUITE_CA_BUNDLE": str(pem)})
    async with serving(answer(), tls=tls) as server, ApiClient(Service("Example", server.url), settings) as api:
        assert await api.get("x") == {}


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
async def test_a_certificate_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    async with client("https://127.0.0.1", ca_bundle=file) as api:
        with pytest.raises(BadSettings, match=r"PERFSUITE_CA_BUNDLE names '.*ca\.pem'"):
            await api.get("x")
