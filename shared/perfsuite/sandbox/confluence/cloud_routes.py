"""Spaces and pages in the second version of the API, and who is who."""

from typing import Final

from starlette.responses import JSONResponse, Response

from perfsuite.sandbox.confluence.addresses import base_url
from perfsuite.sandbox.confluence.drafts import UPDATE_FAULTS, created, draft_v2, meet_others
from perfsuite.sandbox.confluence.paging import page_v2 as part_v2
from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.shapes_v2 import child_v2, page_v2, space_v2, version_v2
from perfsuite.sandbox.confluence.standin import ConfluenceStandIn
from perfsuite.sandbox.confluence.tables import CLOUD_PAGES, CLOUD_V1, V2
from perfsuite.sandbox.confluence.wiki import Page, Space
from perfsuite.sandbox.standins.visits import Visit

_SEEN: Final = ("current", "archived")
_GONE: Final = "This deprecated endpoint has been removed."
_ANY: Final = ("current", "archived", "draft", "trashed")


@CLOUD_PAGES.route("GET", "/_edge/tenant_info", name="tenant_info", evidence="source", is_open=True)
async def tenant_info(standin: ConfluenceStandIn, _: Visit) -> Response:
    return JSONResponse({"cloudId": standin.spec.cloud_id})


@V2.route("GET", "/spaces", name="spaces", evidence="specified")
async def spaces(standin: ConfluenceStandIn, visit: Visit) -> Response:
    ids, keys = _listed(visit, "ids"), _listed(visit, "keys")
    found = [
        space
        for space in standin.site.wiki.spaces.values()
        if (not ids or str(space.id) in ids) and (not keys or space.key in keys)
    ]
    return part_v2(standin.site, visit, found, lambda one: space_v2(standin.site, one))


@V2.route("GET", "/spaces/{id}", name="space", evidence="specified")
async def space(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return JSONResponse(space_v2(standin.site, _space(standin, visit.part("id"))))


@V2.route("GET", "/spaces/{id}/pages", name="space_pages", evidence="specified", note="`depth` is not looked at")
async def space_pages(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return _pages(standin, visit, standin.site.wiki.found(_space(standin, visit.part("id"))))


@V2.route("GET", "/pages", name="pages", evidence="specified")
async def pages(standin: ConfluenceStandIn, visit: Visit) -> Response:
    ids, wanted = _listed(visit, "id"), _listed(visit, "space-id")
    statuses = tuple(_listed(visit, "status")) or _SEEN
    found = [
        page
        for page in standin.site.wiki.found(title=visit.value("title"), statuses=statuses)
        if (not ids or str(page.id) in ids) and (not wanted or str(page.space.id) in wanted)
    ]
    return _pages(standin, visit, found)


@V2.route("POST", "/pages", name="create_page", evidence="specified", note="words of errors are reported by users")
async def create_page(standin: ConfluenceStandIn, visit: Visit) -> Response:
    standin.check_size(visit)
    sent = visit.json()
    wanted = _space(standin, str(sent.get("spaceId")))
    return _page(standin, visit, created(standin.site, visit, wanted.key, draft_v2(sent)), "storage")


@V2.route("GET", "/pages/{id}", name="page", evidence="specified")
async def page(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.page(visit, *(tuple(_listed(visit, "status")) or _ANY))
    number = visit.number("version")
    if number is not None and found.version(number) is None:
        raise Refusal(404, f"There is no version {number}", "Not Found")
    return _page(standin, visit, found, visit.value("body-format"))


@V2.route(
    "PUT", "/pages/{id}", name="update_page", evidence="specified", faults=UPDATE_FAULTS,
    note="words of errors are reported by users; those of a version conflict, of the first version of the API",
)  # fmt: skip
async def update_page(standin: ConfluenceStandIn, visit: Visit) -> Response:
    standin.check_size(visit)
    found, sent = standin.page(visit, *_ANY), visit.json()
    if str(sent.get("id")) != str(found.id):
        raise Refusal(400, "The id in the body is not the one in the path")
    if "status" not in sent:
        raise Refusal(400, "status is required")
    meet_others(standin, visit, found)
    return _page(standin, visit, standin.site.update(found, draft_v2(sent)), "storage")


@V2.route("DELETE", "/pages/{id}", name="delete_page", evidence="specified")
async def delete_page(standin: ConfluenceStandIn, visit: Visit) -> Response:
    standin.site.trash(standin.page(visit, *_ANY), purge=visit.value("purge") == "true")
    return Response(status_code=204)


@V2.route("GET", "/pages/{id}/children", name="children", evidence="specified")
async def children(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.site.wiki.children(standin.page(visit))
    return part_v2(standin.site, visit, found, lambda one: child_v2(standin.site, one))


@V2.route("GET", "/pages/{id}/direct-children", name="direct_children", evidence="specified")
async def direct_children(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.site.wiki.children(standin.page(visit))
    return part_v2(standin.site, visit, found, lambda one: {**child_v2(standin.site, one), "type": "page"})


@V2.route("GET", "/pages/{id}/ancestors", name="ancestors", evidence="specified")
async def ancestors(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.site.wiki.ancestors(standin.page(visit))
    return part_v2(standin.site, visit, found, lambda one: {"id": str(one.id), "type": "page"})


@V2.route("GET", "/pages/{id}/versions", name="versions", evidence="specified")
async def versions(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return part_v2(standin.site, visit, standin.page(visit).versions[::-1], version_v2)


async def gone(_: ConfluenceStandIn, __: Visit) -> Response:
    """What was there before the second version of the API, and is there no more."""
    raise Refusal(410, _GONE)


for _method, _path, _name in (
    ("GET", "/space", "v1_spaces"), ("GET", "/space/{key}", "v1_space"), ("GET", "/content", "v1_contents"),
    ("POST", "/content", "v1_create"), ("GET", "/content/{id}", "v1_content"), ("PUT", "/content/{id}", "v1_update"),
    ("DELETE", "/content/{id}", "v1_delete"), ("GET", "/content/{id}/child/attachment", "v1_attachments"),
):  # fmt: skip
    CLOUD_V1.route(_method, _path, name=_name, evidence="reported", note="gone from newer sites, 410 on all of these")(
        gone
    )


def _space(standin: ConfluenceStandIn, text: str) -> Space:
    found = next((one for one in standin.site.wiki.spaces.values() if str(one.id) == text), None)
    if found is None:
        raise Refusal(404, f"No space with id {text[:80]}", "Not Found")
    return found


def _page(standin: ConfluenceStandIn, visit: Visit, found: Page, body: str | None) -> Response:
    told = page_v2(standin.site, found, body=body, number=visit.number("version"))
    told["_links"]["base"] = base_url(standin.site, visit)
    return JSONResponse(told)


def _pages(standin: ConfluenceStandIn, visit: Visit, found: list[Page]) -> Response:
    return part_v2(standin.site, visit, found, lambda one: page_v2(standin.site, one, body=visit.value("body-format")))


def _listed(visit: Visit, name: str) -> list[str]:
    """A parameter that may come several times, or once with commas."""
    return [one for text in visit.values(name) for one in text.split(",") if one]
