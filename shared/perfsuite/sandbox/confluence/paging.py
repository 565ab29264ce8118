"""Parts of lists: by a cursor in the second version of the API, by a start in the first."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from starlette.responses import JSONResponse

from perfsuite.sandbox.confluence.addresses import base_url, context
from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.site import Site
from perfsuite.sandbox.standins.visits import Visit

T = TypeVar("T")
_USUAL: Final = 25
_LONGEST_NUMBER: Final = 18


@dataclass(frozen=True)
class Part:
    """Where a part begins, how long it may be, and how long the whole is."""

    start: int
    limit: int
    total: int

    @property
    def has_more(self) -> bool:
        return self.start + self.limit < self.total


def page_v2(site: Site, visit: Visit, rows: Sequence[T], shown: Callable[[T], dict[str, Any]]) -> JSONResponse:
    """The rows that a cursor stands before."""
    part = Part(_cursor(visit), _limit(site, visit), len(rows))
    links = {"base": base_url(site, visit)}
    headers = {}
    if part.has_more:
        links["next"] = _path(
            visit, without=("cursor",), cursor=_written(part.start + part.limit), limit=str(part.limit)
        )
        headers["Link"] = f'<{links["next"]}>; rel="next"'
    found = [shown(row) for row in rows[part.start : part.start + part.limit]]
    return JSONResponse({"results": found, "_links": links}, headers=headers)


def page_v1(
    site: Site, visit: Visit, rows: Sequence[T], shown: Callable[[T], dict[str, Any]], **beside: Any
) -> JSONResponse:
    """The rows from a start. `limit` says how many come at most, which may be fewer than were asked for."""
    start = _cursor(visit) if visit.value("cursor") else _number(visit, "start", 0)
    part = Part(start, _limit(site, visit), len(rows))
    base, before = base_url(site, visit), context(site)
    links = {"base": base, "context": before, "self": f"{base}{_path(visit).removeprefix(before)}"}
    if part.has_more:
        ahead = {"start": str(part.start + part.limit), "limit": str(part.limit)}
        if site.spec.is_cloud:
            ahead |= {"next": "true", "cursor": _written(part.start + part.limit)}
        links["next"] = _path(visit, without=("start", "cursor", "next"), **ahead).removeprefix(before)
    found = [shown(row) for row in rows[part.start : part.start + part.limit]]
    told = {"results": found, "start": part.start, "limit": part.limit, "size": len(found), **beside, "_links": links}
    return JSONResponse(told)


def _limit(site: Site, visit: Visit) -> int:
    return max(1, min(site.spec.most_on_a_page, _number(visit, "limit", _USUAL)))


def _number(visit: Visit, name: str, default: int) -> int:
    text = visit.value(name)
    if not text:
        return default
    if not text.isdecimal() or len(text) > _LONGEST_NUMBER:
        raise Refusal(400, f"Provided value {{{text[:80]}}} for '{name}' is not the correct type. Expected type is int")
    return int(text)


def _path(visit: Visit, without: tuple[str, ...] = (), **ahead: str) -> str:
    """The path of this request without the gateway before it, and with other parameters."""
    path = visit.request.url.path
    if "cloud_id" in visit.request.path_params:
        path = path.removeprefix(visit.request.scope["root_path"])
    dropped = {*without, *ahead}
    kept = [(name, value) for name, value in visit.request.query_params.multi_items() if name not in dropped]
    query = urlencode([*kept, *ahead.items()])
    return f"{path}?{query}" if query else path


def _written(start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"start": start}).encode()).decode()


def _cursor(visit: Visit) -> int:
    text = visit.value("cursor")
    if not text:
        return 0
    try:
        start = json.loads(base64.urlsafe_b64decode(text))["start"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise Refusal(400, "The cursor provided is invalid") from None
    if not isinstance(start, int) or start < 0:
        raise Refusal(400, "The cursor provided is invalid")
    return start
