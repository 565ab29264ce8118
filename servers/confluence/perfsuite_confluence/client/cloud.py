"""Confluence Cloud: the second version of its API, and the first for what the second lacks."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from perfsuite.errors import BadAnswer
from perfsuite.http import ApiClient, HttpSettings
from perfsuite.http.models import Param
from perfsuite_confluence.client.answers import TOO_LARGE, changed_meanwhile, parsed, part_of, uploaded
from perfsuite_confluence.client.api import Place
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

M = TypeVar("M", bound=BaseModel)

_PART: Final = 200
_CONFLICT: Final = 409
_NO_CHECK: Final = {"X-Atlassian-Token": "no-check"}


class Cloud:
    """One method for each endpoint."""

    mode: Mode = "cloud"

    def __init__(self, api: ApiClient, site_url: str | None) -> None:
        self._api = api
        self._site_url = site_url

    async def spaces(self, place: Place = None) -> Part[Space]:
        return await self._part(Space, "api/v2/spaces", "the spaces", place)

    async def space(self, key: str) -> Space | None:
        found = await self._part(Space, "api/v2/spaces", "a space", None, keys=key)
        return found.items[0] if found.items else None

    async def page(self, page_id: str) -> Page:
        body = await self._api.get(f"api/v2/pages/{page_id}", params={"body-format": "storage"})
        return self._page(body, f"page {page_id}")

    async def pages(self, space: Space, *, title: str | None = None, place: Place = None) -> Part[Page]:
        wanted: dict[str, Param] = {"space-id": space.id, "title": title, "status": "current"}
        return await self._part(Page, "api/v2/pages", f"the pages of space {space.key}", place, **wanted)

    async def children(self, page_id: str, place: Place = None) -> Part[Page]:
        path = f"api/v2/pages/{page_id}/direct-children"
        found = await self._part(Page, path, f"what stands under page {page_id}", place)
        # Folders, boards and databases stand there, too.
        return replace(found, items=tuple(one for one in found.items if one.type == "page"))

    async def search(self, cql: str, place: Place = None) -> Part[Page]:
        params: dict[str, Param] = {
            "cql": cql,
            "limit": _PART,
            "expand": "content.space,content.version",
            **(place or {}),
        }
        body = await self._api.get("rest/api/search", params=params)
        return part_of(Page, body, "what was found", inside="content")

    async def create_page(self, draft: Draft) -> Page:
        content = {"spaceId": draft.space.id, **_content(draft)}
        return self._page(await self._api.post("api/v2/pages", json=content), "the new page")

    async def update_page(self, page: Page, draft: Draft) -> Page:
        version = {"number": (page.version or 0) + 1, "message": draft.message}
        content = {"id": page.id, **_content(draft), "version": version}
        path = f"api/v2/pages/{page.id}"
        answer = await self._api.request("PUT", path, json=content, expected=(_CONFLICT,), idempotent=False)
        if answer.status == _CONFLICT:
            raise changed_meanwhile(page)
        return self._page(answer.body, f"page {page.id}")

    async def attachments(self, page_id: str, place: Place = None) -> Part[Attachment]:
        return await self._part(Attachment, f"api/v2/pages/{page_id}/attachments", "the attachments", place)

    async def attach(self, page_id: str, file: File) -> Attachment:
        body = await self._upload(f"rest/api/content/{page_id}/child/attachment", file)
        made = part_of(Attachment, body, "the new attachment").items
        if not made:
            raise BadAnswer(f"Confluence took {file.name!r} and did not name it.", next_step="Publish it again.")
        return made[0]

    async def exchange(self, page_id: str, attachment_id: str, file: File) -> Attachment:
        body = await self._upload(f"rest/api/content/{page_id}/child/attachment/att{attachment_id}/data", file)
        return parsed(Attachment, body, f"the attachment {file.name!r}")

    async def property(self, page_id: str, key: str) -> Property | None:
        found = await self._part(Property, f"api/v2/pages/{page_id}/properties", "the properties", None, key=key)
        return next((one for one in found.items if one.key == key), None)

    async def set_property(self, page_id: str, key: str, value: Any, known: Property | None) -> None:
        path = f"api/v2/pages/{page_id}/properties"
        if known is None:
            await self._api.post(path, json={"key": key, "value": value})
        else:
            version = {"number": known.version + 1, "message": ""}
            await self._api.put(f"{path}/{known.id}", json={"key": key, "value": value, "version": version})

    async def labels(self, page_id: str) -> list[str]:
        found = await self._part(Label, f"api/v2/pages/{page_id}/labels", "the labels", None)
        return [one.name for one in found.items]

    async def add_labels(self, page_id: str, names: Sequence[str]) -> None:
        # To add a label that is there already does no harm, so it may be sent again.
        labels = [{"prefix": "global", "name": name} for name in names]
        await self._api.post(f"rest/api/content/{page_id}/label", json=labels, idempotent=True)

    def address(self, webui: str | None) -> str | None:
        return f"{self._site_url}{webui}" if self._site_url and webui and webui.startswith("/") else None

    async def _part(self, model: type[M], path: str, about: str, place: Place, **params: Param) -> Part[M]:
        body = await self._api.get(path, params={**params, "limit": _PART, **(place or {})})
        self._learn_site(body)
        return part_of(model, body, about)

    def _page(self, body: Any, about: str) -> Page:
        self._learn_site(body)
        return parsed(Page, body, about)

    async def _upload(self, path: str, file: File) -> Any:
        answer = await self._api.request(
            "POST",
            path,
            files={"file": (file.name, file.content, file.media_type)},
            fields={"comment": file.comment, "minorEdit": "true"},
            headers=_NO_CHECK,
            expected=(TOO_LARGE,),
        )
        return uploaded(answer, file)

    def _learn_site(self, body: Any) -> None:
        """Behind the gateway only the answers tell where the site is."""
        links: Mapping[str, Any] = body.get("_links", {}) if isinstance(body, dict) else {}
        base = links.get("base") if isinstance(links, dict) else None
        if self._site_url is None and isinstance(base, str) and base.startswith(("https://", "http://")):
            self._site_url = base[:200]


@asynccontextmanager
async def cloud(settings: ConfluenceSettings, http: HttpSettings) -> AsyncIterator[Cloud]:
    """The site in the cloud that the settings name."""
    async with ApiClient(settings.cloud, http) as api:
        yield Cloud(api, settings.site_url)


def _content(draft: Draft) -> dict[str, Any]:
    # Without a status, pages were left behind that nobody sees and whose titles are taken.
    parent = {"parentId": draft.parent_id} if draft.parent_id else {}
    body = {"representation": "storage", "value": draft.body}
    return {"status": "current", "title": draft.title, "body": body, **parent}
