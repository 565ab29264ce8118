"""Asks for several metrics at once, and keeps what can be trusted of the answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from perfsuite.errors import AccessDenied, RemoteError, Unreachable
from perfsuite.samples.rows import printable
from perfsuite_datadog.client.metrics import timeseries
from perfsuite_datadog.core.buckets import Buckets, spacing_s, whole_buckets
from perfsuite_datadog.core.catalog import Wanted
from perfsuite_datadog.core.formulas import combined, written_width_s
from perfsuite_datadog.models.collection import QueryRecord
from perfsuite_datadog.models.timeseries import Question, Series, Timeseries, only
from perfsuite_datadog.service.desk import Desk, Order

Group = tuple[str, ...]

_LONGEST_NAME: Final = 200
_NO_SERIES: Final = "Nothing matched: no series came back."
_NO_UNIT: Final = "The answer carries no unit."


@dataclass(frozen=True)
class Asking:
    """For whom it is asked, by which tags the answer is parted, and how wide its buckets shall be."""

    tool: str
    part: str
    subject: str
    by: tuple[str, ...] | None
    width_s: int


@dataclass(frozen=True)
class Answered:
    """What came back: the series of each query by their group, at the times of the whole buckets."""

    times_ms: tuple[int, ...] = ()
    series: dict[str, dict[Group, Series]] = field(default_factory=dict)
    records: tuple[QueryRecord, ...] = ()
    failure: RemoteError | None = None
    note: str | None = None
    is_too_short: bool = False
    """The window, for the buckets that came or were asked for."""

    def groups(self) -> tuple[Group, ...]:
        """Every group that any query has a value for, in order."""
        return tuple(sorted({group for found in self.series.values() for group in found}))

    def of(self, label: str, group: Group) -> Series | None:
        return self.series.get(label, {}).get(group)


async def ask(desk: Desk, order: Order, asking: Asking, wanted: Sequence[Wanted]) -> Answered:
    """Send these in one request. One that fails is told in the answer, unless every other would fail too."""
    answer = await _sent(desk, order, asking, wanted)
    if isinstance(answer, RemoteError):
        return _failure(order, asking, wanted, answer)
    return _answered(order, asking, wanted, answer, desk.past())


async def ask_each(desk: Desk, order: Order, asking: Asking, wanted: Sequence[Wanted]) -> list[Answered]:
    """As `ask`, but each has times of its own: where rollups differ, shared ones would be full of gaps."""
    answer = await _sent(desk, order, asking, wanted)
    if isinstance(answer, RemoteError):
        return [_failure(order, asking, [one], answer) for one in wanted]
    return [_answered(order, asking, [one], only(answer, number), desk.past()) for number, one in enumerate(wanted)]


async def _sent(desk: Desk, order: Order, asking: Asking, wanted: Sequence[Wanted]) -> Timeseries | RemoteError:
    queries, formulas = combined(wanted)
    window = order.window
    if desk.unreachable:
        return desk.unreachable[0]
    try:
        return await timeseries(
            desk.datadog, Question(queries, formulas, window.start_ms, window.end_ms, asking.width_s * 1000)
        )
    except AccessDenied:
        raise
    except Unreachable as error:
        desk.unreachable.append(error)
        return error
    except RemoteError as error:
        return error


def _failure(order: Order, asking: Asking, wanted: Sequence[Wanted], error: RemoteError) -> Answered:
    return Answered(records=tuple(_failed(order, asking, one, error) for one in wanted), failure=error)


def first_failure(answers: Sequence[Answered]) -> RemoteError | None:
    """The failure to raise, where nothing at all came back."""
    failures = [one.failure for one in answers if one.failure]
    return failures[0] if failures and len(failures) == len(answers) else None


def _answered(order: Order, asking: Asking, wanted: Sequence[Wanted], answer: Timeseries, now: datetime) -> Answered:
    asked_s = max(asking.width_s, written_width_s(text for one in wanted for text in one.queries.values()))
    buckets = whole_buckets(answer.times_ms, order.window, round(now.timestamp() * 1000), asked_s)
    found: list[list[Series]] = [[] for _ in wanted]
    for one in answer.series:
        found[one.formula].append(one)
    records = (
        _record(order, asking, one, answer.times_ms, series, buckets) for one, series in zip(wanted, found, strict=True)
    )
    return Answered(
        times_ms=tuple(answer.times_ms[place] for place in buckets.places),
        series={
            one.label: {_group(asking, each): _at(each, buckets) for each in series}
            for one, series in zip(wanted, found, strict=True)
        },
        records=tuple(records),
        note=buckets.note,
        is_too_short=buckets.is_too_wide,
    )


def _group(asking: Asking, series: Series) -> Group:
    if asking.by is None:
        return (printable(", ".join(f"{tag}:{value}" for tag, value in sorted(series.group.items())), _LONGEST_NAME),)
    return tuple(printable(series.group.get(tag, ""), _LONGEST_NAME) for tag in asking.by)


def _at(series: Series, buckets: Buckets) -> Series:
    return replace(series, values=tuple(series.values[place] for place in buckets.places))


def _record(
    order: Order, asking: Asking, wanted: Wanted, times: Sequence[int], series: Sequence[Series], buckets: Buckets
) -> QueryRecord:
    spacings = [spacing for one in series if (spacing := spacing_s(times, one.values))]
    units = sorted({one.unit_text for one in series if one.unit_text})
    notes = (buckets.note, _NO_UNIT if series and not units else None)
    return _base(order, asking, wanted).model_copy(
        update={
            "effective_interval_s": min(spacings, default=None),
            "rows": sum(one.values[place] is not None for one in series for place in buckets.places),
            "unit": ", ".join(units) or None,
            "complete": not buckets.is_too_wide,
            "reason": buckets.note if buckets.is_too_wide else None if series else _NO_SERIES,
            "notes": tuple(note for note in notes if note),
        }
    )


def _failed(order: Order, asking: Asking, wanted: Wanted, error: RemoteError) -> QueryRecord:
    return _base(order, asking, wanted).model_copy(update={"complete": False, "reason": error.message, "pages": 0})


def _base(order: Order, asking: Asking, wanted: Wanted) -> QueryRecord:
    return QueryRecord(
        tool=asking.tool,
        environment=order.name,
        part=asking.part,
        kind="metrics",
        subject=asking.subject,
        query=wanted.text,
        formula=wanted.formula,
        window_from=order.window.start,
        window_to=order.window.end,
        requested_interval_s=asking.width_s,
        rows=0,
        complete=True,
    )
