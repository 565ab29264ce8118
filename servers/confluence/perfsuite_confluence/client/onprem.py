"""Confluence on premises, by the server client of atlassian-python-api.

Where its methods do something else than what they say, the request is made by its `post`: `attach_content` looks for
the attachment among the first part of the list alone, and replaces it in a way that servers refuse.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

from perfsuite.errors import BadAnswer
from perfsuite.http import HttpSettings
from perfsuite_confluence.client.answers import TOO_LARGE, changed_meanwhile, parsed, part_of, uploaded
from perfsuite_confluence.client.api import Place
from perfsuite_confluence.client.exchange import Ask, Exchange
from perfsuite_confluence.models.entities import (
    Attachment,
    Draft,
    File,
    Label,
    Mode,
    Page,
    Part,
    Property,
    Space,
)
from perfsuite_confluence.settings import ConfluenceSettings

_PART: Final = 200
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_OF_SPACE: Final = "homepage"
_OF_PAGE: Final = "space,version,ancestors"
_WHOLE_PAGE: Final = f"{_OF_PAGE},body.storage"


class OnPrem:
    """One method for each endpoint."""

    mode: Mode = "onprem"

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def spaces(self, place: Place = None) -> Part[Space]:
        asked = {"limit": _PART, "expand": _OF_SPACE, **_start(place)}
        return part_of(Space, await self._get("space", lambda server: server.get_spaces(params=asked)), "the spaces")

    async def space(self, key: str) -> Space | None:
        path = quote(key, safe="~")
        answer = await self._exchange.send(
            "GET", f"space/{key}", lambda server: server.get_space(path, expand=_OF_SPACE), expected=(_NOT_FOUND,)
        )
        return None if answer.status == _NOT_FOUND else parsed(Space, answer.body, f"space {key}")

    async def page(self, page_id: str) -> Page:
        body = await self._get(
            f"content/{page_id}", lambda server: server.get_content_by_id(page_id, params={"expand": _WHOLE_PAGE})
        )
        return parsed(Page, body, f"page {page_id}")

    async def pages(self, space: Space, *, title: str | None = None, place: Place = None) -> Part[Page]:
        asked = {"spaceKey": space.key, "limit": _PART, "expand": _OF_PAGE, **_start(place)}
        if title is not None:
            asked["title"] = title
        body = await self._get("content", lambda server: server.get_content_by_type("page", **asked))
        return part_of(Page, body, f"the pages of space {space.key}")

    async def children(self, page_id: str, place: Place = None) -> Part[Page]:
        start = int(_start(place).get("start", "0"))
        body = await self._get(
            f"content/{page_id}/child/page",
            lambda server: server.get_page_child_by_type(page_id, "page", start, _PART, _OF_PAGE),
        )
        return part_of(Page, body, f"the pages under page {page_id}")

    async def search(self, cql: str, place: Place = None) -> Part[Page]:
        asked = {"limit": _PART, "expand": _OF_PAGE, **_start(place)}
        body = await self._get("content/search", lambda server: server.search_content(cql, **asked))
        return part_of(Page, body, "what was found")

    async def create_page(self, draft: Draft) -> Page:
        content = {"space": {"key": draft.space.key}, **_content(draft)}
        answer = await self._exchange.send("POST", "content", lambda server: server.create_content(content))
        return parsed(Page, answer.body, "the new page")

    async def update_page(self, page: Page, draft: Draft) -> Page:
        version = {"number": (page.version or 0) + 1, "message": draft.message, "minorEdit": False}
        content = {"id": page.id, **_content(draft), "version": version}
        answer = await self._exchange.send(
            "PUT", f"content/{page.id}", lambda server: server.update_content(page.id, content),
            idempotent=False, expected=(_CONFLICT,),
        )  # fmt: skip
        if answer.status == _CONFLICT:
            raise changed_meanwhile(page)
        return parsed(Page, answer.body, f"page {page.id}")

    async def attachments(self, page_id: str, place: Place = None) -> Part[Attachment]:
        start = int(_start(place).get("start", "0"))
        body = await self._get(
            f"content/{page_id}/child/attachment",
            lambda server: server.get_attachments_from_content(page_id, start, _PART, "version"),
        )
        return part_of(Attachment, body, "the attachments")

    async def attach(self, page_id: str, file: File) -> Attachment:
        made = part_of(Attachment, await self._upload(f"content/{page_id}/child/attachment", file), "the attachment")
        if not made.items:
            raise BadAnswer(f"Confluence took {file.name!r} and did not name it.", next_step="Publish it again.")
        return made.items[0]

    async def exchange(self, page_id: str, attachment_id: str, file: File) -> Attachment:
        body = await self._upload(f"content/{page_id}/child/attachment/att{attachment_id}/data", file)
        return parsed(Attachment, body, f"the attachment {file.name!r}")

    async def property(self, page_id: str, key: str) -> Property | None:
        answer = await self._exchange.send(
            "GET", f"content/{page_id}/property/{key}",
            lambda server: server.get_content_property(page_id, key), expected=(_NOT_FOUND,),
        )  # fmt: skip
        return None if answer.status == _NOT_FOUND else parsed(Property, answer.body, f"the property {key}")

    async def set_property(self, page_id: str, key: str, value: Any, known: Property | None) -> None:
        content: dict[str, Any] = {"key": key, "value": value}
        path = f"content/{page_id}/property"
        if known is None:
            await self._exchange.send("POST", path, lambda server: server.create_content_property(page_id, content))
        else:
            content["version"] = {"number": known.version + 1}
            await self._exchange.send(
                "PUT", f"{path}/{key}", lambda server: server.update_content_property(page_id, key, content)
            )

    async def labels(self, page_id: str) -> list[str]:
        body = await self._get(f"content/{page_id}/label", lambda server: server.get_content_labels(page_id))
        return [one.name for one in part_of(Label, body, "the labels").items]

    async def add_labels(self, page_id: str, names: Sequence[str]) -> None:
        labels = [{"prefix": "global", "name": name} for name in names]
        # To add a label that is there already does no harm, so it may be sent again.
        await self._exchange.send(
            "POST", f"content/{page_id}/label", lambda server: server.add_content_labels(page_id, labels),
            idempotent=True,
        )  # fmt: skip

    def address(self, webui: str | None) -> str | None:
        return f"{self._exchange.service.base_url}{webui}" if webui and webui.startswith("/") else None

    async def _get(self, path: str, ask: Ask) -> Any:
        return (await self._exchange.send("GET", path, ask)).body

    async def _upload(self, path: str, file: File) -> Any:
        fields = {"comment": file.comment, "minorEdit": "true"}
        answer = await self._exchange.send(
            "POST", path,
            lambda server: server.post(
                path, data=fields, headers=server.no_check_headers,
                files={"file": (file.name, file.content, file.media_type)},
            ),
            expected=(TOO_LARGE,),
        )  # fmt: skip
        return uploaded(answer, file)


@asynccontextmanager
async def onprem(settings: ConfluenceSettings, http: HttpSettings) -> AsyncIterator[OnPrem]:
    """The server that the settings name."""
    exchange = Exchange(settings.onprem, http)
    try:
        yield OnPrem(exchange)
    finally:
        exchange.close()


def _start(place: Place) -> dict[str, str]:
    start = (place or {}).get("start", "")
    return {"start": start} if start.isdecimal() else {}


def _content(draft: Draft) -> dict[str, Any]:
    parent = {"ancestors": [{"id": draft.parent_id}]} if draft.parent_id else {}
    body = {"storage": {"value": draft.body, "representation": "storage"}}
    return {"type": "page", "title": draft.title, "body": body, **parent}
