"""Searching by CQL, and who asks."""

from typing import Any, Final

from starlette.responses import JSONResponse, Response

from perfsuite.sandbox.confluence import cql
from perfsuite.sandbox.confluence.addresses import moment, page_path
from perfsuite.sandbox.confluence.paging import page_v1
from perfsuite.sandbox.confluence.shapes_v1 import content
from perfsuite.sandbox.confluence.standin import ConfluenceStandIn
from perfsuite.sandbox.confluence.tables import CLOUD_V1, ONPREM_V1
from perfsuite.sandbox.confluence.wiki import ROBOT, Page
from perfsuite.sandbox.standins.visits import Visit

NOT_INDEXED: Final = "not_indexed"
"""The index is behind: what was written lately is not found."""
_FORMS: Final = "AND, OR, NOT, parentheses, =, !=, ~, in; no dates and no functions"


@CLOUD_V1.route("GET", "/search", name="search", evidence="specified", note=_FORMS, faults=(NOT_INDEXED,))
@ONPREM_V1.route("GET", "/search", name="search", evidence="specified", note=_FORMS, faults=(NOT_INDEXED,))
async def search(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found, query = _found(standin, visit), visit.value("cql") or ""
    beside = {"totalSize": len(found), "cqlQuery": query, "searchDuration": 5}
    return page_v1(standin.site, visit, found, lambda one: _row(standin, visit, one), **beside)


@CLOUD_V1.route(
    "GET", "/content/search", name="search_content", evidence="specified", note=_FORMS, faults=(NOT_INDEXED,)
)
@ONPREM_V1.route(
    "GET", "/content/search", name="search_content", evidence="specified", note=_FORMS, faults=(NOT_INDEXED,)
)
async def search_content(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return page_v1(standin.site, visit, _found(standin, visit), lambda one: content(standin.site, visit, one))


@CLOUD_V1.route("GET", "/user/current", name="user", evidence="specified")
async def user(standin: ConfluenceStandIn, _: Visit) -> Response:
    told = {"accountId": ROBOT, "accountType": "atlassian", "email": standin.spec.email, "publicName": "Sandbox"}
    return JSONResponse({"type": "known", **told, "displayName": "Sandbox"})


@ONPREM_V1.route("GET", "/user/current", name="user", evidence="specified")
async def user_on_premises(standin: ConfluenceStandIn, _: Visit) -> Response:
    return JSONResponse({"type": "known", "username": standin.spec.user, "userKey": "5a6d", "displayName": "Sandbox"})


def _found(standin: ConfluenceStandIn, visit: Visit) -> list[Page]:
    found = cql.search(standin.site.wiki, visit.value("cql") or "")
    return [] if visit.fault(NOT_INDEXED) else found


def _row(standin: ConfluenceStandIn, visit: Visit, page: Page) -> dict[str, Any]:
    return {
        "content": content(standin.site, visit, page), "title": page.title, "excerpt": "",
        "url": page_path(standin.site, page), "entityType": "content", "iconCssClass": "content-type-page",
        "lastModified": moment(page.latest.at), "friendlyLastModified": "just a moment ago", "score": 0.0,
        "resultGlobalContainer": {"title": page.space.name, "displayUrl": f"/spaces/{page.space.key}"},
    }  # fmt: skip
