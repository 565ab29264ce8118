"""The protocol over HTTP, on request: for this machine alone, or for whoever has the token."""

import hmac
import ipaddress
import socket
import sys

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from perfsuite.errors import BadInput, Refused
from perfsuite.mcp.launch import Options
from perfsuite.mcp.server import SuiteServer

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TO_STOP_S = 3


async def serve_http(server: SuiteServer, options: Options, token: SecretStr | None) -> None:
    """Listen until this process is told to stop."""
    if token is None and not is_loopback(options.host):
        raise Refused(
            f"Without a token, this server does not listen on {options.host!r}, where other machines reach it.",
            next_step="Set PERFSUITE_HTTP_TOKEN, or listen on 127.0.0.1.",
        )
    listener = _listener(options)
    address = _url_host(options.host)
    app: ASGIApp = server.streamable_http_app(transport_security=allowed(options))
    if token is not None:
        app = BearerGuard(app, token)
    sys.stderr.write(f"Listening on http://{address}:{listener.getsockname()[1]}/mcp\n")
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=_TO_STOP_S)
    await uvicorn.Server(config).serve(sockets=[listener])


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed(options: Options) -> TransportSecuritySettings:
    """The names by which clients may call: a page on the web must not reach this server by a name of its own."""
    hosts = [_url_host(host) for host in {*_LOOPBACK, options.host, *options.allowed_hosts}]
    named = [form for host in hosts for form in (host, f"{host}:*")]
    return TransportSecuritySettings(
        allowed_hosts=named, allowed_origins=[f"{scheme}://{name}" for name in named for scheme in ("http", "https")]
    )


class BearerGuard:
    """Lets through only requests that carry the token."""

    def __init__(self, app: ASGIApp, token: SecretStr) -> None:
        self._app = app
        self._expected = token.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_known(Headers(scope=scope).get("authorization", "")):
            return await self._app(scope, receive, send)
        answer = PlainTextResponse("The token is missing or wrong.", 401, {"WWW-Authenticate": "Bearer"})
        return await answer(scope, receive, send)

    def _is_known(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._expected)


def _listener(options: Options) -> socket.socket:
    try:
        family = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((options.host, options.port), family=family)
    except (OSError, OverflowError) as error:
        raise BadInput(
            f"Cannot listen on {options.host!r}, port {options.port}: {error}.",
            next_step="Choose another address by --host or --port; port 0 takes any that is free.",
        ) from None
    # Connections take this over; without it, every answer in two parts waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
