"""BlazeMeter's statistics by label: into the run's folder, and beside those of the samples."""

import csv
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import anyio.to_thread

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.errors import BadFile, NotFound, NotReady
from perfsuite.mcp.answers import fit
from perfsuite.workflow.ledger import Ledger, RunningStep
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.core.aggregates import COLUMNS, remarks, table
from perfsuite_blazemeter.core.comparing import Comparison
from perfsuite_blazemeter.core.phases import phase_of
from perfsuite_blazemeter.core.times import stamp
from perfsuite_blazemeter.models.aggregates import AggregateReport, Circumstances, Ours
from perfsuite_blazemeter.models.answers import Phase
from perfsuite_blazemeter.models.artifacts import BOOK, SessionBook
from perfsuite_blazemeter.models.entities import Archived
from perfsuite_blazemeter.models.ids import master_of
from perfsuite_blazemeter.models.reports import AggregateRow
from perfsuite_blazemeter.service.besides import besides
from perfsuite_blazemeter.service.recording import STAGE, Entry, own_run, recorded
from perfsuite_blazemeter.service.status import OVER, observe

if TYPE_CHECKING:
    from perfsuite.samples.statistics import Statistics

TOOL: Final = "get_aggregate_report"
_FOR_PERCENTILES: Final = 3_500
_FOR_THE_REST: Final = 2_500


async def report(
    blazemeter: BlazeMeter, runs: RunStore, run_id: str, master_id: int | None, *, start: int = 0
) -> AggregateReport:
    """Write the report and say where it differs from the samples, if the run has any yet."""
    master = master_of(runs, run_id, master_id)

    async def fetch() -> list[AggregateRow]:
        return _usable(master, await blazemeter.aggregate_report(master))

    # Asked before the numbers: a run that is over by now may still have gone on when they were told.
    seen, unknown = await besides(lambda: observe(blazemeter, master), "Whether the run has ended")
    phase = phase_of(seen[1], seen[0]) if seen else None
    rows = await recorded(runs, Entry(run_id, "aggregate_report", TOOL, master), fetch, _keep)
    told = await anyio.to_thread.run_sync(_compared, own_run(runs, run_id), master, rows, start)
    if phase is None:
        return told.model_copy(update={"notes": [*([unknown] if unknown else []), *told.notes]})
    return told if phase in OVER else _not_final(told, phase)


def _not_final(told: AggregateReport, phase: Phase) -> AggregateReport:
    """The report of a run that goes on: its numbers, and that others will take their place."""
    note = f"Not final: the run goes on (it is {phase}), and the file holds its numbers so far."
    step = f"Call `check_test_status` for run {told.run_id!r} with wait_s=45, and this again at its end."
    return told.model_copy(update={"notes": [note, *told.notes], "next_step": step})


def _usable(master_id: int, rows: list[AggregateRow] | Archived) -> list[AggregateRow]:
    if isinstance(rows, Archived):
        raise NotFound(
            f"The request statistics of run {master_id} are archived. BlazeMeter says: {rows.message!r}.",
            next_step="Ask BlazeMeter's support to restore them; `get_run_results` tells what is left.",
        )
    if not rows:
        raise NotFound(
            f"BlazeMeter has no request statistics of run {master_id}: it has no samples, or none yet.",
            next_step="Call `check_test_status`; for a run that ended without samples, `get_run_results` says more.",
        )
    return rows


def _keep(step: RunningStep, rows: Sequence[AggregateRow]) -> None:
    with step.folder.staged(layout.BLAZEMETER_AGGREGATE) as target, target.open("w", encoding="utf-8", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table(rows))
    step.produced(step.folder.path(layout.BLAZEMETER_AGGREGATE))


def _compared(run: RunFolder, master_id: int, rows: list[AggregateRow], start: int) -> AggregateReport:
    comparison, notes = _validated(run, rows)
    differences = comparison.differences() if comparison else []
    fitted = fit(differences[start:], total=len(differences), start=start, reserve=_FOR_PERCENTILES + _FOR_THE_REST)
    pairs = comparison.percentiles() if comparison else []
    shown = fit(pairs, reserve=10_000 - _FOR_PERCENTILES)
    if shown.has_more:
        notes.append(f"Percentiles of {len(shown.items)} of {len(pairs)} labels; the file has BlazeMeter's of all.")
    return AggregateReport(
        run_id=run.run_id,
        master_id=master_id,
        file=layout.BLAZEMETER_AGGREGATE.place,
        labels=sum(not row.is_all for row in rows),
        overall=dict(table(rows)[0]),
        compared=comparison is not None,
        labels_that_agree=comparison.agreeing if comparison else 0,
        differences=fitted.items,
        total=fitted.total,
        has_more=fitted.has_more,
        percentiles=shown.items,
        window=_window(run),
        notes=[*remarks(rows), *notes],
        next_step=f"Call `analyze_test_results` for run {run.run_id!r}."
        if comparison
        else f"Call `process_session_artifacts` for run {run.run_id!r}, then this again to compare.",
    )


def _window(run: RunFolder) -> str | None:
    known = run.record().window
    return f"{stamp(known.first_sample_at)} to {stamp(known.last_sample_at)}" if known else None


def _validated(run: RunFolder, rows: list[AggregateRow]) -> tuple[Comparison | None, list[str]]:
    """Check that what was brought is there and whole, as a step of the run; without samples there is nothing yet."""
    book = _book(run)
    if book is None or book.samples is None or not run.path(layout.SAMPLES).is_file():
        return None, ["The run has no samples to compare with yet."]
    files = [run.path(one) for one in (layout.BLAZEMETER_AGGREGATE, layout.SAMPLES)]
    with Ledger(run).step(STAGE, "validate", tool=TOOL, inputs=files):
        _require(run, book)
        labels, total = _statistics(run)
    rejected = sum(one.rows_rejected for one in book.sessions)
    comparison = Comparison(rows, labels, total, Circumstances(rejected, book.incomplete_because))
    notes = [book.incomplete_because] if book.incomplete_because else []
    if not run.path(layout.BLAZEMETER_LOG).is_file():
        notes.append("There is no jmeter.log: no session left one.")
    return comparison, notes


def _book(run: RunFolder) -> SessionBook | None:
    try:
        return run.load(BOOK)
    except NotReady:
        return None


def _require(run: RunFolder, book: SessionBook) -> None:
    from perfsuite.samples import open as open_samples

    again = "Call `process_session_artifacts` again."
    if not run.path(layout.BLAZEMETER_RESULTS).is_file():
        raise NotReady(f"Run {run.run_id!r} has no {layout.BLAZEMETER_RESULTS.place!r}.", next_step=again)
    rows = open_samples(run).rows
    if rows != book.samples:
        raise BadFile(
            f"'samples.parquet' of run {run.run_id!r} has {rows} rows; {book.samples} were read.", next_step=again
        )


def _statistics(run: RunFolder) -> tuple[list[Ours], Ours]:
    from perfsuite.samples import open as open_samples
    from perfsuite.samples.definitions import Choice, Selection

    labels, total = open_samples(run).statistics(Choice(), Selection(kind=None))
    return [_ours(one) for one in labels], _ours(total)


def _ours(one: "Statistics") -> Ours:
    return Ours(
        one.label, one.kind, one.samples, one.errors, one.min_ms, one.max_ms, dict(one.percentiles_ms)
    )  # fmt: skip
