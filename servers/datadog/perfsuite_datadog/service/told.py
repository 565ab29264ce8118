"""The answer of a tool that collects metrics."""

from collections.abc import Sequence
from typing import Final

from perfsuite.mcp.answers import fit
from perfsuite_datadog.models.metrics import Collected, Result
from perfsuite_datadog.service.desk import Desk, Order, next_collection
from perfsuite_datadog.service.earlier import KEPT, LONGER, Gathered, again, mark_incomplete

_ROOM: Final = 4_000


def collected(desk: Desk, task: Order, gathered: Gathered, rows: Sequence[Result], notes: list[str]) -> Collected:
    """As many rows as fit, and what must be said about the queries behind them."""
    answers = gathered.answers
    failures = [one.failure for one in answers if one.failure]
    short = [one.note for one in answers if one.is_too_short and one.note]
    next_step = again(gathered.tool) if failures else LONGER if short else next_collection(task, gathered.tool)
    if reasons := [*(one.message for one in failures), *short]:
        mark_incomplete(gathered.step, desk.clock(), reasons[0], next_step)
    told = [*(f"Incomplete: {one}" for one in failures), *([KEPT] if gathered.keeps else []), *desk.skew(), *notes]
    told += [*task.window.notes, *(one.note for one in answers if one.note)]
    intervals = [one.effective_interval_s for each in answers for one in each.records if one.effective_interval_s]
    fitted = fit([one.model_dump() for one in rows], reserve=_ROOM)
    return Collected(
        environment=task.name,
        window=task.window.shown,
        # Where queries differ, the widest: nothing can be told more finely.
        interval_s=max(intervals, default=None),
        complete=not reasons,
        rows=fitted.items,
        total=fitted.total,
        has_more=fitted.has_more,
        notes=list(dict.fromkeys(told)),
        next_step=next_step,
    )
