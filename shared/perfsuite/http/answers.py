"""Reading a JSON answer, and saying what came when it is something else."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, NoReturn

import httpx

from perfsuite.errors import BadAnswer
from perfsuite.http.calls import Call
from perfsuite.http.failures import status_failure
from perfsuite.http.models import Answer, Json
from perfsuite.http.redaction import excerpt
from perfsuite.http.retry import Failure

_NO_CONTENT = frozenset({204, 205})
_LONGEST_ERROR = 64 * 1024
_NEXT = "Check the base address, and that no proxy or login page stands in between."


@dataclass(frozen=True)
class _Body:
    content: bytes
    end: Literal["whole", "too long", "broken off", "undecodable"]


def is_success(response: httpx.Response, expected: Collection[int] = ()) -> bool:
    return response.status_code in expected or 200 <= response.status_code < 300


def is_decodable(response: httpx.Response) -> bool:
    """Whether it is packed at most once. Gzip in gzip in gzip turns one kilobyte into a gigabyte in a single step."""
    return response.headers.get("content-encoding", "identity").lower() in ("", "identity", "gzip", "x-gzip", "deflate")


async def read_answer(
    call: Call, response: httpx.Response, *, limit: int, expected: Collection[int], wall_clock_s: float
) -> Answer | Failure:
    """The parsed answer, or the failure that it is."""
    success = is_success(response, expected)
    body = await _read(response, limit if success else min(limit, _LONGEST_ERROR))
    if not success:
        return status_failure(call, response, body.content, wall_clock_s)
    if response.status_code in _NO_CONTENT:
        return Answer(response.status_code, dict(response.headers), None)
    if found := _wrong_body(response, body, limit):
        return _bad_answer(call, response, found, again=body.end == "broken off" and call.idempotent)
    try:
        parsed: Json = json.loads(body.content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return _bad_answer(call, response, _wrong_json(body.content, error), again=_is_cut(error) and call.idempotent)
    return Answer(response.status_code, dict(response.headers), parsed)


async def read_error(response: httpx.Response) -> bytes:
    """The beginning of an error's body."""
    return (await _read(response, _LONGEST_ERROR)).content


async def _read(response: httpx.Response, limit: int) -> _Body:
    if not is_decodable(response):
        return _Body(b"", "undecodable")
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > limit:
                return _Body(bytes(content[:limit]), "too long")
    except httpx.DecodingError:
        return _Body(bytes(content), "undecodable")
    except httpx.TransportError:
        return _Body(bytes(content), "broken off")
    return _Body(bytes(content), "whole")


def _wrong_body(response: httpx.Response, body: _Body, limit: int) -> str | None:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    match body.end:
        case "too long":
            return f"more than {limit} bytes"
        case "broken off":
            return f"an answer that broke off after {len(body.content)} bytes"
        case "undecodable":
            return f"content packed in a way that cannot be read ({excerpt(response.headers['content-encoding'])!r})"
    if not body.content.strip():
        return "nothing"
    if kind and kind not in ("application/json", "text/json") and not kind.endswith("+json"):
        return f"{excerpt(kind)!r} ({len(body.content)} bytes)"
    return None


def _wrong_json(content: bytes, error: Exception) -> str:
    if _is_cut(error):
        return f"JSON that breaks off after {len(content)} bytes"
    return f"no JSON ({excerpt(str(error))})"


def _is_cut(error: Exception) -> bool:
    """Whether the text ended too early, which another try may put right."""
    return isinstance(error, json.JSONDecodeError) and (
        not error.doc[error.pos :].strip() or error.msg.startswith("Unterminated string")
    )


def _bad_answer(call: Call, response: httpx.Response, found: str, *, again: bool) -> Failure:
    message = f"{call.service.name} answered {call} with {response.status_code} and {found}, where JSON was expected."
    return Failure(call.failed(BadAnswer, message, next_step=_NEXT), again=again)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
