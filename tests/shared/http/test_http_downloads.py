import gzip
import hashlib
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import httpx
import pytest
from pydantic import SecretStr

from perfsuite.errors import (
    AccessDenied,
    BadAnswer,
    LimitExceeded,
    NotFound,
    StorageFailed,
    Unreachable,
)
from perfsuite.http import ApiClient, Downloaded, HttpSettings, Service
from shared.http.loopback import FakeTime, Peer, Received, Server, Step, answer, breaking_off, head, serving, silence

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ETAG = '"v1"'
MODIFIED = "Wed, 21 Oct 2025 07:28:00 GMT"


@asynccontextmanager
async def storage(*steps: Step, **settings: float) -> AsyncIterator[tuple[ApiClient, Server]]:
    """A service with credentials, whose links lead to a storage on another port that follows the steps."""
    service = Service("Example", "http://127.0.0.1:9", {"Authorization": SecretStr("Basic download-secret")})
    async with (
        serving(*steps) as server,
        ApiClient(service, HttpSettings(**settings), timing=FakeTime().timing) as api,
    ):
        yield api, server


def rest_of(content: bytes, **headers: str) -> Step:
    """Answer a range request as the standard says."""

    async def step(request: Received, peer: Peer) -> None:
        first = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        shown = {"Content_Range": f"bytes {first}-{len(content) - 1}/{len(content)}", **headers}
        await peer.send(head(206, len(content) - first, **shown) + content[first:])

    return step


def whole_or_nothing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_file_arrives_whole_with_its_size_and_checksum(tmp_path: Path) -> None:
    target = tmp_path / "artifacts.zip"
    async with storage(answer(200, CONTENT, Content_Type="Application/Zip; x=y")) as (api, server):
        done = await api.download(f"{server.url}/a.zip", target, max_bytes=10**6, expected_sha256=SHA256.upper())
    assert done == Downloaded(target, len(CONTENT), SHA256, "application/zip")
    assert target.read_bytes() == CONTENT
    assert whole_or_nothing(tmp_path) == ["artifacts.zip"]
    assert "authorization" not in server.received[0].headers
    assert server.received[0].headers["accept-encoding"] == "identity"


async def test_a_relative_link_belongs_to_the_service_and_gets_the_credentials(tmp_path: Path) -> None:
    async with serving(answer(200, b"data")) as server:
        service = Service("Example", f"{server.url}/api/v4", {"X-Api-Key": SecretStr("download-secret")})
        async with ApiClient(service) as api:
            await api.download("/api/jtls_and_more.zip", tmp_path / "x.zip", max_bytes=10)
    assert server.received[0].target == "/api/jtls_and_more.zip"
    assert server.received[0].headers["x-api-key"] == "download-secret"


async def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    async with storage(answer(200, b"")) as (api, server):
        done = await api.download(server.url, tmp_path / "x", max_bytes=0)
    assert (done.size_bytes, (tmp_path / "x").read_bytes()) == (0, b"")


