"""The page above that of a report: the one that is named, else the one that it had."""

from dataclasses import dataclass

from perfsuite.artifacts.schemas import ConfluenceRequest
from perfsuite.errors import PerfsuiteError
from perfsuite_confluence.client.api import Confluence
from perfsuite_confluence.models.entities import Page, Space
from perfsuite_confluence.models.published import Publication
from perfsuite_confluence.service.finding import find_page, page_or_none


@dataclass(frozen=True)
class Above:
    """What is known of where the page belongs."""

    named: str | None
    """By this call."""
    noted: ConfluenceRequest
    """For the run."""
    earlier: Publication | None
    """Where it was published before, in this space."""


async def parent_of(confluence: Confluence, space: Space, known: Above, *, exists: bool) -> str | None:
    """The id of the page above, or None where none was ever named.

    What the page was put under is not looked up while the page is there: it may have been moved by a person since.
    """
    if known.named:
        return (await find_page(confluence, space, known.named)).id
    before = known.earlier.parent_id if known.earlier else None
    here = (known.noted.mode, known.noted.space) == (confluence.mode, space.key)
    wanted = (known.noted.parent if here else None) or before
    if wanted is None or (exists and wanted == before):
        return wanted
    return (await find_page(confluence, space, wanted)).id


async def named(confluence: Confluence, page_id: str | None) -> tuple[str, str]:
    """Id and title of a page. It is only told about: without its title the answer is no failure."""
    if page_id is None:
        return "", ""
    try:
        page: Page | None = await page_or_none(confluence, page_id)
    except PerfsuiteError:
        page = None
    return page_id, page.title if page else ""
