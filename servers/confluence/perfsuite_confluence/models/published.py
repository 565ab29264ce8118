"""What is kept of a publication: in the run folder, and on the page itself as a property."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from perfsuite.artifacts import JsonArtifact, layout
from perfsuite.artifacts.run_id import RunId
from perfsuite.artifacts.schemas import Document, Sha256
from perfsuite_confluence.models.entities import Mode
from perfsuite_confluence.models.values import ContentId

PROPERTY: Final = "perfsuite-report"


class Publication(Document):
    """`confluence/publish.json`: where the report is, and as what it was sent."""

    state: Literal["publishing", "published"]
    mode: Mode
    site: str
    space_key: str
    space_name: str
    title: str
    page_id: ContentId | None = None
    url: str | None = None
    version: int | None = None
    parent_id: ContentId | None = None
    """The page under which we put it. A person may have moved it since."""
    content_hash: Sha256 | None = None


class PageMark(BaseModel):
    """The property of the page: whose report it shows, and what we left there."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: RunId
    content_hash: Sha256
    body_hash: Sha256
    """Of the body as Confluence gave it back. Another one tells that somebody edited the page."""
    version: int
    title: str = ""
    """As the report wanted it; a person may have given the page another one."""


PUBLISHED: Final = JsonArtifact(
    layout.PUBLISHED.key,
    layout.PUBLISHED.place,
    layout.PUBLISHED.written_by,
    layout.PUBLISHED.about,
    Publication,
)


def mark_of(value: Any) -> PageMark | None:
    """The mark in a property, which anybody who may edit the page may have written."""
    try:
        return PageMark.model_validate(value)
    except ValidationError:
        return None
