"""The smallest stand-in: a bell that counts how often it was rung."""

from typing import Any, ClassVar, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from perfsuite.sandbox.standins.application import StandIn
from perfsuite.sandbox.standins.faults import Fault
from perfsuite.sandbox.standins.journal import Credentials
from perfsuite.sandbox.standins.routes import RouteTable
from perfsuite.sandbox.standins.visits import Visit

KEY: Final = {"X-Key": "sandbox-key"}
_TABLE: Final[RouteTable["Bell"]] = RouteTable("bell", "/v1")
_TOWER: Final[RouteTable["Bell"]] = RouteTable("bell")


class Bell(StandIn):
    tables: ClassVar[tuple[RouteTable[Any], ...]] = (_TABLE, _TOWER)

    rung = 0

    def credentials(self, request: Request) -> Credentials:
        key = request.headers.get("x-key")
        return "none" if key is None else "right" if key == KEY["X-Key"] else "wrong"

    def failure(self, status: int, message: str, *, http_status: int | None = None) -> Response:
        return JSONResponse({"error": message, "code": status}, http_status or status)

    def too_many(self, fault: Fault) -> Response:
        return JSONResponse({"error": "too often"}, 429, {"Retry-After": str(fault.seconds)})


@_TABLE.route("POST", "/ring/{tone}", name="ring", evidence="recorded", faults=("cracked",))
async def ring(bell: Bell, visit: Visit) -> Response:
    bell.rung += 1
    tone = "clonk" if visit.fault("cracked") else visit.part("tone")
    return JSONResponse({"tone": tone, "times": visit.json().get("times", 1), "pause": visit.number("pause", 0)})


@_TOWER.route("GET", "/view", name="view", evidence="inferred", is_open=True)
async def view(_: Bell, __: Visit) -> Response:
    return PlainTextResponse("hills" * 2000)
