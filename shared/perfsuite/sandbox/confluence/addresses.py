"""Where things are found on a site, for programs and for browsers."""

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, quote_plus

from perfsuite.sandbox.confluence.site import Site
from perfsuite.sandbox.confluence.wiki import Attachment, Page, Space
from perfsuite.sandbox.standins.visits import Visit

_PLAIN: Final = re.compile(r"[\w .-]+", re.ASCII)
"""Titles that addresses on premises may hold. Pages with others, and those in the trash, are found by their number."""


def context(site: Site) -> str:
    """What all paths of the site begin with."""
    return "/wiki" if site.spec.is_cloud else site.spec.context_path


def base_url(site: Site, visit: Visit) -> str:
    """The address of the site itself, also for whoever came through the gateway."""
    url = visit.request.url
    return f"{url.scheme}://{url.netloc}{context(site)}"


def space_path(site: Site, space: Space) -> str:
    return f"/spaces/{space.key}" if site.spec.is_cloud else f"/display/{space.key}"


def page_path(site: Site, page: Page) -> str:
    title = quote_plus(page.title)
    if site.spec.is_cloud:
        return f"/spaces/{page.space.key}/pages/{page.id}/{title}"
    if page.status == "current" and _PLAIN.fullmatch(page.title):
        return f"/display/{page.space.key}/{title}"
    return f"/pages/viewpage.action?pageId={page.id}"


def download_path(attachment: Attachment) -> str:
    number = attachment.latest.number
    changed = int(attachment.latest.at * 1000)
    place = f"/download/attachments/{attachment.page_id}/{quote(attachment.title, safe='')}"
    return f"{place}?version={number}&modificationDate={changed}&api=v2"


def moment(at: float) -> str:
    """As both versions of the API write a time."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.{int(at * 1000) % 1000:03d}Z"
