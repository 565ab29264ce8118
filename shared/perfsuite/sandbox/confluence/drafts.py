"""Pages as the two versions of the API describe what they should become."""

from typing import Any, Final

from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.site import Draft, Site
from perfsuite.sandbox.confluence.standin import ConfluenceStandIn
from perfsuite.sandbox.confluence.wiki import Page, Status
from perfsuite.sandbox.standins.visits import Visit

UPDATE_FAULTS: Final = ("edited_meanwhile", "deleted_meanwhile", "optimistic_lock")
TITLE_FAULTS: Final = ("title_500",)
_ID_DIGITS: Final = 18
_EDITED: Final = "<p>Somebody else wrote this meanwhile.</p>"
_LOCKED: Final = (
    "Attempted to update stale data; org.springframework.orm.hibernate.HibernateOptimisticLockingFailureException"
)


def draft_v2(sent: dict[str, Any]) -> Draft:
    """A page as in the cloud; its body stands under `body` or under `body.storage`."""
    body = _object(sent, "body")
    version = _object(sent, "version")
    return Draft(
        _text(sent, "title"),
        _storage(_object(body, "storage") or body),
        _id(sent.get("parentId")),
        _whole(version.get("number")),
        str(version.get("message") or ""),
        bool(version.get("minorEdit")),
        _status(sent.get("status", "current")),
    )


def draft_v1(sent: dict[str, Any], page: Page | None = None) -> Draft:
    """A page as on premises, whose last ancestor is its parent. What an update leaves out stays."""
    body, version = _object(_object(sent, "body"), "storage"), _object(sent, "version")
    ancestors = sent.get("ancestors") or []
    parent = ancestors[-1] if isinstance(ancestors, list) and ancestors else {}
    if sent.get("type") != "page":
        raise Refusal(400, "This stand-in knows the type page alone")
    return Draft(
        _text(sent, "title") if page is None or "title" in sent else page.title,
        _storage(body) if body or page is None else page.latest.body,
        _id(parent.get("id")) if isinstance(parent, dict) else None,
        _whole(version.get("number")),
        str(version.get("message") or ""),
        bool(version.get("minorEdit")),
        _status(sent.get("status", "current")),
    )


def meet_others(standin: ConfluenceStandIn, visit: Visit, page: Page) -> None:
    """Let somebody else be quicker, where that was ordered."""
    if visit.fault("edited_meanwhile"):
        standin.site.wiki.edit_as_person(page, _EDITED, standin.clock.now())
    if visit.fault("deleted_meanwhile"):
        standin.site.wiki.trash(page)
        raise Refusal(404, f"No content found with id: ContentId{{id={page.id}}}", "Not Found")
    if visit.fault("optimistic_lock"):
        raise Refusal(409, _LOCKED)


def created(site: Site, visit: Visit, key: str, draft: Draft) -> Page:
    """A new page; some servers find only late that its title is taken, and say so with 500."""
    try:
        return site.create(site.wiki.spaces[key], draft)
    except Refusal as refusal:
        if visit.fault("title_500") and "already exists" in refusal.message:
            raise Refusal(500, "Transaction rolled back because it has been marked as rollback-only") from None
        raise


def _object(sent: dict[str, Any], name: str) -> dict[str, Any]:
    found = sent.get(name) or {}
    if not isinstance(found, dict):
        raise Refusal(400, f"{name} is an object")
    return found


def _text(sent: dict[str, Any], name: str) -> str:
    found = sent.get(name)
    if not isinstance(found, str):
        raise Refusal(400, f"{name} is required")
    return found


def _storage(body: dict[str, Any]) -> str:
    if body.get("representation") != "storage":
        raise Refusal(400, "The representation of a body is required, and this stand-in knows storage alone")
    return _text(body, "value")


def _id(value: object) -> int | None:
    if value in (None, ""):
        return None
    text = str(value)
    if not text.isdecimal() or len(text) > _ID_DIGITS:
        raise Refusal(400, f"Provided value {{{text[:80]}}} for 'parentId' is not the correct type")
    return int(text)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _status(value: object) -> Status:
    if value == "current":
        return "current"
    if value == "draft":
        return "draft"
    raise Refusal(400, f"The status {str(value)[:80]!r} is not one of current, draft")
