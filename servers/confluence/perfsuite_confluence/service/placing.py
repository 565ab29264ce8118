"""The page that a report has, or the one that it gets. A page of somebody else is never taken."""

from dataclasses import dataclass, replace
from typing import Final

from perfsuite.artifacts import RunId
from perfsuite.errors import AccessDenied, Conflict, NotFound, RateLimited, RemoteError
from perfsuite_confluence.client.api import Confluence
from perfsuite_confluence.core.announcement import announcement, is_announcement
from perfsuite_confluence.core.decisions import Found
from perfsuite_confluence.models.entities import Draft, Page, Space
from perfsuite_confluence.models.published import PROPERTY, Publication, mark_of
from perfsuite_confluence.service.finding import page_or_none
from perfsuite_confluence.service.sources import Source

_DECIDED: Final = (AccessDenied, NotFound, RateLimited)


@dataclass(frozen=True)
class Wish:
    """Where a report shall be."""

    source: Source
    space: Space
    title: str
    parent_id: str | None
    overwrite: bool
    earlier: Publication | None
    """What the run folder says about it, where that is about this space."""

    @property
    def run_id(self) -> RunId:
        """Of the run, or of the comparison."""
        return self.source.folder.run_id


@dataclass(frozen=True)
class Located:
    """The page, if there is one, and what is to be said about that."""

    found: Found | None
    notes: tuple[str, ...] = ()


async def locate(confluence: Confluence, wish: Wish) -> Located:
    """Look for the page by what the run folder says, then by its title."""
    notes: tuple[str, ...] = ()
    if wish.earlier and wish.earlier.page_id:
        page = await page_or_none(confluence, wish.earlier.page_id)
        if page is not None:
            return Located(await _known(confluence, wish, page))
        notes = (f"Page {wish.earlier.page_id}, where the report was, is deleted or no longer to be seen.",)
    titled = (await confluence.pages(wish.space, title=wish.title)).items
    if not titled:
        return Located(None, notes)
    return Located(await _ours(confluence, wish, await confluence.page(titled[0].id)), notes)


async def check_title(confluence: Confluence, wish: Wish, page: Page) -> None:
    """Refuse a new title for a page that another page has already."""
    titled = (await confluence.pages(wish.space, title=wish.title)).items
    for other in titled:
        if other.id != page.id:
            raise _taken(wish, other, "is another page")


async def create(confluence: Confluence, wish: Wish) -> Found:
    """Make the page, with nothing on it but that a report is coming. A lost answer is looked up, not sent again."""
    draft = Draft(wish.space, wish.title, announcement(wish.run_id), wish.parent_id)
    try:
        made = await confluence.create_page(draft)
    except RemoteError as error:
        if isinstance(error, _DECIDED):
            raise _refused(wish, error) from None
        located = await locate(confluence, replace(wish, earlier=None))
        if located.found is None:
            raise _refused(wish, error) from None
        return located.found
    # The answer need not hold the body, by which it is told later whether somebody changed it.
    return Found(await confluence.page(made.id), None, wish.earlier, is_new=True)


async def _known(confluence: Confluence, wish: Wish, page: Page) -> Found:
    if page.space_id not in (None, wish.space.id):
        raise Conflict(
            f"Page {page.id} ({page.title!r}), where the report was, is in another space than {wish.space.key} now.",
            next_step="Give as `space` the one where it is now.",
        )
    known = await confluence.property(page.id, PROPERTY)
    mark = mark_of(known.value) if known else None
    if mark is not None and mark.run_id != wish.run_id and not wish.overwrite:
        raise _taken(wish, page, f"shows the report of {mark.run_id!r} now")
    is_new = mark is None and is_announcement(page, wish.run_id)
    return Found(page, mark, wish.earlier, is_new=is_new)


async def _ours(confluence: Confluence, wish: Wish, page: Page) -> Found:
    """A page that was found by its title: ours by what is on it, or somebody else's."""
    known = await confluence.property(page.id, PROPERTY)
    mark = mark_of(known.value) if known else None
    if mark is not None and (mark.run_id == wish.run_id or wish.overwrite):
        return Found(page, mark, None)
    if mark is not None:
        raise _taken(wish, page, f"shows the report of {mark.run_id!r}")
    if is_announcement(page, wish.run_id):
        return Found(page, None, None, is_new=True)
    raise _taken(wish, page, "was not made by `publish_report`")


def _taken(wish: Wish, page: Page, why: str) -> Conflict:
    may = " With overwrite=true the report takes its place." if "shows" in why else ""
    return Conflict(
        f"The title {wish.title!r} is taken in space {wish.space.key}: page {page.id} {why}.",
        next_step=f"Give another `title`.{may}",
    )


def _refused(wish: Wish, error: RemoteError) -> RemoteError | Conflict:
    if "already exist" in error.message.lower():
        return Conflict(
            f"The title {wish.title!r} is taken in space {wish.space.key} by a page that the account does not see.",
            next_step="Give another `title`: that page may be archived or restricted.",
        )
    if isinstance(error, AccessDenied | NotFound):
        return AccessDenied(
            f"A page cannot be made in space {wish.space.key}. {error.message}",
            next_step="The account may only read there, or not see the parent: choose a space that it may write to.",
        )
    return error
