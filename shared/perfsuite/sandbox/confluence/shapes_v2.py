"""What the second version of the API, which there is in the cloud alone, says of things."""

from typing import Any

from perfsuite.sandbox.confluence.addresses import download_path, moment, page_path, space_path
from perfsuite.sandbox.confluence.site import Site
from perfsuite.sandbox.confluence.wiki import ROBOT, Attachment, Page, Property, Space, Version

_STORAGE = "storage"


def space_v2(site: Site, space: Space) -> dict[str, Any]:
    return {
        "id": str(space.id), "key": space.key, "name": space.name, "type": "global", "status": "current",
        "authorId": ROBOT, "createdAt": moment(space.at), "homepageId": str(space.home_id), "description": None,
        "icon": None, "_links": {"webui": space_path(site, space)},
    }  # fmt: skip


def page_v2(site: Site, page: Page, *, body: str | None = None, number: int | None = None) -> dict[str, Any]:
    """A page, with its body where one is asked for."""
    version = (page.version(number) if number else None) or page.latest
    kept = {_STORAGE: {"representation": _STORAGE, "value": version.body}} if body == _STORAGE else {}
    return {
        "id": str(page.id), "status": page.status, "title": version.title, "spaceId": str(page.space.id),
        "parentId": str(page.parent_id) if page.parent_id else None, "parentType": "page" if page.parent_id else None,
        "position": position(site, page), "authorId": page.versions[0].by, "ownerId": page.versions[0].by,
        "lastOwnerId": None, "createdAt": moment(page.versions[0].at), "version": version_v2(version), "body": kept,
        "_links": {"webui": page_path(site, page), "editui": f"/pages/resumedraft.action?draftId={page.id}"},
    }  # fmt: skip


def child_v2(site: Site, page: Page) -> dict[str, Any]:
    return {
        "id": str(page.id), "status": page.status, "title": page.title, "spaceId": str(page.space.id),
        "childPosition": position(site, page),
    }  # fmt: skip


def version_v2(version: Version) -> dict[str, Any]:
    return {
        "number": version.number, "message": version.message, "minorEdit": version.is_minor, "authorId": version.by,
        "createdAt": moment(version.at),
    }  # fmt: skip


def attachment_v2(attachment: Attachment) -> dict[str, Any]:
    latest, path = attachment.latest, download_path(attachment)
    version = {
        "number": latest.number, "message": latest.comment, "minorEdit": latest.is_minor, "authorId": ROBOT,
        "createdAt": moment(latest.at),
    }  # fmt: skip
    return {
        "id": f"att{attachment.id}", "status": attachment.status, "title": attachment.title,
        "createdAt": moment(attachment.uploads[0].at), "pageId": str(attachment.page_id),
        "mediaType": latest.media_type, "mediaTypeDescription": latest.media_type, "comment": latest.comment,
        "fileId": f"{attachment.id:08x}-0000-4000-8000-{latest.number:012x}", "fileSize": len(latest.content),
        "webuiLink": f"/pages/viewpageattachments.action?pageId={attachment.page_id}", "downloadLink": path,
        "version": version, "_links": {"download": path},
    }  # fmt: skip


def property_v2(one: Property) -> dict[str, Any]:
    version = {
        "number": one.version, "message": "", "minorEdit": False, "authorId": ROBOT, "createdAt": moment(one.at),
    }  # fmt: skip
    return {"id": str(one.id), "key": one.key, "value": one.value, "version": version}


def label_v2(number: int, name: str) -> dict[str, Any]:
    return {"id": str(number + 1), "name": name, "prefix": "global"}


def position(site: Site, page: Page) -> int | None:
    """Where a page stands among its siblings."""
    above = site.wiki.pages.get(page.parent_id or 0)
    siblings = site.wiki.children(above) if above else []
    return siblings.index(page) if page in siblings else None
