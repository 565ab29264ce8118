"""The pages of testers: which faults there are, what was asked, and what the answers rest on."""

from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from perfsuite.errors import PerfsuiteError
from perfsuite.sandbox.serving import NAMES
from perfsuite.sandbox.standins.application import Backstage
from perfsuite.sandbox.standins.faults import EVERYWHERE, fault_of
from perfsuite.sandbox.standins.visits import parsed, read_body


def control_app(backstage: Backstage) -> Starlette:
    """The pages, whose names begin with an underscore."""
    pages = _Pages(backstage)
    routes = [
        Route("/_faults", pages.faults, methods=["GET"]),
        Route("/_faults", pages.switch_on, methods=["POST"]),
        Route("/_faults", pages.switch_off, methods=["DELETE"]),
        Route("/_requests", pages.requests, methods=["GET"]),
        Route("/_requests", pages.forget, methods=["DELETE"]),
        Route("/_routes", pages.routes, methods=["GET"]),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(NAMES), www_redirect=False)],
        exception_handlers={PerfsuiteError: _refused},
    )


class _Pages:
    def __init__(self, backstage: Backstage) -> None:
        self._backstage = backstage

    async def faults(self, _: Request) -> JSONResponse:
        return JSONResponse({"faults": self._backstage.faults.told()})

    async def switch_on(self, request: Request) -> JSONResponse:
        """Such as `{"route": "blazemeter.summary", "kind": "too_many", "times": 2}`."""
        values = parsed(await read_body(request))
        if not isinstance(values, dict) or not isinstance(values.get("route"), str):
            raise HTTPException(400, "the body is a JSON object with `route` and `kind`")
        self._backstage.faults.switch_on(values.pop("route"), fault_of(values))
        return JSONResponse({"faults": self._backstage.faults.told()}, 201)

    async def switch_off(self, request: Request) -> JSONResponse:
        asked = request.query_params
        ended = self._backstage.faults.switch_off(asked.get("route", "*"), asked.get("kind", "*"))
        return JSONResponse({"ended": ended, "faults": self._backstage.faults.told()})

    async def requests(self, request: Request) -> JSONResponse:
        return JSONResponse({"requests": self._backstage.journal.told(request.query_params.get("route", ""))})

    async def forget(self, _: Request) -> JSONResponse:
        self._backstage.journal.forget()
        return JSONResponse({"requests": []})

    async def routes(self, _: Request) -> JSONResponse:
        found: list[dict[str, Any]] = [asdict(route) for route in self._backstage.routes]
        return JSONResponse({"everywhere": EVERYWHERE, "routes": found})


def _refused(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)
