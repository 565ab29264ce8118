"""Spaces, pages and what hangs on them, as on premises."""

from typing import Any, Final

from starlette.responses import JSONResponse, Response

from perfsuite.sandbox.confluence.drafts import TITLE_FAULTS, UPDATE_FAULTS, created, draft_v1, meet_others
from perfsuite.sandbox.confluence.paging import page_v1
from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.shapes_v1 import attachment_v1, content, history, property_v1, space_v1
from perfsuite.sandbox.confluence.standin import ConfluenceStandIn
from perfsuite.sandbox.confluence.tables import ONPREM_V1
from perfsuite.sandbox.confluence.wiki import Page, Property
from perfsuite.sandbox.standins.visits import Visit

_STATUSES: Final = {"any": ("current", "trashed", "draft", "archived"), "": ("current",)}
_PROPERTY: Final = "/content/{id}/property/{key}"


@ONPREM_V1.route("GET", "/space", name="spaces", evidence="specified")
async def spaces(standin: ConfluenceStandIn, visit: Visit) -> Response:
    keys = visit.values("spaceKey")
    found = [one for one in standin.site.wiki.spaces.values() if not keys or one.key in keys]
    return page_v1(standin.site, visit, found, lambda one: space_v1(standin.site, visit, one))


@ONPREM_V1.route("GET", "/space/{key}", name="space", evidence="specified")
async def space(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return JSONResponse(space_v1(standin.site, visit, standin.space(visit.part("key"))))


@ONPREM_V1.route("GET", "/space/{key}/content", name="space_content", evidence="specified")
async def space_content(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.site.wiki.found(standin.space(visit.part("key")))
    inner = page_v1(standin.site, visit, found, lambda one: content(standin.site, visit, one))
    return Response(b'{"page":' + bytes(inner.body) + b"}", media_type="application/json")


@ONPREM_V1.route("GET", "/space/{key}/content/page", name="space_pages", evidence="specified")
async def space_pages(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return _contents(standin, visit, standin.site.wiki.found(standin.space(visit.part("key"))))


@ONPREM_V1.route("GET", "/content", name="contents", evidence="specified")
async def contents(standin: ConfluenceStandIn, visit: Visit) -> Response:
    key = visit.value("spaceKey")
    where = standin.space(key) if key else None
    return _contents(standin, visit, standin.site.wiki.found(where, visit.value("title"), _statuses(visit)))


@ONPREM_V1.route(
    "POST", "/content", name="create_page", evidence="specified", faults=TITLE_FAULTS,
    note="words of errors are reported by users",
)  # fmt: skip
async def create_page(standin: ConfluenceStandIn, visit: Visit) -> Response:
    standin.check_size(visit)
    sent = visit.json()
    where = sent.get("space")
    found = standin.space(str(where.get("key") if isinstance(where, dict) else None))
    return _whole(standin, visit, created(standin.site, visit, found.key, draft_v1(sent)))


@ONPREM_V1.route("GET", "/content/{id}", name="page", evidence="specified")
async def page(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return JSONResponse(content(standin.site, visit, standin.page(visit, *_statuses(visit))))


@ONPREM_V1.route(
    "PUT", "/content/{id}", name="update_page", evidence="specified", faults=UPDATE_FAULTS,
    note="words of errors, and 405 for an attachment, are reported by users",
)  # fmt: skip
async def update_page(standin: ConfluenceStandIn, visit: Visit) -> Response:
    standin.check_size(visit)
    if visit.part("id").startswith("att"):
        raise Refusal(405, "Method Not Allowed")
    found, sent = standin.page(visit, *_STATUSES["any"]), visit.json()
    meet_others(standin, visit, found)
    return _whole(standin, visit, standin.site.update(found, draft_v1(sent, found)))


@ONPREM_V1.route("DELETE", "/content/{id}", name="delete_content", evidence="specified", note="pages and attachments")
async def delete_content(standin: ConfluenceStandIn, visit: Visit) -> Response:
    """A page goes into the trash, and from there for good; so does an attachment, but not for good."""
    if visit.part("id").startswith("att"):
        found = standin.attachment(visit.part("id"))
        standin.site.check_writable(standin.site.wiki.pages[found.page_id].space)
        found.status = "trashed"
    else:
        standin.site.trash(standin.page(visit, *_STATUSES["any"]), purge=visit.value("status") == "trashed")
    return Response(status_code=204)


@ONPREM_V1.route("GET", "/content/{id}/history", name="history", evidence="specified")
async def page_history(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return JSONResponse(history(standin.page(visit, *_STATUSES["any"])))


@ONPREM_V1.route("GET", "/content/{id}/child/page", name="children", evidence="specified")
async def children(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return _contents(standin, visit, standin.site.wiki.children(standin.page(visit)))


@ONPREM_V1.route("GET", "/content/{id}/child/attachment", name="attachments", evidence="specified")
async def attachments(standin: ConfluenceStandIn, visit: Visit) -> Response:
    wanted = visit.value("filename")
    found = [
        one
        for one in standin.page(visit).attachments
        if one.status == "current" and (wanted is None or one.title == wanted)
    ]
    return page_v1(standin.site, visit, found, lambda one: attachment_v1(standin.site, visit, one))


@ONPREM_V1.route("GET", "/content/{id}/property", name="properties", evidence="specified")
async def properties(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.page(visit)
    rows = list(found.properties.values())
    return page_v1(standin.site, visit, rows, lambda one: property_v1(standin.site, visit, found, one))


@ONPREM_V1.route("POST", "/content/{id}/property", name="create_property", evidence="specified")
async def create_property(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found, sent = standin.page(visit), visit.json()
    key = standin.site.check_property(sent.get("key"), visit.body)
    made = standin.site.set_property(found, key, sent.get("value"), None)
    return JSONResponse(property_v1(standin.site, visit, found, made))


@ONPREM_V1.route("GET", _PROPERTY, name="property", evidence="specified")
async def one_property(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.page(visit)
    return JSONResponse(property_v1(standin.site, visit, found, _known(found, visit)))


@ONPREM_V1.route("PUT", _PROPERTY, name="update_property", evidence="specified")
async def update_property(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found, sent = standin.page(visit), visit.json()
    key = standin.site.check_property(_known(found, visit).key, visit.body)
    version = sent.get("version")
    number = version.get("number") if isinstance(version, dict) else None
    if not isinstance(number, int):
        raise Refusal(400, "version.number is required")
    made = standin.site.set_property(found, key, sent.get("value"), number)
    return JSONResponse(property_v1(standin.site, visit, found, made))


@ONPREM_V1.route("DELETE", _PROPERTY, name="delete_property", evidence="specified")
async def delete_property(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.page(visit)
    standin.site.check_writable(found.space)
    del found.properties[_known(found, visit).key]
    return Response(status_code=204)


def _statuses(visit: Visit) -> tuple[str, ...]:
    asked = visit.value("status") or ""
    return _STATUSES.get(asked, (asked,))


def _contents(standin: ConfluenceStandIn, visit: Visit, found: list[Page]) -> Response:
    return page_v1(standin.site, visit, found, lambda one: content(standin.site, visit, one))


def _whole(standin: ConfluenceStandIn, visit: Visit, found: Page) -> Response:
    """A page that was just written comes with all of it, asked for or not."""
    everything: dict[str, Any] = content(standin.site, visit, found, "body.storage,version,space,ancestors,history")
    return JSONResponse(everything)


def _known(page: Page, visit: Visit) -> Property:
    found = page.properties.get(visit.part("key"))
    if found is None:
        raise Refusal(404, f"Cannot find a property with key : Property{{{visit.part('key')[:80]}}}")
    return found
