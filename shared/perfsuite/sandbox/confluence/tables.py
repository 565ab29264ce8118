"""The routes of both flavours. The modules with the handlers fill them."""

import json
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from perfsuite.sandbox.confluence.refusals import (
    Refusal,
    refused_onprem,
    refused_page,
    refused_v1_cloud,
    refused_v2,
)
from perfsuite.sandbox.standins.evidence import Evidence
from perfsuite.sandbox.standins.routes import Handler, RouteTable
from perfsuite.sandbox.standins.visits import Visit, parsed

if TYPE_CHECKING:
    from perfsuite.sandbox.confluence.standin import ConfluenceStandIn

MISSING_SCOPE: Final = "missing_scope"
_SCOPE: Final = "Unauthorized; scope does not match"


class Api:
    """A part of the routes of a flavour, with one way to refuse."""

    def __init__(
        self,
        table: "RouteTable[ConfluenceStandIn]",
        prefix: str,
        refused: Callable[[Refusal], Response],
        faults: tuple[str, ...] = (),
    ) -> None:
        self._table = table
        self._prefix = prefix
        self._refused = refused
        self._faults = faults

    def route(
        self,
        method: str,
        path: str,
        *,
        name: str,
        evidence: Evidence,
        note: str = "",
        faults: tuple[str, ...] = (),
        is_open: bool = False,
    ) -> "Callable[[Handler[ConfluenceStandIn]], Handler[ConfluenceStandIn]]":
        """Have a function answer these requests. It may do so in both flavours."""
        declare = self._table.route(
            method, f"{self._prefix}{path}", name=name, evidence=evidence, note=note,
            faults=(*faults, *self._faults), is_open=is_open,
        )  # fmt: skip

        def declared(handler: "Handler[ConfluenceStandIn]") -> "Handler[ConfluenceStandIn]":
            declare(self._refusing(handler))
            self._sort()
            return handler

        return declared

    def _refusing(self, handler: "Handler[ConfluenceStandIn]") -> "Handler[ConfluenceStandIn]":
        @wraps(handler)
        async def answered(standin: "ConfluenceStandIn", visit: Visit) -> Response:
            if visit.fault(MISSING_SCOPE):
                raise HTTPException(401, _SCOPE)
            try:
                _check_text(visit)
                return await handler(standin, visit)
            except HTTPException as error:
                return self._refused(Refusal(error.status_code, error.detail))
            except Refusal as refusal:
                return self._refused(refusal)

        return answered

    def _sort(self) -> None:
        """Paths with fewer parts to fill in come first, because `/content/{id}` would take `/content/search` too."""
        self._table.handlers = dict(sorted(self._table.handlers.items(), key=lambda item: item[0].path.count("{")))


def _check_text(visit: Visit) -> None:
    """JSON can hold half of a character, which no answer could hold then."""
    if b"\\ud" in visit.body.lower():
        try:
            json.dumps(parsed(visit.body), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Refusal(400, "The body holds half of a character") from None


CLOUD: "Final[RouteTable[ConfluenceStandIn]]" = RouteTable("confluence.cloud")
ONPREM: "Final[RouteTable[ConfluenceStandIn]]" = RouteTable("confluence.onprem")
V2: Final = Api(CLOUD, "/wiki/api/v2", refused_v2, (MISSING_SCOPE,))
CLOUD_V1: Final = Api(CLOUD, "/wiki/rest/api", refused_v1_cloud, (MISSING_SCOPE,))
CLOUD_PAGES: Final = Api(CLOUD, "", refused_page)
ONPREM_V1: Final = Api(ONPREM, "/rest/api", refused_onprem)
ONPREM_PAGES: Final = Api(ONPREM, "", refused_page)
