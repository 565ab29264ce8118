"""From a name or an id to what is meant, or to an error that names what comes close."""

import logging
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final, Protocol, TypeVar

from perfsuite.errors import BadInput, NotFound, PerfsuiteError
from perfsuite.samples.rows import printable
from perfsuite_confluence.client.api import Confluence, every
from perfsuite_confluence.models.entities import Page, Space

logger = logging.getLogger("perfsuite.confluence")
_KEY: Final = re.compile(r"~?[A-Za-z0-9._-]{1,255}")
_ID: Final = re.compile(r"[0-9]{1,19}")
_WORDS: Final = re.compile(r"\w+")
_MOST_WORDS: Final = 10
_MOST_NEAR: Final = 5


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


async def find_space(confluence: Confluence, wanted: str) -> Space:
    """The space of this key or name."""
    name = wanted.strip()
    if _KEY.fullmatch(name) and (found := await confluence.space(name)):
        return found
    spaces = await every(confluence.spaces)
    exact = [one for one in spaces if name in (one.key, one.name, one.id)]
    alike = [one for one in spaces if name.casefold() in (one.key.casefold(), one.name.casefold())]
    near = _near(name, [text for one in spaces for text in (one.key, one.name)])
    hint = [f"{one.key} ({one.name})" for one in spaces if one.key in near or one.name in near]
    return _the_one(f"space {printable(name)!r}", exact or alike, hint, len(spaces), "`list_spaces`")


async def find_page(confluence: Confluence, space: Space, wanted: str) -> Page:
    """The page of this id or title in a space."""
    title = wanted.strip()
    by_id = await page_or_none(confluence, title) if _ID.fullmatch(title) else None
    if by_id is not None and by_id.space_id in (None, space.id):
        return by_id
    pages = (await confluence.pages(space, title=title)).items
    if by_id is not None and not pages:
        raise _elsewhere(by_id, space)
    if not pages:
        raise await _no_page(confluence, space, title)
    return _the_one(f"page {printable(title)!r} in space {space.key}", pages, [], len(pages), "`list_pages`")


async def page_or_none(confluence: Confluence, page_id: str) -> Page | None:
    """The page of this id, unless it is gone or in the trash."""
    try:
        page = await confluence.page(page_id)
    except NotFound:
        return None
    return page if page.status == "current" else None


def text_query(words: str, space: Space | None) -> str:
    """What asks for pages with these words. Marks that mean something to the search are left out."""
    plain = " ".join(_WORDS.findall(words)[:_MOST_WORDS])
    if not plain:
        raise BadInput(f"{printable(words)!r} holds no word to search for.", next_step="Give words of the page.")
    within = f' and space = "{space.key}"' if space and _KEY.fullmatch(space.key) else ""
    return f'type = page and (title ~ "{plain}" or text ~ "{plain}"){within}'


def _elsewhere(page: Page, space: Space) -> BadInput:
    return BadInput(
        f"Page {page.id} ({page.title!r}) is in another space than {space.key}.",
        next_step="Name a page of that space; `list_pages` lists them. It may have been moved.",
    )


async def _no_page(confluence: Confluence, space: Space, title: str) -> NotFound:
    titles: list[str] = []
    try:
        titles += [one.title for one in (await confluence.pages(space)).items]
        titles += [one.title for one in (await confluence.search(text_query(title, space))).items]
    except PerfsuiteError as error:
        # What comes close is a help: without it, the error is the same.
        logger.debug("Similar titles could not be asked for: %s", error.message)
    near = sorted(_near(title, titles))[:_MOST_NEAR]
    hint = f" Similar: {', '.join(map(repr, near))}." if near else ""
    return NotFound(
        f"Space {space.key} has no page {printable(title)!r} that the account may see.{hint}",
        next_step="Name one that `list_pages` or `search_pages` lists, or give its id.",
    )


def _the_one(what: str, found: Sequence[N], near: Sequence[str], total: int, lists: str) -> N:
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(one.id for one in found[:_MOST_NEAR])
        raise BadInput(f"{len(found)} are called {what}: {ids}.", next_step="Give the key or the id.")
    hint = f" Similar: {', '.join(near[:_MOST_NEAR])}." if near else ""
    raise NotFound(
        f"There is no {what} among the {total} that the account may see.{hint}",
        next_step=f"Name one that {lists} lists.",
    )


def _near(name: str, known: Iterable[str]) -> set[str]:
    by_fold = {one.casefold(): one for one in known}
    wanted = name.casefold()
    alike = get_close_matches(wanted, by_fold, n=_MOST_NEAR, cutoff=0.5)
    holding = [fold for fold in by_fold if wanted and wanted in fold]
    return {by_fold[fold] for fold in (*alike, *holding)}
