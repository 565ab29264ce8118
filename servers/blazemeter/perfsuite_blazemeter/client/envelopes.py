"""Every answer of BlazeMeter comes in an envelope, and a fault may come in one that says 200."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from perfsuite.errors import (
    AccessDenied,
    BadAnswer,
    BadInput,
    Conflict,
    NotFound,
    PerfsuiteError,
    RateLimited,
    Refused,
    RemoteError,
)
from perfsuite.http import Answer, Json
from perfsuite.samples.rows import printable
from perfsuite.settings import redact
from perfsuite_blazemeter.models.entities import Archived, Page

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

ACCESS_HINT: Final = (
    "Check API_KEY_ID and API_KEY_SECRET (or the file that BLAZEMETER_API_KEY names), and that the key's owner may see "
    "this account and workspace: `get_workspaces` lists those they may see."
)
_ARCHIVED: Final = re.compile(r"\barchived\b", re.IGNORECASE)
_UNPROCESSABLE: Final = 422
_WRONG: Final = "Check what was asked for."
_KINDS: Final[dict[int, tuple[type[PerfsuiteError], str]]] = {
    400: (BadInput, _WRONG),
    401: (AccessDenied, ACCESS_HINT),
    402: (Refused, "The account's plan does not cover it: its owner can tell."),
    403: (AccessDenied, ACCESS_HINT),
    404: (NotFound, "Check the id and that the key's owner may see it; `get_test_runs` and `get_tests` list ids."),
    409: (Conflict, "Look how it stands with `check_test_status`."),
    422: (BadInput, _WRONG),
    429: (RateLimited, "Wait a minute, then try again."),
}
_OTHERWISE: Final = (RemoteError, "Check what was asked for; if it was right, try again later.")
_REPORT: Final = "If this answer is not a login page or a proxy's, report it: BlazeMeter may have changed."


def archived(answer: Answer) -> Archived | None:
    """Whether this is what BlazeMeter says in place of a report that it has put away."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    if error and _code(error) in (None, _UNPROCESSABLE, answer.status) and _ARCHIVED.search(_message(error)):
        return Archived(_message(error))
    return None


def result_of(answer: Answer, about: str) -> Json:
    """What the envelope holds, or the error that it says."""
    body = answer.body
    if not isinstance(body, dict) or not ("result" in body or body.get("error")):
        raise BadAnswer(f"BlazeMeter's answer about {about} is no envelope with a result.", next_step=_REPORT)
    if error := body.get("error"):
        code = _code(error)
        kind, next_step = _KINDS.get(code or answer.status, _OTHERWISE)
        said = _message(error) or "nothing more"
        raise kind(f"BlazeMeter refused {about} ({code or 'no code'}). It says: {said!r}.", next_step=next_step)
    if answer.status >= 400:
        raise RemoteError(f"BlazeMeter answered {about} with {answer.status} alone.", next_step=_OTHERWISE[1])
    return body.get("result")


def parsed(model: type[M], value: Json, about: str) -> M:
    """The value as this model, or an error that names what cannot be used."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _unusable(error, about) from None


def parsed_list(model: type[M], value: Json, about: str) -> list[M]:
    """The same for a list. Null is an empty one."""
    try:
        return TypeAdapter(list[model]).validate_python([] if value is None else value)  # type: ignore[valid-type]
    except ValidationError as error:
        raise _unusable(error, about) from None


def page_of(answer: Answer, model: type[M], about: str, *, skip: int, limit: int) -> Page[M]:
    """A part of a list. `total` may be the word "n/a": then only a short page tells the end."""
    items = parsed_list(model, result_of(answer, about), about)
    body: dict[str, Any] = answer.body if isinstance(answer.body, dict) else {}
    total = _count(body.get("total"))
    served = _count(body.get("limit")) or limit
    more = skip + len(items) < total if total is not None else len(items) >= min(served, limit)
    return Page(items, total, has_more=more and bool(items))


def unwrapped(value: Json, *keys: str) -> Json:
    """A list that may come as it is, or under a key."""
    for key in keys:
        if isinstance(value, dict) and key in value:
            return value[key]
    return value


def or_archived(answer: Answer, about: str, read: Callable[[Json], T]) -> T | Archived:
    """A report, or that it is archived."""
    return archived(answer) or read(result_of(answer, about))


def _code(error: Json) -> int | None:
    return _count(error.get("code")) if isinstance(error, dict) else None


def _message(error: Json) -> str:
    text = error.get("message") if isinstance(error, dict) else error
    return printable(redact(text)) if isinstance(text, str) else ""


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None


def _unusable(error: ValidationError, about: str) -> BadAnswer:
    problem = error.errors(include_url=False, include_input=False)[0]
    where = printable(".".join(map(str, problem["loc"])) or "the top")
    return BadAnswer(
        f"BlazeMeter's answer about {about} cannot be used: at {where!r}, {printable(problem['msg'])}.",
        next_step=_REPORT,
    )
