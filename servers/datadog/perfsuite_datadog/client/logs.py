"""The routes that logs and spans are read by: page by page, and counted."""

from collections.abc import AsyncGenerator
from typing import Any, Final

from pydantic import BaseModel, NonNegativeInt, ValidationError

from perfsuite.errors import BadAnswer
from perfsuite.samples.rows import printable
from perfsuite_datadog.client.api import Datadog
from perfsuite_datadog.models.logs import Counts, Event, EventKind, Page, Search

SEARCH: Final[dict[EventKind, str]] = {
    "logs": "/api/v2/logs/events/search",
    "spans": "/api/v2/spans/events/search",
}
AGGREGATE: Final[dict[EventKind, str]] = {
    "logs": "/api/v2/logs/analytics/aggregate",
    "spans": "/api/v2/spans/analytics/aggregate",
}
SCOPE: Final[dict[EventKind, str]] = {"logs": "logs_read_data", "spans": "apm_read"}
PAGE: Final = 1000
GROUPS: Final = 100
WITHOUT: Final = "(none)"


class _Found(BaseModel):
    id: str = ""
    attributes: dict[str, Any] = {}


class _PageMeta(BaseModel):
    after: str | None = None


class _Meta(BaseModel):
    page: _PageMeta | None = None
    status: str | None = None


class _Events(BaseModel):
    data: list[_Found] | None = None
    meta: _Meta | None = None


class _Moment(BaseModel):
    value: NonNegativeInt


Computes = dict[str, NonNegativeInt | list[_Moment]]
"""A number, or one for each stretch of time where that was asked."""


class _LogBucket(BaseModel):
    by: dict[str, Any] = {}
    computes: Computes = {}


class _LogBuckets(BaseModel):
    buckets: list[_LogBucket] = []


class _LogCounts(BaseModel):
    data: _LogBuckets
    meta: _Meta | None = None


class _SpanAttributes(BaseModel):
    by: dict[str, Any] = {}
    compute: Computes = {}


class _SpanBucket(BaseModel):
    attributes: _SpanAttributes


class _SpanCounts(BaseModel):
    data: list[_SpanBucket]
    meta: _Meta | None = None


async def pages(datadog: Datadog, search: Search, limit: int) -> AsyncGenerator[Page, None]:
    """The pages up to so many events, the oldest first, until one is empty or has no cursor.

    A short page says nothing: the last one with data still has a cursor, and the one after it is empty.
    """
    cursor, left, seen = None, limit, {""}
    while left > 0:
        asked = {"limit": min(PAGE, left), **({"cursor": cursor} if cursor else {})}
        body = {"filter": _filter(search), "sort": "timestamp", "page": asked}
        answer = await datadog.post(
            SEARCH[search.kind], _wrapped(search.kind, "search_request", body), scope=SCOPE[search.kind]
        )
        page = read_page(answer, SEARCH[search.kind])
        yield page
        if not page.events or page.after is None:
            return
        if page.after in seen:
            raise _unusable(SEARCH[search.kind], "a cursor leads back to where it was")
        cursor = page.after
        seen = {cursor}
        left -= len(page.events)


async def count(datadog: Datadog, search: Search, facet: str, *, missing: bool) -> Counts:
    """How many events there are by the values of a facet; `missing` counts those without it as well."""
    group: dict[str, Any] = {"facet": facet, "limit": GROUPS, **({"missing": WITHOUT} if missing else {})}
    group["sort"] = {"aggregation": "count", "order": "desc", "type": "measure"}
    body = {"filter": _filter(search), "compute": [{"aggregation": "count", "type": "total"}], "group_by": [group]}
    answer = await datadog.post(
        AGGREGATE[search.kind], _wrapped(search.kind, "aggregate_request", body), scope=SCOPE[search.kind]
    )
    return read_counts(answer, search.kind, facet)


def read_page(answer: object, path: str) -> Page:
    """The events of an answer, or an error about its shape."""
    try:
        found = _Events.model_validate(answer)
    except ValidationError as error:
        raise _unusable(path, _first(error)) from None
    if found.data is None:
        raise _unusable(path, "there is no `data`")
    events = tuple(Event(one.id, one.attributes) for one in found.data)
    meta = found.meta or _Meta()
    return Page(events, meta.page.after if meta.page else None, meta.status == "timeout")


def read_counts(answer: object, kind: EventKind, facet: str) -> Counts:
    """The counts of an answer by the values of its facet."""
    try:
        pairs, meta = _log_counts(answer) if kind == "logs" else _span_counts(answer)
    except ValidationError as error:
        raise _unusable(AGGREGATE[kind], _first(error)) from None
    by: dict[str, int] = {}
    for group, computes in pairs:
        name = printable(str(group.get(facet, WITHOUT)), 100)
        by[name] = by.get(name, 0) + _number(next(iter(computes.values()), 0))
    return Counts(by, timed_out=meta is not None and meta.status == "timeout", is_cut=len(pairs) >= GROUPS)


def _number(computed: int | list[_Moment]) -> int:
    return computed if isinstance(computed, int) else sum(one.value for one in computed)


def _log_counts(answer: object) -> tuple[list[tuple[dict[str, Any], Computes]], _Meta | None]:
    found = _LogCounts.model_validate(answer)
    return [(one.by, one.computes) for one in found.data.buckets], found.meta


def _span_counts(answer: object) -> tuple[list[tuple[dict[str, Any], Computes]], _Meta | None]:
    found = _SpanCounts.model_validate(answer)
    return [(one.attributes.by, one.attributes.compute) for one in found.data], found.meta


def _filter(search: Search) -> dict[str, str]:
    """Absolute times: relative ones would move between two pages."""
    return {"from": str(search.start_ms), "to": str(search.end_ms), "query": search.query}


def _wrapped(kind: EventKind, name: str, body: dict[str, Any]) -> dict[str, Any]:
    return body if kind == "logs" else {"data": {"type": name, "attributes": body}}


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"at {'.'.join(map(str, problem['loc'])) or 'the top'}, {problem['msg']}"


def _unusable(path: str, problem: str) -> BadAnswer:
    return BadAnswer(
        f"Datadog answered {path} in a form that cannot be used: {printable(problem, 200)}.",
        next_step="Check DD_SITE and DATADOG_BASE_URL; if they are right, ask for a shorter window.",
    )
