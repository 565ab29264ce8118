"""Stand-ins of Confluence over real sockets, somebody who asks them, and a time that stands still."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.confluence import ConfluenceSpec, ConfluenceStandIn, opened
from perfsuite.sandbox.confluence.site import Site
from perfsuite.sandbox.confluence.spec import Flavour
from perfsuite.sandbox.confluence.wiki import Page
from perfsuite.sandbox.standins.application import Backstage
from perfsuite.sandbox.standins.faults import Fault

NOW: Final = 1_790_000_000.0
V2: Final = "/wiki/api/v2"
MAY_UPLOAD: Final = {"X-Atlassian-Token": "no-check"}
STATUS: Final = (
    '<ac:structured-macro ac:name="status"><ac:parameter ac:name="colour">Green</ac:parameter>'
    '<ac:parameter ac:name="title">PASS</ac:parameter></ac:structured-macro>'
)


@dataclass
class Desk:
    """Who asks one flavour. What both flavours can do is asked for in the same way."""

    standin: ConfluenceStandIn
    http: httpx.Client
    base_url: str
    gateway_url: str

    @property
    def is_cloud(self) -> bool:
        return self.standin.spec.is_cloud

    def start_again(self) -> None:
        """Forget all that was done, so that the next test need not open another one."""
        self.standin.site = Site(self.standin.spec, self.standin.clock)
        self.standin.faults.switch_off()
        self.standin.journal.forget()

    @property
    def v1(self) -> str:
        return "/wiki/rest/api" if self.is_cloud else "/rest/api"

    def fault(self, route: str, kind: str, **how: Any) -> None:
        self.standin.faults.switch_on(f"confluence.{self.standin.flavour}.{route}", Fault(kind, **how))

    def page(self, page_id: str) -> Page:
        """What the wiki itself holds."""
        return self.standin.site.wiki.pages[int(page_id)]

    def space_id(self, key: str = "PERF") -> str:
        return str(self.standin.site.wiki.spaces[key].id)

    def post_page(self, title: str, body: str = "<p>text</p>", *, space: str = "PERF", **more: Any) -> httpx.Response:
        if self.is_cloud:
            sent = {"spaceId": self.space_id(space), "status": "current", "title": title}
            return self.http.post(f"{V2}/pages", json={**sent, "body": _storage(body), **more})
        sent = {"type": "page", "title": title, "space": {"key": space}, "body": {"storage": _storage(body)}}
        return self.http.post("/rest/api/content", json={**sent, **more})

    def put_page(self, page_id: str, number: int, title: str, body: str = "<p>new</p>", **more: Any) -> httpx.Response:
        version = {"number": number, "message": "by a test"}
        if self.is_cloud:
            sent = {"id": page_id, "status": "current", "title": title, "body": _storage(body), "version": version}
            return self.http.put(f"{V2}/pages/{page_id}", json={**sent, **more})
        sent = {"id": page_id, "type": "page", "title": title, "body": {"storage": _storage(body)}, "version": version}
        return self.http.put(f"/rest/api/content/{page_id}", json={**sent, **more})

    def get_page(self, page_id: str) -> dict[str, Any]:
        asked = f"{V2}/pages/{page_id}?body-format=storage"
        premises = f"/rest/api/content/{page_id}?expand=body.storage,version,ancestors&status=any"
        found: dict[str, Any] = self.http.get(asked if self.is_cloud else premises).raise_for_status().json()
        return found

    def new_page(self, title: str, body: str = "<p>text</p>", **more: Any) -> str:
        return str(self.post_page(title, body, **more).raise_for_status().json()["id"])

    def delete_page(self, page_id: str) -> httpx.Response:
        return self.http.delete(f"{V2}/pages/{page_id}" if self.is_cloud else f"/rest/api/content/{page_id}")

    def upload(self, page_id: str, name: str, content: bytes, kind: str = "image/png", **more: Any) -> httpx.Response:
        path = f"{self.v1}/content/{page_id}/child/attachment"
        how: dict[str, Any] = {"headers": MAY_UPLOAD, "data": {"comment": "by a test", "minorEdit": "true"}, **more}
        return self.http.post(path, files={"file": (name, content, kind)}, **how)

    def attachments(self, page_id: str, **query: str) -> list[dict[str, Any]]:
        premises = f"/rest/api/content/{page_id}/child/attachment"
        path = f"{V2}/pages/{page_id}/attachments" if self.is_cloud else premises
        return list(self.http.get(path, params=query).raise_for_status().json()["results"])

    def look(self, page_id: str) -> str:
        """The page as a browser gets it, without a login."""
        path = self.get_page(page_id)["_links"]["webui"]
        return httpx.get(f"{self.base_url}{path}").raise_for_status().text


def said(answer: httpx.Response) -> str:
    """The words of an error, in whichever of the two shapes."""
    found = answer.json()
    return str(found["errors"][0]["title"] if "errors" in found else found["message"])


def _storage(body: str) -> dict[str, str]:
    return {"representation": "storage", "value": body}


@contextmanager
def desk(flavour: Flavour, **spec: Any) -> Iterator[Desk]:
    """Open a stand-in and sit down before it."""
    made = ConfluenceSpec(flavour, **spec)
    backstage = Backstage(clock=Clock(lambda: NOW, asyncio.sleep))
    login = httpx.BasicAuth(made.email, made.api_token) if made.is_cloud else None
    headers = {} if made.is_cloud else {"Authorization": f"Bearer {made.pat}"}
    with opened(made, backstage) as service:
        url = service.url if made.is_cloud else service.base_url
        with httpx.Client(base_url=url, auth=login, headers=headers) as http:
            yield Desk(service.standin, http, service.base_url, service.gateway_url)
