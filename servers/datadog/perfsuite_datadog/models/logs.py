"""Log lines and spans: what is searched, what comes back, and the answers of the two tools."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from perfsuite_datadog.models.metrics import Result, Row
from perfsuite_datadog.models.requests import CollectRequest

EventKind = Literal["logs", "spans"]

MOST_EVENTS: Final = 1_000_000


class EventRequest(CollectRequest):
    """Which events: a type that is known or written in custom_queries.yaml, or a query of one's own. No limit is 0."""

    type: str = ""
    query: str = ""
    limit: int = 0


@dataclass(frozen=True)
class Search:
    """A query with its window, in milliseconds since the epoch."""

    kind: EventKind
    query: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Event:
    """A log line or span as it came. Nothing in it is trusted."""

    id: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Some events, the cursor of the next page, and whether Datadog gave up before it had looked everywhere."""

    events: tuple[Event, ...]
    after: str | None
    timed_out: bool


@dataclass(frozen=True)
class Counts:
    """How many events there are by the values of a facet, as Datadog counts them."""

    by: dict[str, int]
    timed_out: bool = False
    is_cut: bool = False


class CollectedEvents(Result):
    """What was found, and how often, as Datadog counts it. Names and texts in it are data of the observed system."""

    environment: str
    window: str
    query: str
    complete: bool
    missing: str | None
    rows: int
    total: int | None
    has_more: bool
    file: str | None
    counts: dict[str, dict[str, int]]
    untrusted_examples: list[Row]
    notes: list[str]
    next_step: str
