"""A stand-in as a web application: who asks, what goes wrong, what is answered, and what is remembered of it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, ClassVar, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.serving import NAMES
from perfsuite.sandbox.standins.breaking import Shortened, cut
from perfsuite.sandbox.standins.faults import Fault, Faults
from perfsuite.sandbox.standins.journal import Credentials, Journal, Received, without_secrets
from perfsuite.sandbox.standins.routes import RouteTable, StandInRoute
from perfsuite.sandbox.standins.visits import LONGEST_BODY, Visit, parsed, read_body

UNKNOWN: Final = "unknown"
_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_PAGE: Final = "<!DOCTYPE html><title>Maintenance</title><h1>We will be back soon</h1>"


@dataclass(frozen=True)
class Backstage:
    """What testers see and change while a stand-in answers. Several stand-ins may share one."""

    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    clock: Clock = field(default_factory=Clock.real)
    routes: list[StandInRoute] = field(default_factory=list)


class StandIn(ABC):
    """A service that answers as another one would."""

    tables: ClassVar[tuple[RouteTable[Any], ...]]
    """One per host name that the service has; the first is the one that clients are told."""
    longest_body: ClassVar[int] = LONGEST_BODY

    def __init__(self, backstage: Backstage | None = None) -> None:
        self.backstage = backstage or Backstage()
        for table in self.tables:
            self.backstage.faults.know({route.name: route.faults for route in table.routes})
            self.backstage.routes.extend(table.routes)

    @property
    def clock(self) -> Clock:
        return self.backstage.clock

    @property
    def faults(self) -> Faults:
        return self.backstage.faults

    @property
    def journal(self) -> Journal:
        return self.backstage.journal

    @abstractmethod
    def credentials(self, request: Request) -> Credentials:
        """Whether the request carries the right ones."""

    @abstractmethod
    def failure(self, status: int, message: str, *, http_status: int | None = None) -> Response:
        """An error as the service words it. The HTTP status differs from what the body says where it is given."""

    @abstractmethod
    def too_many(self, fault: Fault) -> Response:
        """The answer to somebody who asked too often."""

    def app(self, table: int = 0) -> Starlette:
        """The application of one host name."""
        routes = [
            Route(route.path, _Endpoint(self, route, handler), methods=[route.method])
            for route, handler in self.tables[table].handlers.items()
        ]
        unknown = StandInRoute(UNKNOWN, "*", "/{path:path}", "inferred")
        names = Middleware(TrustedHostMiddleware, allowed_hosts=list(NAMES), www_redirect=False)
        return Starlette(
            routes=[*routes, Route(unknown.path, _Endpoint(self, unknown, _not_found), methods=_METHODS)],
            middleware=[names],
        )


async def _not_found(_: StandIn, __: Visit) -> Response:
    raise HTTPException(404, "Not Found")


class _Endpoint:
    """One route of a stand-in."""

    def __init__(
        self, standin: StandIn, route: StandInRoute, handler: Callable[[Any, Visit], Awaitable[Response]]
    ) -> None:
        self._standin = standin
        self._route = route
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await read_body(request, self._standin.longest_body)
        visit = Visit(request, body, self._standin.faults.met_on(self._route.name))
        received = self._received(visit)
        self._standin.journal.add(received)
        response = await self._response(visit, received.credentials)
        if visit.fault("lost_answer"):
            await cut(scope, receive)
            return
        shown = time.time() + self._standin.clock.ahead_s
        await response(scope, receive, _noting(received, _dated(shown, _shortening(visit, send))))
        if visit.fault("reset"):
            await cut(scope, receive)

    def _received(self, visit: Visit) -> Received:
        request = visit.request
        return Received(
            route=self._route.name,
            method=request.method,
            path=request.url.path,
            query=without_secrets(request.query_params.multi_items()),
            body=parsed(visit.body),
            header_names=tuple(request.headers),
            credentials=self._standin.credentials(request),
            at=self._standin.clock.now(),
            met=tuple(fault.kind for fault in visit.faults),
        )

    async def _response(self, visit: Visit, credentials: Credentials) -> Response:
        if slow := visit.fault("slow"):
            await self._standin.clock.sleep(slow.seconds)
        if credentials != "right" and not self._route.is_open:
            return self._standin.failure(401, "Unauthorized")
        try:
            return self._instead(visit) or await self._handler(self._standin, visit)
        except HTTPException as error:
            return self._standin.failure(error.status_code, error.detail)

    def _instead(self, visit: Visit) -> Response | None:
        """What is answered before anything is done."""
        for fault in visit.faults:
            match fault.kind:
                case "too_many":
                    return self._standin.too_many(fault)
                case "server_error":
                    return self._standin.failure(fault.status, "Internal error")
                case "error_in_200":
                    return self._standin.failure(fault.status, "Something went wrong", http_status=200)
                case "wrong_type":
                    return HTMLResponse(_PAGE)
        return None


def _shortening(visit: Visit, send: Send) -> Send:
    short = visit.fault("reset") or visit.fault("truncated")
    return Shortened(send, short) if short else send


def _dated(shown: float, send: Send) -> Send:
    """The answer with the time that the service has."""
    date = (b"date", formatdate(shown, usegmt=True).encode())

    async def dated(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], date]}
        await send(message)

    return dated


def _noting(received: Received, send: Send) -> Send:
    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            received.status = message["status"]
        await send(message)

    return noted
