"""What every answer is wrapped in."""

import itertools
from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import JSONResponse

from perfsuite.sandbox.standins.visits import Visit

USUAL_LIMIT: Final = 10
MOST: Final = 50
_NUMBERS: Final = itertools.count(1)
_SORTED_BY: Final = ("created", "updated", "name")


def answer(result: Any, *, version: int = 4, status: int = 200, **beside: Any) -> JSONResponse:
    """One result."""
    content = {"api_version": version, "error": None, "result": result, "request_id": _request_id(), **beside}
    return JSONResponse(content, status)


def failure(status: int, message: str, http_status: int) -> JSONResponse:
    error = {"code": status, "message": message}
    content = {"error": error, "api_version": 4, "result": None, "request_id": _request_id()}
    return JSONResponse(content, http_status, {"WWW-Authenticate": "Basic realm=api"} if http_status == 401 else {})


def page(visit: Visit, rows: Sequence[dict[str, Any]], *, total: int | str | None = None) -> JSONResponse:
    """A part of a list, as `limit`, `skip`, `name` and `sort[]` ask."""
    name = visit.value("name")
    found = [row for row in rows if name is None or row["name"] == name]
    for order in visit.values("sort[]"):
        key = order.removeprefix("-")
        if key in _SORTED_BY:
            found.sort(key=lambda row: (row[key] is None, row[key]), reverse=order.startswith("-"))
    limit = max(1, min(MOST, visit.number("limit", USUAL_LIMIT) or USUAL_LIMIT))
    skip = max(0, visit.number("skip", 0) or 0)
    counted = "n/a" if visit.fault("total_na") or total == "n/a" else len(found)
    return answer(found[skip : skip + limit], limit=limit, skip=skip, total=counted, hidden=0)


def _request_id() -> str:
    return f"{next(_NUMBERS):013x}"
