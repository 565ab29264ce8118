"""Taking a file from the network: whole or not at all."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import anyio
import httpx

from perfsuite.artifacts.atomic import replacing
from perfsuite.errors import BadAnswer, LimitExceeded
from perfsuite.http.answers import is_decodable, is_success, read_error
from perfsuite.http.calls import Call
from perfsuite.http.failures import status_failure
from perfsuite.http.models import Downloaded, Progress
from perfsuite.http.redaction import excerpt, shown_url
from perfsuite.http.retry import Failure, Timing

_OK = 200
_PARTIAL = 206
_RANGE_NOT_SATISFIABLE = 416
_PROGRESS_EVERY_S = 0.5
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)
_SIZE = re.compile(r"\d{1,18}", re.ASCII)


class Arrival:
    """The bytes that have arrived so far, and what proves that the rest belongs to them."""

    def __init__(self, file: BinaryIO, *, limit: int, expected_sha256: str | None) -> None:
        self._file = file
        self._limit = limit
        self._expected_sha256 = expected_sha256
        self.total: int | None = None
        self._validator: str | None = None
        self._start_over()

    def resume_headers(self) -> dict[str, str]:
        """Ask for the rest only, and only of the very same file."""
        if self.size == 0 or self._validator is None:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self._validator}

    def begin(self, response: httpx.Response) -> None:
        """Start from the first byte with this answer."""
        self._start_over()
        self.content_type = excerpt(response.headers.get("content-type", "").partition(";")[0].lower())
        if _is_plain(response):
            self.total = _declared_size(response)
            self._validator = _validator(response)
        self._check_size(self.total or 0)

    def resume(self, response: httpx.Response) -> bool:
        """Go on with this partial answer, if it is exactly what was asked for; else be ready to start over."""
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if found is not None and self._is_same_file(response):
            first, last, total = (int(number) for number in found.groups())
            if first == self.size and last == total - 1 and self.total in (None, total):
                self.total = total
                return True
        self._start_over()
        return False

    def is_measurable(self, response: httpx.Response) -> bool:
        """Whether an end that comes too early would be noticed."""
        chunked = "chunked" in response.headers.get("transfer-encoding", "").lower()
        return chunked or _declared_size(response) is not None or self._expected_sha256 is not None

    async def take(self, chunk: bytes) -> None:
        self._check_size(self.size + len(chunk))
        await anyio.to_thread.run_sync(self._write, chunk)

    async def finish(self, target: Path) -> Downloaded:
        """Bring it to the disk outside the event loop, which would otherwise stand still for as long."""
        await anyio.to_thread.run_sync(os.fsync, self._file.fileno())
        return Downloaded(target, size_bytes=self.size, sha256=self._sha256.hexdigest(), content_type=self.content_type)

    def shortfall(self, response: httpx.Response) -> str | None:
        """What is missing, now that the answer has ended."""
        declared, brought = _declared_size(response), response.num_bytes_downloaded
        if declared is not None and declared != brought:
            return f"broke off: an answer of {declared} bytes brought {brought}"
        if self.total is not None and self.size != self.total:
            return f"broke off after {self.size} of {self.total} bytes"
        return None

    def mismatch(self) -> str | None:
        """How the whole file differs from the one that was expected."""
        found = self._sha256.hexdigest()
        if self._expected_sha256 is None or found == self._expected_sha256.lower():
            return None
        return f"arrived with the SHA-256 {found!r}, where {self._expected_sha256!r} was expected"

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.size = 0
        self.total = None
        self.content_type = ""
        self._validator = None
        self._sha256 = hashlib.sha256()

    def _is_same_file(self, response: httpx.Response) -> bool:
        if self._validator is None or not _is_plain(response):
            return False
        name = "etag" if self._validator.startswith('"') else "last-modified"
        return response.headers.get(name) in (None, self._validator)

    def _write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._file.flush()
        self._sha256.update(chunk)
        self.size += len(chunk)

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            raise LimitExceeded(
                f"The download has at least {size} bytes, and {self._limit} are allowed.",
                next_step="Fetch a smaller file, or raise the limit if this one is trusted.",
            )


class Herald:
    """Tells how far a download has come, but not at every piece of it."""

    def __init__(self, progress: Progress | None, timing: Timing) -> None:
        self._progress = progress
        self._clock = timing.clock
        self._told_at = float("-inf")

    async def tell(self, arrival: Arrival, *, done: bool = False) -> None:
        if self._progress and (done or self._clock() - self._told_at >= _PROGRESS_EVERY_S):
            self._told_at = self._clock()
            await self._progress(arrival.size, arrival.total)


@contextmanager
def receiving(target: Path) -> Iterator[BinaryIO]:
    """A file to write into, which takes the place of `target` when all went well."""
    with replacing(target) as temporary, temporary.open("wb") as file:
        yield file


async def receive(
    call: Call, response: httpx.Response, arrival: Arrival, herald: Herald, wall_clock_s: float
) -> Failure | None:
    """Take what this answer brings; None means that the file is now whole."""
    if failure := await _refusal(call, response, arrival, wall_clock_s):
        return failure
    try:
        async for chunk in response.aiter_bytes():
            await arrival.take(chunk)
            await herald.tell(arrival)
    except httpx.DecodingError:
        return _bad(call, "is not packed as it claims to be", again=False)
    except httpx.TransportError:
        return _bad(call, f"broke off after {arrival.size} bytes", again=True)
    if missing := arrival.shortfall(response):
        return _bad(call, missing, again=True)
    difference = arrival.mismatch()
    return _bad(call, difference, again=False) if difference else None


async def _refusal(call: Call, response: httpx.Response, arrival: Arrival, wall_clock_s: float) -> Failure | None:
    status, asked = response.status_code, bool(arrival.resume_headers())
    if asked and status in (_PARTIAL, _RANGE_NOT_SATISFIABLE):
        return None if arrival.resume(response) else _bad(call, "could not go on where it broke off", again=True)
    if not is_success(response):
        return status_failure(call, response, await read_error(response), wall_clock_s)
    if status != _OK:
        return _bad(call, f"was answered with {status} and no whole file", again=False)
    if not is_decodable(response):
        return _bad(call, "is packed in a way that cannot be read", again=False)
    arrival.begin(response)
    if not arrival.is_measurable(response):
        return _bad(call, "comes without its length, so that nobody would notice if it broke off", again=False)
    return None


def _bad(call: Call, what: str, *, again: bool) -> Failure:
    message = f"The download of {shown_url(call.url)} from {call.service.name} {what}."
    return Failure(call.failed(BadAnswer, message, next_step="Try again later, or fetch a new link."), again=again)


def _is_plain(response: httpx.Response) -> bool:
    return response.headers.get("content-encoding", "identity").lower() in ("", "identity")


def _declared_size(response: httpx.Response) -> int | None:
    if "transfer-encoding" in response.headers:
        return None
    found = _SIZE.fullmatch(response.headers.get("content-length", ""))
    return int(found[0]) if found else None


def _validator(response: httpx.Response) -> str | None:
    """What tells this content from a later one. Weak tags do not promise the same bytes."""
    if response.headers.get("accept-ranges", "").lower() == "none":
        return None
    tag, modified = response.headers.get("etag", ""), response.headers.get("last-modified", "")
    return str(tag) if tag.startswith('"') else str(modified) or None
