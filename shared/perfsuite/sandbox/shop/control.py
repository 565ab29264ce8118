"""What testers see: the truth, the metrics, and the switches of the faults."""

import math
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from perfsuite.errors import PerfsuiteError
from perfsuite.sandbox.serving import NAMES
from perfsuite.sandbox.shop.faults import KINDS, fault_of
from perfsuite.sandbox.shop.meter import BUCKETS_S, iso
from perfsuite.sandbox.shop.pages import Pages, read_json
from perfsuite.sandbox.shop.service import Shop

_USUAL_THINK_MS: Final = 200.0
_MOST_BUCKETS: Final = 3_600


class Control:
    """The pages whose names begin with an underscore."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        return [
            Route("/_truth", self.truth, methods=["GET"]),
            Route("/_metrics", self.metrics, methods=["GET"]),
            Route("/_faults", self.faults, methods=["GET"]),
            Route("/_faults", self.switch_on, methods=["POST"]),
            Route("/_faults", self.end, methods=["DELETE"]),
            Route("/_faults/{kind}", self.end, methods=["DELETE"]),
        ]

    async def truth(self, request: Request) -> JSONResponse:
        return JSONResponse(self._shop.truth(_number(request, "think_ms", _USUAL_THINK_MS)))

    async def metrics(self, request: Request) -> JSONResponse:
        """The buckets between `from` and `to`, the latest ones where there are too many."""
        now = self._shop.clock.now()
        width = _number(request, "bucket_s", BUCKETS_S[0])
        if width not in BUCKETS_S:
            raise HTTPException(400, f"bucket_s is one of {', '.join(map(str, BUCKETS_S))}")
        begin, end = _number(request, "from", 0), _number(request, "to", now)
        found = self._shop.meter.buckets(now, int(width), begin, end)
        shown = found[-_MOST_BUCKETS:]
        spec = self._shop.spec
        hosts = {
            name: {"workers": spec.workers_of(number), "memory_mb": spec.memory_mb}
            for number, name in enumerate(spec.host_names)
        }
        return JSONResponse(
            {
                "now": iso(now),
                "bucket_s": int(width),
                "hosts": hosts,
                "total": len(found),
                "has_more": len(shown) < len(found),
                "buckets": [self._shop.meter.bucket(start, int(width)) for start in shown],
            }
        )

    async def faults(self, _: Request) -> JSONResponse:
        return JSONResponse(self._told())

    async def switch_on(self, request: Request) -> JSONResponse:
        period = self._shop.switch_on(fault_of(await read_json(request)))
        return JSONResponse(self._shop.told(period), 201)

    async def end(self, request: Request) -> JSONResponse:
        kind = request.path_params.get("kind")
        if kind is not None and kind not in KINDS:
            raise HTTPException(404, f"a fault is one of {', '.join(KINDS)}")
        return JSONResponse({"ended": self._shop.end_faults(kind), **self._told()})

    def _told(self) -> dict[str, Any]:
        return {"kinds": KINDS, "faults": [self._shop.told(period) for period in self._shop.faults.periods]}


def shop_app(shop: Shop) -> Starlette:
    """The shop as shoppers and testers reach it."""
    return _app(Pages(shop).routes() + Control(shop).routes())


def control_app(shop: Shop) -> Starlette:
    """The testers' part alone, which answers even while the shop is down."""
    return _app(Control(shop).routes())


def _app(routes: list[Route]) -> Starlette:
    return Starlette(
        routes=routes,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(NAMES), www_redirect=False)],
        exception_handlers={HTTPException: _failed, PerfsuiteError: _refused},
    )


def _failed(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def _refused(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


def _number(request: Request, name: str, default: float) -> float:
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise HTTPException(400, f"{name} is a number, not {text[:80]!r}")
    return value
