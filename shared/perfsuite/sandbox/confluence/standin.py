"""Services that answer as Confluence does: one as in the cloud, one as on premises."""

import base64
import hmac
from abc import abstractmethod
from html import escape
from http import HTTPStatus
from typing import Any, ClassVar, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount

from perfsuite.sandbox.confluence.addresses import moment
from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.site import Site
from perfsuite.sandbox.confluence.spec import ConfluenceSpec, Flavour
from perfsuite.sandbox.confluence.tables import CLOUD, ONPREM
from perfsuite.sandbox.confluence.wiki import Attachment, Page, Space
from perfsuite.sandbox.standins.application import Backstage, StandIn
from perfsuite.sandbox.standins.faults import Fault
from perfsuite.sandbox.standins.journal import Credentials
from perfsuite.sandbox.standins.routes import RouteTable
from perfsuite.sandbox.standins.visits import Visit

GATEWAY: Final = "/ex/confluence"
_BURST: Final = 10
_LONGEST_ID: Final = 18
_REFUSED: Final = "Basic Authentication Failure - Reason : AUTHENTICATED_FAILED"


class ConfluenceStandIn(StandIn):
    """One site with its spaces, which stay for as long as the stand-in lives."""

    longest_body: ClassVar[int] = 32 * 1024 * 1024
    flavour: ClassVar[Flavour]

    def __init__(self, spec: ConfluenceSpec | None = None, backstage: Backstage | None = None) -> None:
        super().__init__(backstage)
        self.spec = (spec or ConfluenceSpec()).of(self.flavour)
        self.site = Site(self.spec, self.clock)

    def credentials(self, request: Request) -> Credentials:
        given = request.headers.get("authorization")
        if given is None:
            return "none"
        taken = [hmac.compare_digest(given.encode(), one.encode()) for one in self._accepted(request)]
        return "right" if any(taken) else "wrong"

    @abstractmethod
    def _accepted(self, request: Request) -> list[str]:
        """The headers that are as good as a login."""

    def space(self, key: str) -> Space:
        found = self.site.wiki.spaces.get(key)
        if found is None:
            raise Refusal(404, f"No space with key : {key}", "Not Found")
        return found

    def page(self, visit: Visit, *statuses: str) -> Page:
        """The page that the path names, if it has one of these states."""
        number = self._number(visit.part("id"))
        found = self.site.wiki.pages.get(number)
        if found is None or found.status not in (statuses or ("current", "draft", "archived")):
            raise Refusal(404, f"No content found with id: ContentId{{id={number}}}", "Not Found")
        return found

    def attachment(self, text: str) -> Attachment:
        """The attachment of an id, which may begin with `att`."""
        number = self._number(text.removeprefix("att"))
        found = self.site.wiki.attachments.get(number)
        if found is None or found.status != "current":
            raise Refusal(404, f"No content found with id: ContentId{{id={number}}}", "Not Found")
        return found

    def check_size(self, visit: Visit) -> None:
        if len(visit.body) > self.spec.body_limit:
            raise Refusal(413, f"The request is larger than {self.spec.body_limit} bytes")

    def _number(self, text: str) -> int:
        if not text.isdecimal() or len(text) > _LONGEST_ID:
            raise Refusal(
                400, f"Provided value {{{text[:80]}}} for 'id' is not the correct type. Expected type is long"
            )
        return int(text)


class CloudStandIn(ConfluenceStandIn):
    """A site of the cloud, and the gateway for tokens with scopes."""

    tables: ClassVar[tuple[RouteTable[Any], ...]] = (CLOUD,)
    flavour: ClassVar[Flavour] = "cloud"

    def app(self, table: int = 0) -> Starlette:
        site = super().app(table)
        return Starlette(routes=[Mount(f"{GATEWAY}/{{cloud_id}}", site), Mount("", site)])

    def _accepted(self, request: Request) -> list[str]:
        gateway = request.path_params.get("cloud_id")
        if gateway is None:
            return [_basic(self.spec.email, self.spec.api_token)]
        if gateway != self.spec.cloud_id:
            return []
        return [_basic(self.spec.email, self.spec.scoped_token), f"Bearer {self.spec.scoped_token}"]

    def failure(self, status: int, message: str, *, http_status: int | None = None) -> Response:
        """What stands before both versions of the API says this."""
        return JSONResponse({"code": status, "message": message}, http_status or status)

    def too_many(self, fault: Fault) -> Response:
        refused = self.failure(429, "Rate limit exceeded")
        refused.headers.update({
            "Retry-After": f"{fault.seconds:g}", "X-RateLimit-Limit": str(_BURST), "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": moment(self.clock.now() + fault.seconds),
        })  # fmt: skip
        return refused


class OnPremStandIn(ConfluenceStandIn):
    """A Data Center."""

    tables: ClassVar[tuple[RouteTable[Any], ...]] = (ONPREM,)
    flavour: ClassVar[Flavour] = "onprem"

    def app(self, table: int = 0) -> Starlette:
        site = super().app(table)
        return Starlette(routes=[Mount(self.spec.context_path, site)]) if self.spec.context_path else site

    def _accepted(self, request: Request) -> list[str]:
        return [f"Bearer {self.spec.pat}", _basic(self.spec.user, self.spec.password)]

    def failure(self, status: int, message: str, *, http_status: int | None = None) -> Response:
        """The servlet container says this, and it knows only pages."""
        said = _REFUSED if status == 401 else message
        text = f"HTTP Status {status} - {HTTPStatus(status).phrase}"
        page = (
            f"<!doctype html><html><head><title>{text}</title></head><body><h1>{text}</h1><p>{escape(said)}</p></html>"
        )
        headers = {"WWW-Authenticate": 'Basic realm="protected-area"'} if status == 401 else {}
        return HTMLResponse(page, http_status or status, headers)

    def too_many(self, fault: Fault) -> Response:
        headers = {
            "Retry-After": f"{fault.seconds:g}", "X-RateLimit-Limit": str(_BURST), "X-RateLimit-Remaining": "0",
            "X-RateLimit-FillRate": "1", "X-RateLimit-Interval-Seconds": "1",
        }  # fmt: skip
        return JSONResponse({"message": "Rate limit exceeded."}, 429, headers)


def _basic(name: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"
