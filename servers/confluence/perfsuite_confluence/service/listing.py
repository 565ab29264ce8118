"""Spaces, pages, and what stands on them."""

from collections.abc import Sequence
from typing import Final

from pydantic_core import to_json

from perfsuite.errors import LimitExceeded
from perfsuite.mcp.answers import fit
from perfsuite.samples.rows import printable
from perfsuite_confluence.client.api import every, first
from perfsuite_confluence.core.reading import plain_text
from perfsuite_confluence.models.answers import PageDetails, PageList, PageRow, SpaceDetails, SpaceList, SpaceRow
from perfsuite_confluence.models.entities import Page, Part, Space
from perfsuite_confluence.models.published import PROPERTY, mark_of
from perfsuite_confluence.models.requests import PageQuestion
from perfsuite_confluence.service.desk import Desk
from perfsuite_confluence.service.finding import find_page, find_space, text_query
from perfsuite_confluence.service.recording import recorded

_MOST_TITLES: Final = 20
_LONGEST_TEXT: Final = 6_000
_MOST_FILES: Final = 30
_MOST_LABELS: Final = 20
_LONGEST_SHOWN: Final = 60
_MORE: Final = 1
"""Of what was not counted there is one at least."""
_NO_SPACE: Final = "The account may see no space: check which account it is, and its permissions."
_NO_PAGE: Final = "There is none, or the account may not see it."


async def list_spaces(desk: Desk, space: str | None, run_id: str | None, *, start: int, limit: int) -> SpaceList:
    """The spaces that the account may see, or the one that is named."""
    if space is not None:

        async def find() -> Space:
            return await find_space(desk.confluence, space)

        found = [await recorded(desk.runs, run_id, "find_space", "list_spaces", find, lambda one: _where(desk, one))]
    else:
        found = sorted(await every(desk.confluence.spaces), key=lambda one: one.name.casefold())
    rows = [SpaceRow(key=one.key, name=one.name, url=_url(desk, one)) for one in found]
    fitted = fit(rows[start : start + limit], total=len(rows), start=start)
    return SpaceList(spaces=fitted.items, total=fitted.total, has_more=fitted.has_more, note="" if rows else _NO_SPACE)


async def space_details(desk: Desk, space: str, run_id: str | None) -> SpaceDetails:
    """A space, its home page and what stands right below that."""

    async def fetch() -> SpaceDetails:
        found = await find_space(desk.confluence, space)
        home = found.homepage_id
        below = await every(lambda place: desk.confluence.children(home, place)) if home else []
        return SpaceDetails(
            key=found.key,
            name=found.name,
            id=found.id,
            url=_url(desk, found),
            homepage_id=home or "",
            top_pages=[one.title for one in below[:_MOST_TITLES]],
            pages_at_top=len(below),
            next_step="Name the parent of the report: `list_pages` finds it by its title.",
        )

    return await recorded(desk.runs, run_id, "space_details", "get_space_details", fetch)


async def list_pages(desk: Desk, question: PageQuestion, run_id: str | None) -> PageList:
    """The pages of a space, those below a page, or the one that has a title."""
    space = await find_space(desk.confluence, question.space)
    if question.title is not None:
        title = question.title

        async def find() -> Page:
            return await find_page(desk.confluence, space, title)

        found = [
            await recorded(
                desk.runs,
                run_id,
                "find_parent_page",
                "list_pages",
                find,
                lambda one: {**_where(desk, space), "parent": one.id},
            )
        ]
    elif question.parent is not None:
        parent = await find_page(desk.confluence, space, question.parent)
        found = await every(lambda place: desk.confluence.children(parent.id, place))
    else:
        found = await _all_pages(desk, space)
    return _pages(desk, found, space, question.start, question.limit)


async def search_pages(
    desk: Desk, query: str, space: str | None, run_id: str | None, *, start: int, limit: int
) -> PageList:
    """Pages with these words; what was written a moment ago may not be found yet."""
    within = await find_space(desk.confluence, space) if space else None
    cql = text_query(query, within)

    async def search() -> Part[Page]:
        return await first(lambda place: desk.confluence.search(cql, place), start + limit)

    found = await recorded(
        desk.runs, run_id, "find_parent_page", "search_pages", search, lambda one: _only(desk, one, within)
    )
    more = _MORE if found.next is not None else 0
    total = max(found.total or 0, len(found.items) + more)
    return _pages(desk, found.items, within, start, limit, total=total)


async def page_details(desk: Desk, page_id: str, *, start: int) -> PageDetails:
    """A page, and its text from a character on."""
    page = await desk.confluence.page(page_id)
    files = await every(lambda place: desk.confluence.attachments(page_id, place))
    mark = await desk.confluence.property(page_id, PROPERTY)
    known = mark_of(mark.value) if mark else None
    labels = await desk.confluence.labels(page_id)
    text = plain_text(page.body or "")
    shown = _fitting(text[start:])
    return PageDetails(
        id=page.id,
        title=page.title,
        space=page.space_key or await _key_of(desk, page.space_id),
        parent_id=page.parent_id or "",
        status=page.status,
        version=page.version or 0,
        changed_by=page.author or "",
        changed_at=page.changed_at or "",
        url=desk.confluence.address(page.webui) or "",
        labels=[printable(one, _LONGEST_SHOWN) for one in labels[:_MOST_LABELS]],
        attachments=[printable(one.title, _LONGEST_SHOWN) for one in files[:_MOST_FILES]],
        report_of_run=known.run_id if known else "",
        text=shown,
        has_more=start + len(shown) < len(text),
    )


async def _key_of(desk: Desk, space_id: str | None) -> str:
    """In the cloud a page tells only the id of its space, which no other tool takes."""
    spaces = await every(desk.confluence.spaces) if space_id else []
    return next((one.key for one in spaces if one.id == space_id), space_id or "")


def _fitting(text: str) -> str:
    """As much of the text as leaves room in an answer, where quotes and line ends take two characters each."""
    shown = text[:_LONGEST_TEXT]
    size = len(to_json(shown).decode())
    return shown if size <= _LONGEST_TEXT + 500 else shown[: _LONGEST_TEXT * _LONGEST_TEXT // size]


async def _all_pages(desk: Desk, space: Space) -> list[Page]:
    try:
        return await every(lambda place: desk.confluence.pages(space, place=place))
    except LimitExceeded:
        raise LimitExceeded(
            f"Space {space.key} has too many pages to list.", next_step="Give `parent` or `title`."
        ) from None


def _pages(
    desk: Desk, found: Sequence[Page], space: Space | None, start: int, limit: int, *, total: int = 0
) -> PageList:  # fmt: skip
    rows = [
        PageRow(
            id=one.id,
            title=one.title,
            space=one.space_key or (space.key if space else ""),
            url=desk.confluence.address(one.webui) or "",
        )
        for one in found
    ]
    fitted = fit(rows[start : start + limit], total=max(total, len(rows)), start=start)
    note = "" if rows else _NO_PAGE
    return PageList(pages=fitted.items, total=fitted.total, has_more=fitted.has_more, note=note)


def _url(desk: Desk, space: Space) -> str:
    return desk.confluence.address(space.webui) or ""


def _where(desk: Desk, space: Space) -> dict[str, str]:
    return {"mode": desk.confluence.mode, "space": space.key}


def _only(desk: Desk, found: Part[Page], space: Space | None) -> dict[str, str]:
    """A parent was found when there is just one, and it is known where."""
    if len(found.items) != 1:
        return {}
    [page] = found.items
    key = page.space_key or (space.key if space else None)
    return {"mode": desk.confluence.mode, "space": key, "parent": page.id} if key else {}
