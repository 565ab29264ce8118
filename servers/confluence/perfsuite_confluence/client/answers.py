"""Reading what Confluence answered."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ValidationError

from perfsuite.errors import BadAnswer, Conflict, LimitExceeded
from perfsuite.http import Answer
from perfsuite.samples.rows import printable
from perfsuite_confluence.models.entities import File, Page, Part

M = TypeVar("M", bound=BaseModel)

TOO_LARGE: Final = 413
# A link to the next part is not followed: the place is taken out of it, and asked for where we asked before.
_PLACES: Final = ("cursor", "start")
_NEXT: Final = "Check the base address, and that `mode` fits the site."


def parsed(model: type[M], value: Any, about: str) -> M:
    """One thing that an answer tells."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"])) or "the top"
        raise BadAnswer(
            f"Confluence told {about} in a way that cannot be read: at {printable(where)!r}, {problem['msg'].lower()}.",
            next_step=_NEXT,
        ) from None


def part_of(model: type[M], body: Any, about: str, *, inside: str | None = None) -> Part[M]:
    """A part of a list, and where the next one begins. `inside` is the key under which each row holds the thing."""
    rows = body.get("results") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise BadAnswer(f"Confluence told {about}, and no list was in it.", next_step=_NEXT)
    things = [row.get(inside) if inside and isinstance(row, dict) else row for row in rows]
    total = body.get("totalSize")
    return Part(
        tuple(parsed(model, thing, about) for thing in things),
        _place(body) if rows else None,
        total if isinstance(total, int) and total >= 0 else None,
    )


def uploaded(answer: Answer, file: File) -> Any:
    """What was answered to a file, unless it was too large."""
    if answer.status == TOO_LARGE:
        raise LimitExceeded(
            f"Confluence does not take {file.name!r}, which has {len(file.content):,} bytes.",
            next_step="Make it smaller, or have Confluence's administrator raise the limit for attachments.",
        )
    return answer.body


def changed_meanwhile(page: Page) -> Conflict:
    """The error about a version that somebody else made first."""
    return Conflict(
        f"Page {page.id} was changed by somebody while it was being published; version {page.version} was the last "
        "that was read. Nothing of theirs was overwritten.",
        next_step="Call `publish_report` again: it reads the page anew, and says what was changed.",
    )


def _place(body: Mapping[str, Any]) -> Mapping[str, str] | None:
    links = body.get("_links")
    link = links.get("next") if isinstance(links, dict) else None
    if not isinstance(link, str):
        return None
    try:
        told = dict(parse_qsl(urlsplit(link).query, max_num_fields=100))
    except ValueError:
        return None
    return {name: told[name] for name in _PLACES if name in told} or None
