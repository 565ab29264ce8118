"""What hangs on a page, in the second version of the API."""

from starlette.responses import JSONResponse, RedirectResponse, Response

from perfsuite.sandbox.confluence.addresses import base_url, download_path
from perfsuite.sandbox.confluence.paging import page_v2
from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.shapes_v2 import attachment_v2, label_v2, property_v2
from perfsuite.sandbox.confluence.standin import ConfluenceStandIn
from perfsuite.sandbox.confluence.tables import CLOUD_V1, V2
from perfsuite.sandbox.confluence.wiki import Page, Property
from perfsuite.sandbox.standins.visits import Visit


@V2.route("GET", "/pages/{id}/attachments", name="attachments", evidence="specified")
async def attachments(standin: ConfluenceStandIn, visit: Visit) -> Response:
    wanted = visit.value("filename")
    found = [
        one
        for one in standin.page(visit).attachments
        if one.status == "current" and (wanted is None or one.title == wanted)
    ]
    return page_v2(standin.site, visit, found, attachment_v2)


@V2.route("GET", "/attachments/{id}", name="attachment", evidence="specified")
async def attachment(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return JSONResponse(attachment_v2(standin.attachment(visit.part("id"))))


@V2.route("DELETE", "/attachments/{id}", name="delete_attachment", evidence="specified")
async def delete_attachment(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.attachment(visit.part("id"))
    standin.site.check_writable(standin.site.wiki.pages[found.page_id].space)
    found.status = "trashed"
    return Response(status_code=204)


@CLOUD_V1.route(
    "GET", "/content/{id}/child/attachment/{attachment_id}/download", name="download_attachment", evidence="specified",
    note="leads to the site, and not to a store of media",
)  # fmt: skip
async def download_attachment(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.attachment(visit.part("attachment_id"))
    return RedirectResponse(f"{base_url(standin.site, visit)}{download_path(found)}", 302)


@V2.route("GET", "/pages/{id}/labels", name="labels", evidence="specified")
async def labels(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = list(enumerate(standin.page(visit).labels))
    return page_v2(standin.site, visit, found, lambda one: label_v2(*one))


@V2.route("GET", "/pages/{id}/properties", name="properties", evidence="specified")
async def properties(standin: ConfluenceStandIn, visit: Visit) -> Response:
    wanted = visit.value("key")
    found = [one for one in standin.page(visit).properties.values() if wanted in (None, one.key)]
    return page_v2(standin.site, visit, found, property_v2)


@V2.route("POST", "/pages/{id}/properties", name="create_property", evidence="specified")
async def create_property(standin: ConfluenceStandIn, visit: Visit) -> Response:
    sent = visit.json()
    key = standin.site.check_property(sent.get("key"), visit.body)
    return JSONResponse(property_v2(standin.site.set_property(standin.page(visit), key, sent.get("value"), None)))


@V2.route("GET", "/pages/{id}/properties/{property_id}", name="property", evidence="specified")
async def one_property(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return JSONResponse(property_v2(_property(standin.page(visit), visit)))


@V2.route("PUT", "/pages/{id}/properties/{property_id}", name="update_property", evidence="specified")
async def update_property(standin: ConfluenceStandIn, visit: Visit) -> Response:
    page, sent = standin.page(visit), visit.json()
    known = _property(page, visit)
    standin.site.check_property(known.key, visit.body)
    version = sent.get("version")
    number = version.get("number") if isinstance(version, dict) else None
    if not isinstance(number, int) or sent.get("key") != known.key:
        raise Refusal(400, "key and version.number are required")
    return JSONResponse(property_v2(standin.site.set_property(page, known.key, sent.get("value"), number)))


@V2.route("DELETE", "/pages/{id}/properties/{property_id}", name="delete_property", evidence="specified")
async def delete_property(standin: ConfluenceStandIn, visit: Visit) -> Response:
    page = standin.page(visit)
    standin.site.check_writable(page.space)
    del page.properties[_property(page, visit).key]
    return Response(status_code=204)


def _property(page: Page, visit: Visit) -> Property:
    found = next((one for one in page.properties.values() if str(one.id) == visit.part("property_id")), None)
    if found is None:
        raise Refusal(404, "There is no such property", "Not Found")
    return found
