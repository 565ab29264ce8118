"""The routes of both host names. The modules with the handlers fill them."""

from typing import TYPE_CHECKING, Final

from perfsuite.sandbox.standins.routes import RouteTable

if TYPE_CHECKING:
    from perfsuite.sandbox.blazemeter.standin import BlazeMeterStandIn

PREFIX: Final = "/api/v4"
API: "Final[RouteTable[BlazeMeterStandIn]]" = RouteTable("blazemeter", PREFIX)
STORAGE: "Final[RouteTable[BlazeMeterStandIn]]" = RouteTable("blazemeter")
