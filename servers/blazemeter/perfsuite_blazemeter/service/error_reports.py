"""The errors of a run, by label."""

from perfsuite.artifacts import RunStore
from perfsuite.mcp.answers import fit
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.core.error_counts import count_errors
from perfsuite_blazemeter.models.answers import ErrorReport
from perfsuite_blazemeter.models.entities import Archived
from perfsuite_blazemeter.models.ids import master_of
from perfsuite_blazemeter.service.besides import besides

_GOES_ON = "The run goes on: these counts are of different moments, and not final. Ask again after its end."
_NONE = "BlazeMeter lists no errors."
_FOR_THE_REST = 2_000


async def report_errors(
    blazemeter: BlazeMeter, runs: RunStore, run_id: str | None, master_id: int | None, *, start: int, limit: int
) -> ErrorReport:
    """Every label with errors, those with the most of them first."""
    wanted = master_of(runs, run_id, master_id)
    summary, note = await besides(lambda: blazemeter.summary(wanted), "The number of samples")
    row = summary.overall if summary else None
    master, unknown = await besides(lambda: blazemeter.master(wanted), "Whether the run has ended")
    rows = await blazemeter.errors_report(wanted)
    if isinstance(rows, Archived):
        return _empty(wanted, "The reports of this run are archived: its errors can no longer be read.")
    counts = count_errors(rows, row.failed if row else None)
    before = [said for said in (note, unknown, _GOES_ON if master and not master.ended else None) if said]
    fitted = fit(counts.labels[start : start + limit], total=len(counts.labels), start=start, reserve=_FOR_THE_REST)
    return ErrorReport(
        master_id=wanted,
        samples=row.hits if row else None,
        failed_samples=row.failed if row else None,
        errors_listed=counts.errors,
        assertion_failures_listed=counts.assertions,
        labels=fitted.items,
        total=len(counts.labels),
        has_more=fitted.has_more,
        next_start=start + len(fitted.items) if fitted.has_more else None,
        notes=[*before, *counts.notes, *([] if counts.labels else [_why_none(row is None)])],
    )


def _why_none(unknown: bool) -> str:
    return f"{_NONE} Whether there were samples at all is not known." if unknown else _NONE


def _empty(master_id: int, note: str) -> ErrorReport:
    return ErrorReport(
        master_id=master_id,
        samples=None,
        failed_samples=None,
        errors_listed=None,
        assertion_failures_listed=None,
        labels=[],
        total=0,
        has_more=False,
        notes=[note],
    )
