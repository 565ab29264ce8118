"""What there is on a site: spaces, pages in trees, and what hangs on a page."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Status = Literal["current", "draft", "trashed", "archived"]

ROBOT: Final = "557058:sandbox"
"""Who asks over the API."""
PERSON: Final = "557058:person"
"""Who edits in a browser."""
_FIRST_ID: Final = 98_305
_STEP: Final = 33
"""Ids are not consecutive, so that nobody guesses the next one."""


@dataclass(frozen=True)
class Version:
    """What a page was at one time."""

    number: int
    title: str
    body: str
    at: float
    message: str = ""
    is_minor: bool = False
    by: str = ROBOT


@dataclass(frozen=True)
class Upload:
    """One version of an attachment."""

    number: int
    content: bytes
    media_type: str
    at: float
    comment: str = ""
    is_minor: bool = False


@dataclass
class Attachment:
    """A file of a page."""

    id: int
    page_id: int
    title: str
    uploads: list[Upload]
    status: Status = "current"

    @property
    def latest(self) -> Upload:
        return self.uploads[-1]


@dataclass
class Property:
    """A value that programs keep with a page."""

    id: int
    key: str
    value: Any
    version: int
    at: float


@dataclass
class Space:
    """A tree of pages. Their titles are unique in it."""

    id: int
    key: str
    name: str
    is_read_only: bool
    at: float
    home_id: int = 0


@dataclass
class Page:
    """A page and what hangs on it."""

    id: int
    space: Space
    parent_id: int | None
    versions: list[Version]
    status: Status = "current"
    labels: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    properties: dict[str, Property] = field(default_factory=dict)

    @property
    def latest(self) -> Version:
        return self.versions[-1]

    @property
    def title(self) -> str:
        return self.latest.title

    def version(self, number: int) -> Version | None:
        return next((one for one in self.versions if one.number == number), None)

    def attachment(self, title: str) -> Attachment | None:
        return next((one for one in self.attachments if one.title == title and one.status == "current"), None)


class Wiki:
    """Everything on a site."""

    def __init__(self) -> None:
        self.spaces: dict[str, Space] = {}
        self.pages: dict[int, Page] = {}
        self.attachments: dict[int, Attachment] = {}
        self._ids = itertools.count(_FIRST_ID, _STEP)

    def next_id(self) -> int:
        return next(self._ids)

    def found(
        self, space: Space | None = None, title: str | None = None, statuses: tuple[str, ...] = ("current",)
    ) -> list[Page]:
        """Pages by space, title and status. Titles that differ in capitals alone are the same."""
        return [
            page
            for page in self.pages.values()
            if (space is None or page.space is space)
            and (title is None or page.title.casefold() == title.casefold())
            and page.status in statuses
        ]

    def holder(self, space: Space, title: str) -> Page | None:
        """The page that has a title. One in the trash has given its title up; one in the archive has not."""
        return next(iter(self.found(space, title, ("current", "archived"))), None)

    def children(self, page: Page) -> list[Page]:
        return [one for one in self.pages.values() if one.parent_id == page.id and one.status == "current"]

    def ancestors(self, page: Page) -> list[Page]:
        """The farthest first."""
        return list(self._upwards(page))[::-1]

    def add(self, space: Space, parent_id: int | None, version: Version, status: Status = "current") -> Page:
        page = Page(self.next_id(), space, parent_id, [version], status)
        self.pages[page.id] = page
        return page

    def edit_as_person(self, page: Page, body: str, at: float) -> Version:
        """What happens when somebody edits in a browser meanwhile."""
        page.versions.append(Version(page.latest.number + 1, page.title, body, at, by=PERSON))
        return page.latest

    def trash(self, page: Page) -> None:
        """Put a page into the trash. What stands under it moves up."""
        for child in self.children(page):
            child.parent_id = page.parent_id
        page.status = "trashed"

    def purge(self, page: Page) -> None:
        del self.pages[page.id]
        for attachment in page.attachments:
            self.attachments.pop(attachment.id, None)

    def attach(self, page: Page, title: str, upload: Upload) -> Attachment:
        made = Attachment(self.next_id(), page.id, title, [upload])
        page.attachments.append(made)
        self.attachments[made.id] = made
        return made

    def _upwards(self, page: Page) -> Iterator[Page]:
        while page.parent_id is not None and (above := self.pages.get(page.parent_id)):
            yield above
            page = above
