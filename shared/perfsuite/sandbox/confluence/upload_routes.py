"""Files and labels, which both flavours take by the first version of the API."""

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from perfsuite.sandbox.confluence.paging import page_v1
from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.shapes_v1 import attachment_v1, label_v1
from perfsuite.sandbox.confluence.standin import ConfluenceStandIn
from perfsuite.sandbox.confluence.tables import CLOUD_V1, ONPREM_V1
from perfsuite.sandbox.confluence.uploads import CORRUPT, attach, replace, sent_files
from perfsuite.sandbox.confluence.wiki import Attachment, Page
from perfsuite.sandbox.standins.visits import Visit, parsed

_ATTACHMENTS = "/content/{id}/child/attachment"
_LABELS = "/content/{id}/label"


@CLOUD_V1.route("POST", _ATTACHMENTS, name="attach", evidence="specified", faults=(CORRUPT,))
@ONPREM_V1.route("POST", _ATTACHMENTS, name="attach", evidence="specified", faults=(CORRUPT,))
async def attach_new(standin: ConfluenceStandIn, visit: Visit) -> Response:
    page = standin.page(visit)
    return _listed(standin, visit, attach(standin.site, visit, page, await sent_files(standin.site, visit)))


@CLOUD_V1.route("PUT", _ATTACHMENTS, name="attach_or_replace", evidence="specified", faults=(CORRUPT,))
async def attach_or_replace(standin: ConfluenceStandIn, visit: Visit) -> Response:
    page, files = standin.page(visit), await sent_files(standin.site, visit)
    return _listed(standin, visit, attach(standin.site, visit, page, files, replacing=True))


@ONPREM_V1.route("PUT", _ATTACHMENTS, name="attach_or_replace", evidence="reported", note="in the cloud alone")
async def not_allowed(_: ConfluenceStandIn, __: Visit) -> Response:
    raise HTTPException(405, "Method Not Allowed")


@CLOUD_V1.route("POST", _ATTACHMENTS + "/{attachment_id}/data", name="replace", evidence="specified", faults=(CORRUPT,))
@ONPREM_V1.route(
    "POST", _ATTACHMENTS + "/{attachment_id}/data", name="replace", evidence="specified", faults=(CORRUPT,)
)
async def replace_data(standin: ConfluenceStandIn, visit: Visit) -> Response:
    page = standin.page(visit)
    known = standin.attachment(visit.part("attachment_id"))
    if known not in page.attachments:
        raise Refusal(404, f"The page {page.id} has no attachment {known.id}")
    file, *others = await sent_files(standin.site, visit)
    if others:
        raise Refusal(400, "There may be one file only")
    return JSONResponse(attachment_v1(standin.site, visit, replace(standin.site, visit, page, known, file)))


@CLOUD_V1.route("POST", _LABELS, name="add_labels", evidence="specified")
@ONPREM_V1.route("POST", _LABELS, name="add_labels", evidence="specified")
async def add_labels(standin: ConfluenceStandIn, visit: Visit) -> Response:
    page, sent = standin.page(visit), parsed(visit.body)
    rows = [sent] if isinstance(sent, dict) else sent
    if not isinstance(rows, list) or not all(
        isinstance(one, dict) and isinstance(one.get("name"), str) for one in rows
    ):
        raise Refusal(400, "Labels are objects with a prefix and a name")
    standin.site.add_labels(page, [one["name"] for one in rows])
    return _labels(standin, visit, page)


@ONPREM_V1.route("GET", _LABELS, name="labels", evidence="specified")
async def labels(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return _labels(standin, visit, standin.page(visit))


@CLOUD_V1.route("DELETE", _LABELS, name="remove_label", evidence="specified")
@ONPREM_V1.route("DELETE", _LABELS, name="remove_label", evidence="specified")
async def remove_label(standin: ConfluenceStandIn, visit: Visit) -> Response:
    page, name = standin.page(visit), visit.value("name")
    standin.site.check_writable(page.space)
    if name not in page.labels:
        raise Refusal(404, f"The page has no label {str(name)[:80]!r}")
    page.labels.remove(name)
    return Response(status_code=204)


def _listed(standin: ConfluenceStandIn, visit: Visit, made: list[Attachment]) -> Response:
    return page_v1(standin.site, visit, made, lambda one: attachment_v1(standin.site, visit, one))


def _labels(standin: ConfluenceStandIn, visit: Visit, page: Page) -> Response:
    return page_v1(standin.site, visit, list(enumerate(page.labels)), lambda one: label_v1(*one))
