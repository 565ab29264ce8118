"""Spaces, pages and what hangs on them, as both versions of the API tell them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field

from perfsuite_confluence.models.values import AttachmentId, Body, ContentId, Received, Text

Mode = Literal["cloud", "onprem"]
T = TypeVar("T")


def _at(*paths: str) -> Any:
    """A field that stands at one of these places, written with dots."""
    return Field(default=None, validation_alias=AliasChoices(*(AliasPath(*path.split(".")) for path in paths)))


def _last_id(value: Any) -> Any:
    """On premises a page names all its ancestors, the nearest last."""
    if not isinstance(value, list):
        return value
    return value[-1].get("id") if value and isinstance(value[-1], dict) else None


class Space(Received):
    """A space."""

    id: ContentId
    key: Text
    name: Text
    type: Text | None = None
    homepage_id: ContentId | None = _at("homepageId", "homepage.id")
    webui: Text | None = _at("_links.webui")


class Page(Received):
    """A page. What was not asked for is None."""

    id: ContentId
    title: Text
    type: Text = "page"
    status: Text = "current"
    space_id: ContentId | None = _at("spaceId", "space.id")
    space_key: Text | None = _at("space.key")
    parent_id: Annotated[ContentId | None, BeforeValidator(_last_id)] = _at("parentId", "ancestors")
    version: Annotated[int, Field(ge=1)] | None = _at("version.number")
    author: Text | None = _at("version.by.displayName", "version.authorId")
    message: Text | None = _at("version.message")
    """What was said about the version."""
    changed_at: Text | None = _at("version.createdAt", "version.when")
    body: Body | None = _at("body.storage.value")
    webui: Text | None = _at("_links.webui")


class Attachment(Received):
    """A file of a page."""

    id: AttachmentId
    title: Text
    size: Annotated[int, Field(ge=0)] | None = _at("fileSize", "extensions.fileSize")
    version: Annotated[int, Field(ge=1)] | None = _at("version.number")
    comment: Text | None = _at("comment", "metadata.comment", "extensions.comment")


class Property(Received):
    """A value that programs keep with a page."""

    id: ContentId
    key: Text
    value: Any = None
    version: Annotated[int, Field(ge=1)] = Field(validation_alias=AliasPath("version", "number"))


class Label(Received):
    """A label."""

    name: Text


@dataclass(frozen=True)
class Part(Generic[T]):
    """A part of a list, and where the next one begins."""

    items: tuple[T, ...]
    next: Mapping[str, str] | None = None
    total: int | None = None


@dataclass(frozen=True)
class Draft:
    """A page as it shall be."""

    space: Space
    title: str
    body: str
    parent_id: str | None
    message: str = ""


@dataclass(frozen=True)
class File:
    """A file that goes to a page. What its comment says tells later whose it is."""

    name: str
    content: bytes
    media_type: str
    comment: str = ""
