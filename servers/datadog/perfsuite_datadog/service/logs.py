"""What `get_logs` and `get_apm_traces` do: count at Datadog, page to the end, and say what is missing."""

from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from perfsuite.artifacts import layout
from perfsuite.artifacts.layout import Artifact
from perfsuite.errors import AccessDenied, BadInput, RemoteError
from perfsuite.mcp.threads import in_thread
from perfsuite.workflow.ledger import RunningStep
from perfsuite_datadog.client.logs import SEARCH, count, pages
from perfsuite_datadog.core.logs import DEFAULT_TYPE, FACETS, known_type, own_name, scoped
from perfsuite_datadog.models.collection import QueryRecord
from perfsuite_datadog.models.logs import (
    MOST_EVENTS,
    CollectedEvents,
    Counts,
    EventKind,
    EventRequest,
    Search,
)
from perfsuite_datadog.service.configured import custom_queries
from perfsuite_datadog.service.desk import Desk, Order, next_collection, note_queries, order, recording
from perfsuite_datadog.service.earlier import KEPT, again, better, mark_incomplete
from perfsuite_datadog.service.logs_table import EventTable, event_table

GET_LOGS: Final = "get_logs"
GET_APM_TRACES: Final = "get_apm_traces"
_TOOLS: Final[dict[EventKind, str]] = {"logs": GET_LOGS, "spans": GET_APM_TRACES}
_FILES: Final[dict[EventKind, Artifact]] = {"logs": layout.LOGS, "spans": layout.APM_TRACES}
_MOST_SHOWN: Final = 20
_WITHOUT_RUN: Final = 1000


@dataclass(frozen=True)
class _Task:
    """A search that is to be carried out, and where it came from."""

    order: Order
    kind: EventKind
    type: str
    search: Search
    limit: int
    queries_file: Path | None

    @property
    def tool(self) -> str:
        return _TOOLS[self.kind]

    @property
    def part(self) -> str:
        return f"{self.kind} {self.type} {self.order.name}"

    def path(self, step: RunningStep) -> Path:
        """Where the events go."""
        return step.folder.path(_FILES[self.kind], type=self.type, env=self.order.name)


@dataclass
class _Found:
    """How far the search got."""

    counts: dict[str, Counts] = field(default_factory=dict)
    pages: int = 0
    timed_out: bool = False
    failure: RemoteError | None = None
    """What ended the pages too early."""
    limited: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def total(self) -> int | None:
        """All that Datadog counts, if it could be asked and had the time."""
        counts = self.counts.get("status")
        return sum(counts.by.values()) if counts and not (counts.timed_out or counts.is_cut) else None


async def get_logs(desk: Desk, request: EventRequest) -> CollectedEvents:
    """Collect log lines into the run, or only count them where there is none."""
    return await _collect(desk, request, "logs")


async def get_apm_traces(desk: Desk, request: EventRequest) -> CollectedEvents:
    """Collect spans into the run, or only count them where there is none."""
    return await _collect(desk, request, "spans")


async def _collect(desk: Desk, request: EventRequest, kind: EventKind) -> CollectedEvents:
    task = await _task(desk, request, kind)
    with recording(task.order, "logs", task.tool, task.part) as step:
        if step and task.queries_file:
            step.used(task.queries_file)
        found = _Found()
        # What is suppressed leaves the file as it was.
        with suppress(_LessThanBefore), _written(task, step) as table:
            await _count(desk, task, found)
            await _page(desk, task, found, table)
            missing = _missing(task, found, table)
            found.notes += _despite(found, missing)
            records: tuple[QueryRecord, ...] = (_record(task, found, table, missing, desk.datadog.requests),)
            if earlier := _earlier(task, found, step, records):
                found.notes.append(KEPT)
                records = earlier
                raise _LessThanBefore
        if step:
            step.produced(task.path(step))
        note_queries(step, records)
    if missing and not found.limited:
        mark_incomplete(step, desk.clock(), missing, again(task.tool))
    return _told(desk, task, found, table, missing)


class _LessThanBefore(Exception):
    """An earlier call got all events of the same search."""


def _earlier(
    task: _Task, found: _Found, step: RunningStep | None, records: tuple[QueryRecord, ...]
) -> tuple[QueryRecord, ...]:
    """What was noted about a file that should stay. Whoever sets a limit wants it to hold no more than that."""
    if step is None or found.limited or not task.path(step).is_file():
        return ()
    return better(step, records)


async def _task(desk: Desk, request: EventRequest, kind: EventKind) -> _Task:
    if request.type and request.query:
        raise BadInput("Both `type` and `query` are given.", next_step="Give one of them.")
    task = await order(desk, request)
    name, query, file = _asked(desk, request, kind)
    text = scoped(query, task.environment, "" if request.query else name)
    search = Search(kind, text, task.window.start_ms, task.window.end_ms)
    most = MOST_EVENTS if task.run else _WITHOUT_RUN
    return _Task(task, kind, name, search, min(request.limit or most, most), file)


def _asked(desk: Desk, request: EventRequest, kind: EventKind) -> tuple[str, str, Path | None]:
    if request.query:
        return own_name(request.query), request.query, None
    loaded = custom_queries(desk.settings)
    written = loaded.value.log_queries if kind == "logs" else loaded.value.apm_queries
    name = request.type or DEFAULT_TYPE
    query = known_type(kind, name, {key: one.query for key, one in written.items()})
    return name, query, loaded.path if name in written else None


