"""The site as a browser shows it. Nobody has to log in, and nothing can be changed here."""

from html import escape
from typing import Final
from urllib.parse import unquote_plus

from starlette.responses import HTMLResponse, Response

from perfsuite.sandbox.confluence.addresses import context, download_path, moment, page_path, space_path
from perfsuite.sandbox.confluence.look import POLICY, document
from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.rendering import Surroundings, link, render
from perfsuite.sandbox.confluence.standin import ConfluenceStandIn
from perfsuite.sandbox.confluence.tables import CLOUD_PAGES, ONPREM_PAGES
from perfsuite.sandbox.confluence.wiki import PERSON, Page, Space
from perfsuite.sandbox.standins.visits import Visit

_HEADERS: Final = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_SEEN: Final = ("current", "archived", "trashed")
_NOTE: Final = "a simple picture of it, open to everybody"


@CLOUD_PAGES.route("GET", "/wiki", name="view_spaces", evidence="inferred", note=_NOTE, is_open=True)
@ONPREM_PAGES.route("GET", "/", name="view_spaces", evidence="inferred", note=_NOTE, is_open=True)
async def view_spaces(standin: ConfluenceStandIn, _: Visit) -> Response:
    site = standin.site
    rows = "".join(
        f"<li>{link(context(site) + space_path(site, one), escape(one.name))} ({escape(one.key)})</li>"
        for one in site.wiki.spaces.values()
    )
    return _shown(standin, "Spaces", f'<h1 class="title">Spaces</h1><ul>{rows}</ul>')


@CLOUD_PAGES.route("GET", "/wiki/spaces/{key}", name="view_space", evidence="inferred", note=_NOTE, is_open=True)
@ONPREM_PAGES.route("GET", "/display/{key}", name="view_space", evidence="inferred", note=_NOTE, is_open=True)
async def view_space(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.space(visit.part("key"))
    tree = _tree(standin, standin.site.wiki.pages[found.home_id])
    return _shown(standin, found.name, f'<h1 class="title">{escape(found.name)}</h1><ul>{tree}</ul>')


@CLOUD_PAGES.route(
    "GET", "/wiki/spaces/{key}/pages/{id}/{title:path}", name="view_page", evidence="inferred", note=_NOTE, is_open=True
)  # fmt: skip
async def view_page(standin: ConfluenceStandIn, visit: Visit) -> Response:
    return _page(standin, visit, standin.page(visit, *_SEEN))


@CLOUD_PAGES.route(
    "GET", "/wiki/pages/{action}.action", name="view_page_by_id", evidence="inferred", note=_NOTE, is_open=True
)  # fmt: skip
@ONPREM_PAGES.route(
    "GET", "/pages/{action}.action", name="view_page_by_id", evidence="inferred", note=_NOTE, is_open=True
)  # fmt: skip
async def view_page_by_id(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.site.wiki.pages.get(visit.number("pageId") or 0)
    if found is None or found.status not in _SEEN:
        raise Refusal(404, "Not Found")
    return _page(standin, visit, found)


@ONPREM_PAGES.route(
    "GET", "/display/{key}/{title}", name="view_page", evidence="inferred", note=_NOTE, is_open=True
)  # fmt: skip
async def view_page_by_title(standin: ConfluenceStandIn, visit: Visit) -> Response:
    found = standin.site.wiki.holder(standin.space(visit.part("key")), unquote_plus(visit.part("title")))
    if found is None:
        raise Refusal(404, "Not Found")
    return _page(standin, visit, found)


_DOWNLOAD: Final = "/download/attachments/{id}/{name}"


@CLOUD_PAGES.route("GET", f"/wiki{_DOWNLOAD}", name="download", evidence="inferred", note=_NOTE, is_open=True)
@ONPREM_PAGES.route("GET", _DOWNLOAD, name="download", evidence="inferred", note=_NOTE, is_open=True)
async def download(standin: ConfluenceStandIn, visit: Visit) -> Response:
    kept = standin.page(visit, *_SEEN).attachment(visit.part("name"))
    number = visit.number("version")
    found = next((one for one in kept.uploads[::-1] if number in (None, one.number)), None) if kept else None
    if found is None:
        raise Refusal(404, "Not Found")
    how = "inline" if found.media_type in _PICTURES else "attachment"
    headers = {**_HEADERS, "Content-Disposition": how}
    return Response(found.content, media_type=found.media_type, headers=headers)


def _page(standin: ConfluenceStandIn, visit: Visit, page: Page) -> Response:
    """A page, or one of its versions."""
    number = visit.number("version")
    version = page.latest if number is None else page.version(number)
    if version is None:
        raise Refusal(404, "Not Found")
    trail = " / ".join(link(_address(standin, one), escape(one.title)) for one in standin.site.wiki.ancestors(page))
    by = "somebody else" if version.by == PERSON else "Sandbox"
    labels = "".join(f'<span class="label">{escape(name)}</span>' for name in page.labels)
    around = _surroundings(standin, page)
    files = "".join(f"<li>{link(address, escape(name))}</li>" for name, address in around.attachments)
    trash = '<p class="trash">This page is in the trash.</p>' if page.status == "trashed" else ""
    return _shown(
        standin,
        version.title,
        f'<p class="trail">{link(_space_address(standin, page.space), escape(page.space.name))} / {trail}</p>{trash}'
        f'<h1 class="title">{escape(version.title)}</h1>'
        f'<p class="byline">Version {version.number} by {by}, {moment(version.at)}</p>'
        f"<article>{render(version.body, around)}</article>"
        f"<footer><p>{labels}</p><h2>Attachments</h2><ul>{files}</ul></footer>",
    )


def _surroundings(standin: ConfluenceStandIn, page: Page) -> Surroundings:
    site = standin.site
    files = [(one.title, context(site) + download_path(one)) for one in page.attachments if one.status == "current"]
    known = dict(files)

    def page_named(key: str | None, title: str) -> str | None:
        space = site.wiki.spaces.get(key) if key else page.space
        found = site.wiki.holder(space, title) if space else None
        return _address(standin, found) if found else None

    children = [(one.title, _address(standin, one)) for one in site.wiki.children(page)]
    return Surroundings(known.get, page_named, children, files)


def _tree(standin: ConfluenceStandIn, page: Page) -> str:
    below = "".join(_tree(standin, one) for one in standin.site.wiki.children(page))
    return f"<li>{link(_address(standin, page), escape(page.title))}{f'<ul>{below}</ul>' if below else ''}</li>"


def _address(standin: ConfluenceStandIn, page: Page) -> str:
    return context(standin.site) + page_path(standin.site, page)


def _space_address(standin: ConfluenceStandIn, space: Space) -> str:
    return context(standin.site) + space_path(standin.site, space)


def _shown(standin: ConfluenceStandIn, title: str, content: str) -> Response:
    return HTMLResponse(document(title, context(standin.site) or "/", content), headers=_HEADERS)
