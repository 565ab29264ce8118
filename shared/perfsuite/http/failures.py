"""What an error of the transport, or a status other than 2xx, means to whoever asked."""

import json
import re
import ssl
from collections.abc import Iterator

import httpx

from perfsuite.errors import AccessDenied, NotFound, PerfsuiteError, RateLimited, RemoteError, Unreachable
from perfsuite.http.calls import Call
from perfsuite.http.redaction import excerpt, excerpt_about
from perfsuite.http.retry import Failure
from perfsuite.http.waits import asked_wait_s

# Raised before the first byte of a request is written. A reset or a read timeout is not among them.
_NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_REASONS: dict[type[httpx.TransportError], str] = {
    httpx.ConnectTimeout: "no connection came about in time",
    httpx.PoolTimeout: "too many other requests are under way",
    httpx.ReadTimeout: "it took the request and did not answer in time",
    httpx.WriteTimeout: "it did not take the request in time",
    httpx.ConnectError: "no connection came about",
    httpx.ProxyError: "the proxy refused",
}
_BROKEN = "the connection broke off"
_NETWORK = "Check the address, the network and the proxy settings (HTTPS_PROXY, NO_PROXY), then try again."
_CERTIFICATE = "If your network has a certificate authority of its own, name its PEM file in PERFSUITE_CA_BUNDLE."
_ACCESS = frozenset({401, 403})
_NOT_FOUND = 404
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,200})", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,1000}>")


def transport_failure(call: Call, error: httpx.TransportError) -> Failure:
    """The failure of a try that brought no answer."""
    if certificate := _certificate_problem(error):
        message = f"{call.service.name} was not asked {call}: {certificate}."
        return Failure(call.failed(Unreachable, message, next_step=_CERTIFICATE, untouched=True), again=False)
    arrived = not isinstance(error, _NEVER_ARRIVED)
    reason = _REASONS.get(type(error), _BROKEN)
    detail = f" ({excerpt(str(error))})" if not arrived and str(error) else ""
    message = f"{call.service.name} did not answer {call}: {reason}{detail}."
    failed = call.failed(Unreachable, message, next_step=_NETWORK, untouched=not arrived)
    return Failure(failed, again=call.idempotent or not arrived)


def late_failure(call: Call, *, used_up: str | None = None, unsent: bool = False) -> Failure:
    """The failure of a try that the deadline cut off. `used_up` is what took the time, if it was more than this."""
    name = call.service.name
    what = f"{name} was not asked {call}" if unsent else f"{name} did not finish answering {call}"
    message = f"{what} before the deadline." + (f" {used_up}" if used_up else "")
    next_step = "Ask for less, or try again later."
    return Failure(call.failed(Unreachable, message, next_step=next_step, untouched=unsent), again=False)


def status_failure(call: Call, response: httpx.Response, body: bytes, wall_clock_s: float) -> Failure:
    """The failure that a status other than 2xx is."""
    status = response.status_code
    kind, next_step = _meaning(call, status)
    # Storage repeats the signature of a link in its errors, and we know only our own services' words to be harmless.
    words = excerpt_about(call.url, _words(body)) if call.stays_home else ""
    message = f"{call.service.name} answered {call} with {status}." + (f" It says: {words!r}." if words else "")
    asked_s = asked_wait_s(status, response.headers, wall_clock_s)
    unfinished = status >= _SERVER_ERROR
    return Failure(
        call.failed(kind, message, next_step=next_step, untouched=not unfinished),
        again=status == _TOO_MANY_REQUESTS or (unfinished and call.idempotent),
        asked_s=asked_s if unfinished or status == _TOO_MANY_REQUESTS else None,
    )


def _meaning(call: Call, status: int) -> tuple[type[PerfsuiteError], str]:
    if status in _ACCESS and not call.stays_home:
        return AccessDenied, "The link may have run out: fetch a new one from the service, then try again."
    if status in _ACCESS:
        return AccessDenied, call.service.access_hint
    if status == _NOT_FOUND:
        return NotFound, "Check the id and that the credentials may see it."
    if status == _TOO_MANY_REQUESTS:
        return RateLimited, "Wait a minute, then try again with fewer requests."
    if status >= _SERVER_ERROR:
        return RemoteError, "The fault is on the service's side: try again later."
    return RemoteError, "Check what was asked for."


def _words(body: bytes) -> str:
    """What the service has to say, from the shapes that BlazeMeter, Datadog, Confluence and proxies use."""
    text = body.decode("utf-8", "replace")
    try:
        said = list(_messages(json.loads(text), depth=0))
    except (ValueError, RecursionError):
        title = _TITLE.search(text)
        return title[1] if title else _TAG.sub(" ", text)
    return "; ".join(said) or text


def _messages(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value[:3]:
            yield from _messages(item, depth)
    elif isinstance(value, dict) and depth < 3:
        for key in ("errors", "error", "message", "title", "detail", "reason"):
            yield from _messages(value.get(key), depth + 1)


def _certificate_problem(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate was not accepted ({excerpt(error.verify_message)})"
        error = error.__cause__ or error.__context__
    return None
