"""The way in: one client for each service."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self, Unpack

from perfsuite.http.models import Answer, Downloaded, Json, Options, Progress
from perfsuite.http.retry import Timing
from perfsuite.http.service import Service
from perfsuite.http.settings import HttpSettings

if TYPE_CHECKING:
    import httpx

    from perfsuite.http.engine import Engine


class ApiClient:
    """Speaks JSON with one service.

    A request is tried once and then up to three times more after a 429, a 5xx or a broken connection, all within one
    deadline. One that is not idempotent is sent again only if it never arrived or was answered 429.
    """

    def __init__(
        self,
        service: Service,
        settings: HttpSettings | None = None,
        *,
        transport: "httpx.AsyncBaseTransport | None" = None,
        timing: Timing | None = None,
    ) -> None:
        self.service = service
        self._settings = settings or HttpSettings()
        self._timing = timing or Timing()
        self._transport = transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give back the connections."""
        if "_engine" in self.__dict__:
            await self._engine.aclose()

    async def get(self, path: str, **options: Unpack[Options]) -> Json:
        return (await self.request("GET", path, **options)).body

    async def post(self, path: str, **options: Unpack[Options]) -> Json:
        return (await self.request("POST", path, **options)).body

    async def put(self, path: str, **options: Unpack[Options]) -> Json:
        return (await self.request("PUT", path, **options)).body

    async def patch(self, path: str, **options: Unpack[Options]) -> Json:
        return (await self.request("PATCH", path, **options)).body

    async def delete(self, path: str, **options: Unpack[Options]) -> Json:
        return (await self.request("DELETE", path, **options)).body

    async def request(self, method: str, path: str, **options: Unpack[Options]) -> Answer:
        """The answer with its status and headers; a 204 has the body None."""
        from perfsuite.http.calls import build_call

        call = build_call(self.service, method, path, options)
        return await self._engine.answer(
            call, deadline_s=options.get("deadline_s"), expected=options.get("expected", ())
        )

    def link(self, href: str) -> str:
        """The whole address of a link that stood in an answer, resolved as a browser would."""
        from perfsuite.http.calls import build_link

        return str(build_link(self.service, href))

    async def download(
        self,
        link: str,
        target: Path,
        *,
        max_bytes: int,
        expected_sha256: str | None = None,
        progress: Progress | None = None,
        deadline_s: float | None = None,
    ) -> Downloaded:
        """Fetch a file, resolved as `link` does; `target` is replaced when all of it is there, and not before."""
        from perfsuite.http.calls import build_call

        return await self._engine.download(
            build_call(self.service, "GET", self.link(link), {}),
            target,
            max_bytes=max_bytes,
            expected_sha256=expected_sha256,
            progress=progress,
            deadline_s=deadline_s,
        )

    @cached_property
    def _engine(self) -> "Engine":
        from perfsuite.http.engine import Engine

        return Engine(self._settings, self._timing, self._transport)
