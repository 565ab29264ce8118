"""Whole lists, page by page, with an end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from perfsuite_blazemeter.models.entities import Named, Page

MOST_PAGES: Final = 20
N = TypeVar("N", bound=Named)


@dataclass(frozen=True)
class Whole(Generic[N]):
    """All there is, or as much of it as is worth asking for."""

    items: list[N]
    complete: bool


async def every(fetch: Callable[[int], Awaitable[Page[N]]]) -> Whole[N]:
    """All items, where `fetch` takes how many to skip. A page that brings nothing new ends it, too."""
    found: dict[int, N] = {}
    skip = 0
    for _ in range(MOST_PAGES):
        page = await fetch(skip)
        fresh = {item.id: item for item in page.items if item.id not in found}
        found |= fresh
        skip += len(page.items)
        if not page.has_more or not fresh:
            return Whole(list(found.values()), complete=not page.has_more)
    return Whole(list(found.values()), complete=False)