@contextmanager
def _written(task: _Task, step: RunningStep | None) -> Iterator[EventTable]:
    name, tag = task.order.name, task.order.environment.env_tag
    if step is None:
        with event_table(None, task.kind, name, tag) as table:
            yield table
        return
    with (
        step.folder.staged(_FILES[task.kind], type=task.type, env=name) as path,
        event_table(path, task.kind, name, tag) as table,
    ):
        yield table


async def _count(desk: Desk, task: _Task, found: _Found) -> None:
    """Ask for the counts first: they cost three requests, and tell how far the pages will go."""
    for name, facet in FACETS[task.kind].items():
        try:
            # Only where every event has one do the counts add up to the total.
            counts = await count(desk.datadog, task.search, facet, missing=name != "error_kind")
        except AccessDenied:
            raise
        except RemoteError as error:
            found.notes.append(f"Events could not be counted by {name}: {error.message}")
            return
        found.counts[name] = counts
        if counts.timed_out:
            found.notes.append(f"Datadog ran out of time counting by {name}; the counts by {name} may be too low.")


async def _page(desk: Desk, task: _Task, found: _Found, table: EventTable) -> None:
    async with aclosing(pages(desk.datadog, task.search, task.limit)) as arriving:
        try:
            async for page in arriving:
                found.pages += 1
                found.timed_out |= page.timed_out
                await in_thread(partial(table.take, page.events), name=task.tool)
                desk.progress(table.rows, found.total, f"{table.rows} {task.kind}")
                found.limited = table.rows + table.duplicates >= task.limit and page.after is not None
        except AccessDenied:
            raise
        except RemoteError as error:
            if not found.pages:
                raise
            found.failure = error


def _missing(task: _Task, found: _Found, table: EventTable) -> str | None:
    """Why not every event is there, or None if all are."""
    total = found.total
    if total is not None and table.rows >= total:
        return None
    of = "" if total is None else f" of {total}"
    if found.failure:
        return f"After {table.rows}{of} events, Datadog failed: {found.failure}"
    if found.limited:
        why = "the `limit`" if task.order.run else "what is looked at without a `run_id`"
        return f"The first {table.rows}{of} events were fetched; {why} is {task.limit}."
    if found.timed_out:
        return "Datadog ran out of time while searching, so events may be missing on any page. Ask for less at once."
    if total is not None:
        return f"Datadog counts {total} events, and its pages held {table.rows}."
    return None


def _despite(found: _Found, missing: str | None) -> Iterator[str]:
    """What went wrong without any harm."""
    if missing is None and found.failure:
        yield f"As many events came as Datadog counts, although it failed in the end: {found.failure.message}"
    elif missing is None and found.timed_out:
        yield "As many events came as Datadog counts, although it ran out of time while searching."


def _record(task: _Task, found: _Found, table: EventTable, missing: str | None, requests: int) -> QueryRecord:
    notes = [*found.notes, *_about_duplicates(table)]
    return QueryRecord(
        tool=task.tool,
        environment=task.order.name,
        part=task.part,
        kind=task.kind,
        subject=task.type,
        query=task.search.query,
        window_from=task.order.window.start,
        window_to=task.order.window.end,
        requests=requests,
        pages=found.pages,
        rows=table.rows,
        complete=missing is None,
        reason=missing,
        notes=tuple(notes),
    )


def _told(desk: Desk, task: _Task, found: _Found, table: EventTable, missing: str | None) -> CollectedEvents:
    run = task.order.run
    return CollectedEvents(
        environment=task.order.name,
        window=task.order.window.shown,
        query=task.search.query,
        complete=missing is None,
        missing=missing,
        rows=table.rows,
        total=found.total,
        has_more=missing is not None,
        file=_FILES[task.kind].relative(type=task.type, env=task.order.name) if run else None,
        counts={name: _largest(counts.by) for name, counts in found.counts.items()},
        untrusted_examples=table.examples,
        notes=_notes(desk, task, found, table),
        next_step=_next_step(task, missing),
    )


def _largest(by: dict[str, int]) -> dict[str, int]:
    """The largest counts; the rest together, so that the sum stays true."""
    ordered = sorted(by.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(number for _, number in ordered[_MOST_SHOWN:])
    return {**dict(ordered[:_MOST_SHOWN]), **({f"({len(ordered) - _MOST_SHOWN} others)": rest} if rest else {})}


def _notes(desk: Desk, task: _Task, found: _Found, table: EventTable) -> list[str]:
    notes = [*task.order.window.notes, *desk.skew(), *found.notes, *_about_duplicates(table)]
    notes += [
        f"There are {len(counts.by)} values of {name} or more; only the largest are counted."
        for name, counts in found.counts.items()
        if counts.is_cut
    ]
    if allowance := desk.datadog.allowance(SEARCH[task.kind]):
        notes.append(f"Datadog's allowance for {task.kind}: {allowance}.")
    if not table.rows:
        notes.append(
            f"Nothing matched {task.search.query!r} from {task.order.window.shown}. Check the query and the env tag. "
            "Datadog may also no longer keep, or never have indexed, events of that time."
        )
    return notes


def _about_duplicates(table: EventTable) -> list[str]:
    return [f"{table.duplicates} events came twice and were kept once."] if table.duplicates else []


def _next_step(task: _Task, missing: str | None) -> str:
    if missing is None or task.order.run is None:
        return next_collection(task.order, task.tool)
    return f"Call `{task.tool}` again with a narrower query or window, or later; `complete` must be true to rely on it."