async def test_a_file_in_pieces_of_unknown_number_arrives_whole(tmp_path: Path) -> None:
    async def chunked(_: Received, peer: Peer) -> None:
        await peer.send(head(200, None, Transfer_Encoding="chunked") + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    async with storage(chunked) as (api, server):
        await api.download(server.url, tmp_path / "x", max_bytes=5)
    assert (tmp_path / "x").read_bytes() == b"abcde"


@pytest.mark.parametrize(
    "proof", [{"ETag": ETAG}, {"Last_Modified": MODIFIED}, {"ETag": 'W/"v1"', "Last_Modified": MODIFIED}]
)
async def test_a_broken_download_goes_on_where_it_broke_off(tmp_path: Path, proof: dict[str, str]) -> None:
    steps = (breaking_off(CONTENT, 100_000, **proof), rest_of(CONTENT, **proof))
    async with storage(*steps) as (api, server):
        done = await api.download(server.url, tmp_path / "x", max_bytes=10**6)
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert done.sha256 == SHA256
    first, second = server.received
    assert "range" not in first.headers
    assert second.headers["range"] == "bytes=100000-"
    assert second.headers["if-range"] == (MODIFIED if "Last_Modified" in proof else ETAG)


async def test_it_goes_on_several_times(tmp_path: Path) -> None:
    def broken_rest(after: int) -> Step:
        async def step(request: Received, peer: Peer) -> None:
            first = int(request.headers["range"][6:-1])
            shown = {"Content_Range": f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}", "ETag": ETAG}
            await peer.send(head(206, len(CONTENT) - first, **shown) + CONTENT[first:after])
            peer.writer.write_eof()
            await peer.until_closed()

        return step

    steps = (breaking_off(CONTENT, 10_000, ETag=ETAG), broken_rest(20_000), broken_rest(30_000), rest_of(CONTENT))
    async with storage(*steps) as (api, server):
        await api.download(server.url, tmp_path / "x", max_bytes=10**6, expected_sha256=SHA256)
    assert [r.headers.get("range") for r in server.received] == [None, "bytes=10000-", "bytes=20000-", "bytes=30000-"]


async def test_a_file_that_changed_meanwhile_is_taken_from_its_beginning(tmp_path: Path) -> None:
    newer = b"newer" * 1000
    steps = (breaking_off(CONTENT, 100_000, ETag=ETAG), answer(200, newer, ETag='"v2"'))
    async with storage(*steps) as (api, server):
        await api.download(server.url, tmp_path / "x", max_bytes=10**6)
    assert (tmp_path / "x").read_bytes() == newer


@pytest.mark.parametrize(
    "headers",
    [{}, {"ETag": 'W/"v1"'}, {"ETag": ETAG, "Accept_Ranges": "none"}],
    ids=["no proof", "weak proof", "no ranges"],
)
async def test_without_proof_that_it_is_the_same_file_it_starts_over(tmp_path: Path, headers: dict[str, str]) -> None:
    steps = (breaking_off(CONTENT, 100_000, **headers), answer(200, CONTENT, **headers))
    async with storage(*steps) as (api, server):
        await api.download(server.url, tmp_path / "x", max_bytes=10**6)
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert "range" not in server.received[1].headers


@pytest.mark.parametrize(
    "lie",
    [
        {"Content_Range": "bytes 0-255999/256000"},
        {"Content_Range": "bytes 100000-255999/999999"},
        {"Content_Range": "bytes 100000-100009/256000"},
        {"Content_Range": "bytes */256000"},
        {"Content_Range": "lines 100000-255999/256000"},
        {"Content_Range": "bytes 100000-255999/256000", "ETag": '"v2"'},
        {"Content_Range": "bytes 100000-255999/256000", "Content_Encoding": "gzip"},
        {},
    ],
)
async def test_a_partial_answer_that_does_not_fit_is_thrown_away(tmp_path: Path, lie: dict[str, str]) -> None:
    steps = (breaking_off(CONTENT, 100_000, ETag=ETAG), answer(206, b"x" * 156_000, **lie), answer(200, CONTENT))
    async with storage(*steps) as (api, server):
        await api.download(server.url, tmp_path / "x", max_bytes=10**6)
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert "range" not in server.received[2].headers


async def test_a_range_that_cannot_be_satisfied_starts_over(tmp_path: Path) -> None:
    steps = (breaking_off(CONTENT, 100_000, ETag=ETAG), answer(416, b""), answer(200, CONTENT))
    async with storage(*steps) as (api, server):
        await api.download(server.url, tmp_path / "x", max_bytes=10**6)
    assert (tmp_path / "x").read_bytes() == CONTENT


async def test_a_range_that_nobody_asked_for_is_a_bad_answer(tmp_path: Path) -> None:
    async with storage(answer(206, b"x", Content_Range="bytes 0-0/1")) as (api, server):
        with pytest.raises(BadAnswer, match="answered with 206 and no whole file"):
            await api.download(server.url, tmp_path / "x", max_bytes=10)
    assert whole_or_nothing(tmp_path) == []


async def test_a_file_that_never_arrives_whole_leaves_nothing_and_the_old_one_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    async with storage(*[breaking_off(CONTENT, 1000)] * 4) as (api, server):
        with pytest.raises(BadAnswer, match=r"broke off after 1000 bytes\. It was tried 4 times\."):
            await api.download(server.url, tmp_path / "x", max_bytes=10**6)
    assert (tmp_path / "x").read_bytes() == b"old"
    assert whole_or_nothing(tmp_path) == ["x"]
    assert len(server.received) == 4


async def test_an_answer_that_brings_less_than_it_says_is_not_whole(tmp_path: Path) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Length": "10"}, stream=httpx.ByteStream(b"abc"))

    transport = httpx.MockTransport(respond)
    async with ApiClient(Service("Example", "https://x.test"), transport=transport, timing=FakeTime().timing) as api:
        with pytest.raises(BadAnswer, match="an answer of 10 bytes brought 3"):
            await api.download("/x", tmp_path / "x", max_bytes=100)


async def test_a_rest_that_ends_too_early_is_fetched_again(tmp_path: Path) -> None:
    async def short_rest(_: Received, peer: Peer) -> None:
        shown = head(206, None, Content_Range="bytes 100000-255999/256000", Transfer_Encoding="chunked")
        await peer.send(shown + b"3\r\n" + CONTENT[100_000:100_003] + b"\r\n0\r\n\r\n")

    async with storage(breaking_off(CONTENT, 100_000, ETag=ETAG), short_rest, rest_of(CONTENT)) as (api, server):
        await api.download(server.url, tmp_path / "x", max_bytes=10**6, expected_sha256=SHA256)
    assert server.received[2].headers["range"] == "bytes=100003-"


async def test_an_answer_without_its_length_is_not_taken_on_trust(tmp_path: Path) -> None:
    async def unmeasured(_: Received, peer: Peer) -> None:
        await peer.send(head(200, None) + CONTENT)

    async with storage(unmeasured, unmeasured) as (api, server):
        with pytest.raises(BadAnswer, match="without its length"):
            await api.download(server.url, tmp_path / "x", max_bytes=10**6)
        done = await api.download(server.url, tmp_path / "x", max_bytes=10**6, expected_sha256=SHA256)
    assert done.size_bytes == len(CONTENT)


async def test_a_file_with_another_checksum_is_not_kept(tmp_path: Path) -> None:
    async with storage(answer(200, CONTENT)) as (api, server):
        with pytest.raises(BadAnswer, match=f"arrived with the SHA-256 '{SHA256}'"):
            await api.download(server.url, tmp_path / "x", max_bytes=10**6, expected_sha256="0" * 64)
    assert whole_or_nothing(tmp_path) == []


async def test_a_file_that_says_it_is_too_large_is_not_begun(tmp_path: Path) -> None:
    async with storage(answer(200, CONTENT)) as (api, server):
        with pytest.raises(LimitExceeded, match="at least 256000 bytes, and 1000 are allowed"):
            await api.download(server.url, tmp_path / "x", max_bytes=1000)
    assert whole_or_nothing(tmp_path) == []


async def test_a_file_that_turns_out_too_large_is_dropped_on_the_way(tmp_path: Path) -> None:
    async def endless(_: Received, peer: Peer) -> None:
        await peer.send(head(200, None, Transfer_Encoding="chunked"))
        while True:
            await peer.send(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")

    async with storage(endless) as (api, server):
        with pytest.raises(LimitExceeded):
            await api.download(server.url, tmp_path / "x", max_bytes=100_000)
    assert whole_or_nothing(tmp_path) == []
    assert len(server.received) == 1


async def test_a_file_that_comes_packed_is_unpacked_and_measured_unpacked(tmp_path: Path) -> None:
    packed = answer(200, gzip.compress(CONTENT), Content_Encoding="gzip", ETag=ETAG)
    async with storage(packed, packed) as (api, server):
        assert (await api.download(server.url, tmp_path / "x", max_bytes=10**6)).sha256 == SHA256
        with pytest.raises(LimitExceeded):
            await api.download(server.url, tmp_path / "y", max_bytes=10_000)
    assert whole_or_nothing(tmp_path) == ["x"]


@pytest.mark.parametrize(("coding", "said"), [("gzip", "not packed as it claims"), ("gzip, gzip", "cannot be read")])
async def test_a_file_that_cannot_be_unpacked_is_a_bad_answer(tmp_path: Path, coding: str, said: str) -> None:
    async with storage(answer(200, CONTENT, Content_Encoding=coding)) as (api, server):
        with pytest.raises(BadAnswer, match=said):
            await api.download(server.url, tmp_path / "x", max_bytes=10**6)


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [(403, AccessDenied, "The link may have run out"), (404, NotFound, "with 404"), (204, BadAnswer, "with 204")],
)
async def test_a_link_that_does_not_work_says_why(
    tmp_path: Path, status: int, kind: type[Exception], said: str
) -> None:
    async with storage(answer(status, b"")) as (api, server):
        with pytest.raises(kind, match=said):
            await api.download(f"{server.url}/a.zip", tmp_path / "x", max_bytes=10)


async def test_a_busy_storage_is_asked_again(tmp_path: Path) -> None:
    async with storage(answer(503, b"busy", Retry_After="2"), answer(200, b"data")) as (api, server):
        await api.download(server.url, tmp_path / "x", max_bytes=10)
    assert (tmp_path / "x").read_bytes() == b"data"


async def test_progress_is_told_from_time_to_time_and_at_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []

    async def progress(done: int, total: int | None) -> None:
        told.append((done, total))

    async with storage(answer(200, CONTENT)) as (api, server):
        await api.download(server.url, tmp_path / "x", max_bytes=10**6, progress=progress)
    # The clock of this test stands still, so that only the first piece and the end are told.
    assert len(told) == 2
    assert told[0][1] == len(CONTENT)
    assert told[-1] == (len(CONTENT), len(CONTENT))


@contextmanager
def small_disk(limit: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_is_full_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    async with storage(answer(200, CONTENT)) as (api, server):
        with pytest.raises(StorageFailed, match="could not be saved"), small_disk(10_000):
            await api.download(server.url, tmp_path / "x", max_bytes=10**6)
    assert whole_or_nothing(tmp_path) == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"
    assert len(server.received) == 1


async def test_a_place_that_takes_no_file_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with storage(answer(200, CONTENT)) as (api, server):
        with pytest.raises(StorageFailed):
            await api.download(server.url, tmp_path / "file" / "x", max_bytes=10**6)
    assert server.received == []


async def test_a_cancelled_download_leaves_nothing_and_hangs_up(tmp_path: Path) -> None:
    begun = anyio.Event()

    async def stuck(_: Received, peer: Peer) -> None:
        await peer.send(head(200, len(CONTENT)) + CONTENT[:5000])
        await peer.until_closed()

    async def progress(_: int, __: int | None) -> None:
        begun.set()

    async with storage(stuck) as (api, server), anyio.create_task_group() as group:

        async def fetch() -> None:
            await api.download(server.url, tmp_path / "x", max_bytes=10**6, progress=progress)

        group.start_soon(fetch)
        await begun.wait()
        assert whole_or_nothing(tmp_path) != []
        group.cancel_scope.cancel()
    assert whole_or_nothing(tmp_path) == []
    assert server.given_up.is_set()


async def test_a_download_that_does_not_end_in_time_is_given_up(tmp_path: Path) -> None:
    async with storage(silence) as (api, server):
        with pytest.raises(Unreachable, match="before the deadline"):
            await api.download(server.url, tmp_path / "x", max_bytes=10, deadline_s=0.1)
    assert whole_or_nothing(tmp_path) == []
