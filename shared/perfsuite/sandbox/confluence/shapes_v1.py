"""What the first version of the API says of things. Much of it comes only where `expand` asks for it."""

from typing import Any

from perfsuite.sandbox.confluence.addresses import base_url, context, download_path, moment, page_path, space_path
from perfsuite.sandbox.confluence.site import Site
from perfsuite.sandbox.confluence.wiki import PERSON, ROBOT, Attachment, Page, Property, Space, Version
from perfsuite.sandbox.standins.visits import Visit

_LATER = ("container", "metadata", "operations", "children", "restrictions", "history", "ancestors", "body", "version",
          "descendants", "space")  # fmt: skip


class Expansion:
    """What `expand` asks for, as in `body.storage,version`."""

    def __init__(self, visit: Visit, beside: str = "") -> None:
        texts = [*visit.values("expand"), beside]
        self._asked = {one.strip() for text in texts for one in text.split(",") if one.strip()}

    def has(self, name: str) -> bool:
        return any(one == name or one.startswith(f"{name}.") for one in self._asked)


def space_v1(site: Site, visit: Visit, space: Space) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": space.id, "key": space.key, "name": space.name, "type": "global", "status": "current",
        "_links": {"webui": space_path(site, space), "self": f"{base_url(site, visit)}/rest/api/space/{space.key}"},
        "_expandable": {"metadata": "", "description": "", "homepage": f"/rest/api/content/{space.home_id}"},
    }  # fmt: skip
    expansion = Expansion(visit)
    if expansion.has("homepage"):
        told["homepage"] = _short(site, visit, site.wiki.pages[space.home_id])
    if expansion.has("description"):
        told["description"] = {"plain": {"value": "", "representation": "plain"}}
    return told


def content(site: Site, visit: Visit, page: Page, beside: str = "") -> dict[str, Any]:
    """A page with what is asked for, and what comes anyway."""
    expansion, told = Expansion(visit, beside), _short(site, visit, page)
    if expansion.has("space"):
        told["space"] = space_v1(site, visit, page.space)
    if expansion.has("version"):
        told["version"] = version_v1(page.latest)
    if expansion.has("ancestors"):
        told["ancestors"] = [_short(site, visit, one) for one in site.wiki.ancestors(page)]
    if expansion.has("body.storage"):
        kept = {"value": page.latest.body, "representation": "storage", "_expandable": {"content": ""}}
        told["body"] = {"storage": kept, "_expandable": {"view": "", "export_view": "", "editor": ""}}
    if expansion.has("history"):
        told["history"] = history(page)
    if expansion.has("metadata.labels"):
        told["metadata"] = {"labels": labels_v1(page)}
    told["_expandable"] = {name: "" for name in _LATER if name not in told}
    return told


def labels_v1(page: Page) -> dict[str, Any]:
    rows = [label_v1(number, name) for number, name in enumerate(page.labels)]
    return {"results": rows, "start": 0, "limit": 200, "size": len(rows)}


def label_v1(number: int, name: str) -> dict[str, Any]:
    return {"prefix": "global", "name": name, "id": str(number + 1), "label": name}


def version_v1(version: Version) -> dict[str, Any]:
    return {
        "by": _user(version.by), "when": moment(version.at), "message": version.message, "number": version.number,
        "minorEdit": version.is_minor, "hidden": False,
    }  # fmt: skip


def attachment_v1(site: Site, visit: Visit, attachment: Attachment) -> dict[str, Any]:
    latest = attachment.latest
    version = Version(latest.number, attachment.title, "", latest.at, latest.comment, latest.is_minor)
    return {
        "id": f"att{attachment.id}", "type": "attachment", "status": attachment.status, "title": attachment.title,
        "version": version_v1(version),
        "metadata": {"comment": latest.comment, "mediaType": latest.media_type},
        "extensions": {"mediaType": latest.media_type, "fileSize": len(latest.content), "comment": latest.comment},
        "_links": {
            "download": download_path(attachment),
            "webui": f"/pages/viewpage.action?pageId={attachment.page_id}&preview=%2F{attachment.id}",
            "self": f"{base_url(site, visit)}/rest/api/content/att{attachment.id}",
        },
    }  # fmt: skip


def property_v1(site: Site, visit: Visit, page: Page, one: Property) -> dict[str, Any]:
    version = {"when": moment(one.at), "message": "", "number": one.version, "minorEdit": False, "hidden": False}
    place = f"{base_url(site, visit)}/rest/api/content/{page.id}/property/{one.key}"
    return {"id": str(one.id), "key": one.key, "value": one.value, "version": version, "_links": {"self": place}}


def _short(site: Site, visit: Visit, page: Page) -> dict[str, Any]:
    base, webui = base_url(site, visit), page_path(site, page)
    links = {
        "webui": webui, "edit": f"/pages/resumedraft.action?draftId={page.id}",
        "base": base, "context": context(site), "self": f"{base}/rest/api/content/{page.id}",
    }  # fmt: skip
    return {
        "id": str(page.id), "type": "page", "status": page.status, "title": page.title,
        "extensions": {"position": "none"}, "_links": links,
    }  # fmt: skip


def history(page: Page) -> dict[str, Any]:
    """Who wrote a page first, and who wrote it last."""
    first = page.versions[0]
    return {
        "latest": True, "createdBy": _user(first.by), "createdDate": moment(first.at),
        "lastUpdated": version_v1(page.latest),
    }  # fmt: skip


def _user(account: str) -> dict[str, Any]:
    name = {ROBOT: "Sandbox", PERSON: "Somebody Else"}[account]
    return {"type": "known", "username": name.lower().replace(" ", "."), "accountId": account, "displayName": name}
