"""Sending: the httpx client, one try after another, and the redirects of each."""

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TypeVar

import anyio
import httpx

from perfsuite.errors import BadSettings
from perfsuite.http.answers import read_answer
from perfsuite.http.calls import LOCATION, Call, Route
from perfsuite.http.download import Arrival, Herald, receive, receiving
from perfsuite.http.failures import late_failure, transport_failure
from perfsuite.http.models import Answer, Downloaded, Progress
from perfsuite.http.redaction import excerpt, mute_libraries
from perfsuite.http.retry import Budget, Failure, Timing
from perfsuite.http.settings import HttpSettings

T = TypeVar("T")

_log = logging.getLogger("perfsuite.http")


class Engine:
    """What `ApiClient` runs on; it is made at the first request."""

    def __init__(self, settings: HttpSettings, timing: Timing, transport: httpx.AsyncBaseTransport | None) -> None:
        mute_libraries()
        self._settings = settings
        self._timing = timing
        self._http = _client(settings, transport)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def answer(self, call: Call, *, deadline_s: float | None, expected: Collection[int]) -> Answer:
        route = Route(call)
        budget = Budget(self._timing, deadline_s or self._settings.deadline_s)

        async def attempt() -> Answer | Failure:
            headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
            return await self._exchange(route, budget, headers, read)

        async def read(call: Call, response: httpx.Response) -> Answer | Failure:
            limit, now = self._settings.max_answer_bytes, self._timing.wall_clock()
            return await read_answer(call, response, limit=limit, expected=expected, wall_clock_s=now)

        began = self._timing.clock()
        found = await budget.run(attempt, lambda: _late(route, budget))
        budget.answered(self._timing.clock() - began, str(call))
        return found

    async def download(
        self,
        call: Call,
        target: Path,
        *,
        max_bytes: int,
        expected_sha256: str | None,
        progress: Progress | None,
        deadline_s: float | None,
    ) -> Downloaded:
        route = Route(call)
        budget = Budget(self._timing, deadline_s or self._settings.download_deadline_s)
        herald = Herald(progress, self._timing)
        with receiving(target) as file:
            arrival = Arrival(file, limit=max_bytes, expected_sha256=expected_sha256)

            async def attempt() -> Failure | None:
                headers = {"Accept": "*/*", "Accept-Encoding": "identity", **arrival.resume_headers()}
                return await self._exchange(route, budget, headers, read)

            async def read(call: Call, response: httpx.Response) -> Failure | None:
                return await receive(call, response, arrival, herald, self._timing.wall_clock())

            await budget.run(attempt, lambda: _late(route, budget))
            await herald.tell(arrival, done=True)
            return await arrival.finish(target)

    async def _exchange(
        self,
        route: Route,
        budget: Budget,
        headers: dict[str, str],
        read: Callable[[Call, httpx.Response], Awaitable[T | Failure]],
    ) -> T | Failure:
        """One try: send, follow redirects, read. The next try begins where the redirects of this one have led."""
        try:
            while True:
                async with self._sent(route.call, budget, headers) as response:
                    _log.debug("%s answered %s with %d.", route.call.service.name, route.call, response.status_code)
                    if not route.leads_on(response):
                        return await read(route.call, response)
        except httpx.TransportError as error:
            return transport_failure(route.call, error)

    @asynccontextmanager
    async def _sent(self, call: Call, budget: Budget, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        request = self._http.build_request(
            call.method,
            call.url,
            content=call.content,
            headers={**headers, **call.sent_headers()},
            timeout=min(self._settings.timeout_s, budget.left_s()),
        )
        response = await self._http.send(request, stream=True)
        try:
            yield response
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()


def _late(route: Route, budget: Budget) -> Failure:
    return late_failure(route.call, used_up=budget.used_up, unsent=not budget.tries)


def _client(settings: HttpSettings, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            transport=transport,
            verify=True if transport else _tls(settings),
            # No cookies at all: the jar would send them to every port of a host.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": "perfsuite"},
            event_hooks={"response": [_hide_redirect]},
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise BadSettings(
            f"The proxy that the environment names cannot be used: {excerpt(str(error))}.",
            next_step="Set HTTP_PROXY, HTTPS_PROXY and ALL_PROXY to http://host:port, or unset them.",
        ) from None


async def _hide_redirect(response: httpx.Response) -> None:
    """Keep httpx from preparing to follow a redirect: it would, even when told not to, and stumble over bad ones."""
    if response.has_redirect_location:
        response.extensions[LOCATION] = response.headers.pop("location")


def _tls(settings: HttpSettings) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    if settings.ca_bundle is not None:
        try:
            context.load_verify_locations(cafile=settings.ca_bundle)
        except OSError as error:
            raise BadSettings(
                f"PERFSUITE_CA_BUNDLE names {str(settings.ca_bundle)!r}, which cannot be used: {excerpt(str(error))}.",
                next_step="Point it at a readable PEM file with at least one certificate.",
            ) from None
    return context
