"""What can be asked of a Confluence, in the cloud or on premises."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, TypeVar

from perfsuite.errors import LimitExceeded
from perfsuite.http import HttpSettings
from perfsuite_confluence.models.entities import Attachment, Draft, File, Mode, Page, Part, Property, Space
from perfsuite_confluence.settings import ConfluenceSettings

T = TypeVar("T")
Place = Mapping[str, str] | None
"""Where a part of a list begins, as the part before said; None is the beginning."""

_MOST_PARTS: Final = 40


class Confluence(Protocol):
    """One method for each thing that is asked. Lists come in parts: `every` puts them together."""

    mode: Mode

    async def spaces(self, place: Place = None) -> Part[Space]: ...

    async def space(self, key: str) -> Space | None:
        """The space of this key, in the capitals that it has."""

    async def page(self, page_id: str) -> Page:
        """A page with its body, whatever its status. One that is gone is `NotFound`."""

    async def pages(self, space: Space, *, title: str | None = None, place: Place = None) -> Part[Page]: ...

    async def children(self, page_id: str, place: Place = None) -> Part[Page]: ...

    async def search(self, cql: str, place: Place = None) -> Part[Page]: ...

    async def create_page(self, draft: Draft) -> Page:
        """Make a page. It is sent once: if its answer is lost, nobody knows."""

    async def update_page(self, page: Page, draft: Draft) -> Page:
        """Make the version that follows the one in `page`. Any other version in between is a `Conflict`."""

    async def attachments(self, page_id: str, place: Place = None) -> Part[Attachment]: ...

    async def attach(self, page_id: str, file: File) -> Attachment: ...

    async def exchange(self, page_id: str, attachment_id: str, file: File) -> Attachment: ...

    async def property(self, page_id: str, key: str) -> Property | None: ...

    async def set_property(self, page_id: str, key: str, value: Any, known: Property | None) -> None: ...

    async def labels(self, page_id: str) -> list[str]: ...

    async def add_labels(self, page_id: str, names: Sequence[str]) -> None: ...

    def address(self, webui: str | None) -> str | None:
        """Where a person sees what has this path."""


@asynccontextmanager
async def connected(mode: Mode, settings: ConfluenceSettings, http: HttpSettings) -> AsyncIterator[Confluence]:
    """Confluence as the settings name it, for as long as the block lasts."""
    if mode == "cloud":
        from perfsuite_confluence.client.cloud import cloud

        async with cloud(settings, http) as found:
            yield found
    else:
        from perfsuite_confluence.client.onprem import onprem

        async with onprem(settings, http) as server:
            yield server


async def first(fetch: Callable[[Place], Awaitable[Part[T]]], count: int) -> Part[T]:
    """The first items of a list, at least so many where there are, and whether there are more."""
    items: list[T] = []
    part: Part[T] = Part((), {})
    while part.next is not None and len(items) < count:
        part = await fetch(part.next or None)
        items += part.items
    return Part(tuple(items), part.next, part.total)


async def every(fetch: Callable[[Place], Awaitable[Part[T]]]) -> list[T]:
    """All items of a list. One that does not end is an error: half a list would be taken for the whole."""
    items: list[T] = []
    place: Place = None
    for _ in range(_MOST_PARTS):
        part = await fetch(place)
        items += part.items
        if part.next is None or part.next == place:
            return items
        place = part.next
    raise LimitExceeded(
        f"Confluence tells a list in more than {_MOST_PARTS} parts.", next_step="Name a space, a parent or a title."
    )
