"""What the sessions of a run left, brought into its folder: listed, downloaded, unpacked, merged, read into samples.

Every step is noted before the next begins, so the same call goes on where an earlier one was stopped or killed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.locks import holding
from perfsuite.artifacts.schemas import FileState
from perfsuite.errors import Conflict
from perfsuite.mcp.answers import fit
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger, RunningStep
from perfsuite_blazemeter.models.artifacts import BOOK, ProcessedArtifacts, SessionRows, SessionState
from perfsuite_blazemeter.models.config import CONFIG
from perfsuite_blazemeter.models.entities import Session
from perfsuite_blazemeter.models.ids import master_of
from perfsuite_blazemeter.service.artifacts import STEP, ended_sessions
from perfsuite_blazemeter.service.recording import STAGE, Entry, own_run, proven, recorded
from perfsuite_blazemeter.service.sessions_book import Bookkeeper, Told, Watch
from perfsuite_blazemeter.service.sessions_download import Connect, Fetching, download
from perfsuite_blazemeter.service.sessions_extract import extract, keep_files
from perfsuite_blazemeter.service.sessions_merge import TOOL, merge_all, refuse_or_go_on, window_text

_LISTED, _DOWNLOADED, _EXTRACTED, _MERGED = 0.01, 0.35, 0.5, 0.8
_MOST_NOTES: Final = 10


@dataclass(frozen=True)
class SessionsRequest:
    """Which run, and whether less than all of its sessions will do."""

    run_id: str
    master_id: int | None = None
    partial: bool = False


def bring_sessions(
    runs: RunStore, request: SessionsRequest, connect: Connect, tell: Told, is_cancelled: Callable[[], bool]
) -> ProcessedArtifacts:
    """As `process_sessions`, with the usual patience and limits."""
    return process_sessions(runs, request, Fetching(connect), Watch(tell, is_cancelled))


def process_sessions(
    runs: RunStore, request: SessionsRequest, fetching: Fetching, watch: Watch | None = None
) -> ProcessedArtifacts:
    """Bring the results of every session into the run's folder. It works in the thread that calls it."""
    watch = watch or Watch()
    master_id = master_of(runs, request.run_id, request.master_id)
    sessions = anyio.run(_sessions, runs, request.run_id, master_id, fetching)
    run = own_run(runs, request.run_id, master_id)
    busy = Conflict(
        f"Another process brings the sessions of run {run.run_id!r}.", next_step="Wait for it to end, then call again."
    )
    with holding(run.lock_path("sessions"), busy=busy):
        keeper = Bookkeeper.of(run, master_id, sessions)
        watch.at(_LISTED, "listed the sessions")
        if not _is_done(keeper):
            _process(keeper, request, fetching, watch)
        if keeper.book.complete:
            keeper.clear()
        return _answer(keeper)


async def _sessions(runs: RunStore, run_id: str, master_id: int, fetching: Fetching) -> list[Session]:
    async def found() -> list[Session]:
        async with fetching.connect() as blazemeter:
            return await ended_sessions(blazemeter, master_id)

    def keep(step: RunningStep, _: list[Session]) -> None:
        proven(step.folder, "confirm_run_ended", TOOL)

    return await recorded(runs, Entry(run_id, STEP, TOOL, master_id), found, keep)


def _process(keeper: Bookkeeper, request: SessionsRequest, fetching: Fetching, watch: Watch) -> None:
    ledger, count = Ledger(keeper.run), len(keeper.book.sessions)
    keeper.prepare()
    with ledger.step(STAGE, "download", tool=TOOL):
        failures = download(keeper, fetching, watch, (_LISTED, _DOWNLOADED))
        refuse_or_go_on(failures, count, partial=request.partial)
    with ledger.step(STAGE, "extract", tool=TOOL) as step:
        failures += extract(keeper, fetching.limits, watch, (_DOWNLOADED, _EXTRACTED))
        refuse_or_go_on(failures, count, partial=request.partial)
        keep_files(keeper, step)
    with ledger.step(STAGE, "merge", tool=TOOL) as step:
        merge_all(keeper, step, watch, (_EXTRACTED, _MERGED, 1.0))


def _is_done(keeper: Bookkeeper) -> bool:
    """Whether everything is in, and still as it was left."""
    book = keeper.book
    if not book.complete or book.samples is None or any(one.merge != "done" for one in book.sessions):
        return False
    steps = {one.step: one for one in keeper.run.record().ledger if one.stage == STAGE}
    found = [steps.get(name) for name in ("download", "extract", "merge")]
    return all(
        step is not None and step.state == "done" and all(_is_there(keeper.run, one) for one in step.outputs)
        for step in found
    )


def _is_there(run: RunFolder, output: FileState) -> bool:
    path = run.file_or_none(output.path)
    if path is None:
        return False
    # The book itself is written again by every call, with the same content.
    found = path.stat()
    return output.path == BOOK.place or (found.st_size, found.st_mtime_ns) == (output.size, output.mtime_ns)


def _answer(keeper: Bookkeeper) -> ProcessedArtifacts:
    run, book = keeper.run, keeper.book
    fitted = fit([_rows(one) for one in book.sessions], reserve=5_000)
    first, last = window_text(run)
    return ProcessedArtifacts(
        run_id=run.run_id,
        master_id=book.master_id,
        complete=book.complete,
        samples=book.samples or 0,
        rows_rejected=sum(one.rows_rejected for one in book.sessions),
        first_sample_at=first,
        last_sample_at=last,
        sessions=fitted.items,
        total=fitted.total,
        has_more=fitted.has_more,
        files=_files(run),
        notes=_notes(keeper),
        next_step=_next_step(run),
    )


def _next_step(run: RunFolder) -> str:
    compare = f"`get_aggregate_report` for run {run.run_id!r}, then `analyze_test_results`."
    if run.path(CONFIG).is_file():
        return f"Call {compare}"
    return f"Call `get_run_results`, which brings what BlazeMeter says of the run and its workspace, then {compare}"


def _rows(state: SessionState) -> SessionRows:
    return SessionRows(
        session_id=state.session_id,
        engines=[one.engine for one in state.merged],
        rows=state.rows,
        rows_rejected=state.rows_rejected,
        missing=state.missing,
    )


def _files(run: RunFolder) -> list[str]:
    places = (layout.BLAZEMETER_RESULTS, layout.SAMPLES, layout.BLAZEMETER_LOG, BOOK)
    return [one.place for one in places if run.path(one).is_file()]


def _notes(keeper: Bookkeeper) -> list[str]:
    book = keeper.book
    notes = [book.incomplete_because] if book.incomplete_because else []
    notes += [f"{one.session_id}: {one.missing}" for one in book.missing]
    if not keeper.run.path(layout.BLAZEMETER_LOG).is_file():
        notes.append("No session left a jmeter.log.")
    notes += [note for one in book.sessions for merged in one.merged for note in merged.notes]
    return [printable(note, 300) for note in (*notes, *book.notes)[:_MOST_NOTES]]
