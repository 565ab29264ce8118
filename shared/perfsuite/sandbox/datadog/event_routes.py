"""The routes for logs and spans: pages with cursors, and counts.

A short page still has a cursor, as was recorded; the page after the last one holds no data and says nothing else.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from anyio import to_thread
from starlette.responses import JSONResponse, Response

from perfsuite.sandbox.datadog.event_answers import FUNCTIONS, Aggregate, cursor_after, place_of, shown
from perfsuite.sandbox.datadog.events import EventKind, Events
from perfsuite.sandbox.datadog.refusals import Refusal, guarded
from perfsuite.sandbox.datadog.searches import Event, read_search
from perfsuite.sandbox.datadog.times import at_ms
from perfsuite.sandbox.standins.routes import RouteTable
from perfsuite.sandbox.standins.visits import Visit

if TYPE_CHECKING:
    from perfsuite.sandbox.datadog.standin import DatadogStandIn

EVENT_ROUTES: Final[RouteTable["DatadogStandIn"]] = RouteTable("datadog")
_MOST: Final = 1000
_DEFAULT: Final = 10
_PAGES: Final = ("status_timeout", "overlap")
"""A page that was not finished in time; and a page that begins with the last event of the one before."""
_VENDOR: Final = "application/vnd.api+json"


@dataclass(frozen=True)
class _Asked:
    """What a request is about, in either of the two wrappings."""

    kind: EventKind
    filter: dict[str, Any]
    page: dict[str, Any]
    rest: dict[str, Any]

    def matching(self, standin: "DatadogStandIn", after: tuple[int, int] | None = None) -> Iterator[Event]:
        """The events of the window that pass the query, after a place in their order."""
        now = standin.clock.now()
        begin, end = self._time("from", "now-15m", now), self._time("to", "now", now)
        if begin > end:
            raise Refusal("invalid_argument(Field 'filter.from,to' is invalid: 'from' should be anterior to 'to')", 422)
        test = read_search(str(self.filter.get("query", "*")))
        if after and self.newest_first:
            end = min(end, after[0] + 1)
        elif after:
            begin = max(begin, after[0])
        found = Events(standin.world, self.kind).between(begin, end, now, newest_first=self.newest_first)
        return (event for event in found if test(event) and self._follows(event, after))

    @property
    def newest_first(self) -> bool:
        sort = self.rest.get("sort", "timestamp")
        if sort not in ("timestamp", "-timestamp"):
            raise Refusal("input_validation_error(Field 'sort' is invalid)")
        return bool(sort == "-timestamp")

    @property
    def limit(self) -> int:
        limit = self.page.get("limit", _DEFAULT)
        if not isinstance(limit, int) or not 1 <= limit <= _MOST:
            raise Refusal(f"input_validation_error(Field 'page.limit' is invalid: must be between 1 and {_MOST})")
        return limit

    @property
    def after(self) -> tuple[int, int] | None:
        cursor = self.page.get("cursor")
        if cursor is None:
            return None
        try:
            return place_of(str(cursor))
        except (ValueError, KeyError, TypeError, IndexError):
            raise Refusal("input_validation_error(Field 'page.cursor' is invalid)") from None

    def _follows(self, event: Event, after: tuple[int, int] | None) -> bool:
        return after is None or (event.key < after if self.newest_first else event.key > after)

    def _time(self, name: str, default: str, now: float) -> int:
        try:
            return at_ms(self.filter.get(name, default), now)
        except ValueError:
            raise Refusal(f"input_validation_error(Field 'filter.{name}' is invalid)") from None


@EVENT_ROUTES.route(
    "POST", "/api/v2/logs/events/search", name="logs_search", evidence="recorded", faults=_PAGES,
)  # fmt: skip
@guarded("logs_public_search_api", "logs_read_data")
async def logs_search(standin: "DatadogStandIn", visit: Visit) -> Response:
    return await _search(standin, visit, _asked("log", visit.json()))


@EVENT_ROUTES.route(
    "POST", "/api/v2/spans/events/search", name="spans_search", evidence="specified", faults=_PAGES,
    note="The end of paging is that of logs, and was not recorded for spans; nor was a page with data.",
)  # fmt: skip
@guarded("spans_public_search_api", "apm_read")
async def spans_search(standin: "DatadogStandIn", visit: Visit) -> Response:
    return await _search(standin, visit, _asked("span", _unwrapped(visit, "search_request")))


@EVENT_ROUTES.route(
    "POST", "/api/v2/logs/analytics/aggregate", name="logs_aggregate", evidence="specified", faults=("status_timeout",),
    note="Only answers without buckets were recorded; their inside follows the specification. "
    "The rate limit is assumed.",
)  # fmt: skip
@guarded("logs_public_aggregate_api", "logs_read_data")
async def logs_aggregate(standin: "DatadogStandIn", visit: Visit) -> Response:
    found = await _aggregated(standin, _asked("log", visit.json()))
    buckets = [{"by": by, "computes": computes} for by, computes in found]
    return JSONResponse({"data": {"buckets": buckets}, "meta": _meta(visit)})


@EVENT_ROUTES.route(
    "POST", "/api/v2/spans/analytics/aggregate", name="spans_aggregate", evidence="specified",
    faults=("status_timeout",),
    note="One count over time without groups was recorded; totals by group follow the specification. That it shares "
    "the allowance of searches is assumed.",
)  # fmt: skip
@guarded("spans_public_search_api", "apm_read")
async def spans_aggregate(standin: "DatadogStandIn", visit: Visit) -> Response:
    found = await _aggregated(standin, _asked("span", _unwrapped(visit, "aggregate_request")))
    data = [
        {"type": "bucket", "id": _request_id(visit, place), "attributes": {"by": by, "compute": computes}}
        for place, (by, computes) in enumerate(found)
    ]
    return JSONResponse({"data": data, "meta": _meta(visit)}, media_type=_VENDOR)


def _asked(kind: EventKind, body: dict[str, Any]) -> _Asked:
    filter_, page = body.get("filter") or {}, body.get("page") or {}
    if not isinstance(filter_, dict) or not isinstance(page, dict):
        raise Refusal("input_validation_error(Field 'filter' is invalid)")
    return _Asked(kind, filter_, page, body)


def _unwrapped(visit: Visit, kind: str) -> dict[str, Any]:
    data = visit.json().get("data")
    if not isinstance(data, dict) or data.get("type") != kind or not isinstance(data.get("attributes"), dict):
        raise Refusal(f'API input validation failed: Invalid type. Expected "{kind}".')
    found: dict[str, Any] = data["attributes"]
    return found


async def _search(standin: "DatadogStandIn", visit: Visit, asked: _Asked) -> Response:
    limit, after = asked.limit, asked.after
    if after and visit.fault("overlap"):
        after = (after[0], after[1] + 1) if asked.newest_first else (after[0], after[1] - 1)
    found = await to_thread.run_sync(lambda: list(islice(asked.matching(standin, after), limit)))
    media_type = "application/json" if asked.kind == "log" else _VENDOR
    data = [shown(asked.kind, event) for event in found]
    if not found and after:
        return JSONResponse({"data": []}, media_type=media_type)
    meta = _meta(visit)
    if not found:
        return JSONResponse({"data": [], "meta": meta}, media_type=media_type)
    cursor = cursor_after(found[-1])
    meta["page"] = {"after": cursor}
    return JSONResponse({"data": data, "meta": meta, "links": {"next": _link(visit, cursor)}}, media_type=media_type)


async def _aggregated(standin: "DatadogStandIn", asked: _Asked) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    computes = asked.rest.get("compute") or [{"aggregation": "count"}]
    groups = asked.rest.get("group_by") or []
    known = {"count", "cardinality", *FUNCTIONS}
    if not isinstance(computes, list) or any(_value(one, "aggregation") not in known for one in computes):
        raise Refusal("input_validation_error(Field 'compute' is invalid)")
    if not isinstance(groups, list) or any(not isinstance(_value(one, "facet"), str) for one in groups):
        raise Refusal("input_validation_error(Field 'group_by' is invalid)")
    return await to_thread.run_sync(lambda: Aggregate(computes, groups).buckets(asked.matching(standin)))


def _meta(visit: Visit) -> dict[str, Any]:
    status = "timeout" if visit.fault("status_timeout") else "done"
    return {"elapsed": 12, "request_id": _request_id(visit, 0), "status": status}


def _request_id(visit: Visit, place: int) -> str:
    return hashlib.blake2b(visit.body + bytes([place % 256]), digest_size=16).hexdigest()


def _link(visit: Visit, cursor: str) -> str:
    path = visit.request.url.path.removesuffix("/search")
    return f"{visit.request.url.replace(path=path, query=urlencode({'page[cursor]': cursor}))}"


def _value(part: object, name: str) -> object:
    return part.get(name) if isinstance(part, dict) else None
