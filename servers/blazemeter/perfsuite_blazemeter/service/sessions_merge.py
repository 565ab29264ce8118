"""The results of all sessions as one file, and that file as samples."""

import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, layout
from perfsuite.errors import PerfsuiteError
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import RunningStep
from perfsuite_blazemeter.models.artifacts import BOOK, MergedFile, SessionState
from perfsuite_blazemeter.service.merging import EngineRows, Results, merge
from perfsuite_blazemeter.service.recording import STAGE
from perfsuite_blazemeter.service.sessions_book import Bookkeeper, Watch

if TYPE_CHECKING:
    from perfsuite.workflow.bringing import Brought

TOOL: Final = "process_session_artifacts"
_PLAIN: Final = "plain"
_MOST_NOTES: Final = 20


def merge_all(keeper: Bookkeeper, step: RunningStep, watch: Watch, spans: tuple[float, float, float]) -> None:
    """Merge what is there, and read it into samples. Both are noted when they are whole."""
    start, middle, end = spans
    _merge_files(keeper, watch, (start, middle))
    results = keeper.run.path(layout.BLAZEMETER_RESULTS)
    step.produced(results, sha256=keeper.book.results_sha256)
    _bring(keeper, watch, (middle, end))
    for artifact in (layout.SAMPLES, BOOK):
        step.produced(keeper.run.path(artifact))


def _merge_files(keeper: Bookkeeper, watch: Watch, span: tuple[float, float]) -> None:
    there = [one for one in keeper.book.sessions if one.extract == "done"]
    files = list(_results(keeper, there))
    total = sum(one.path.stat().st_size for one in files)
    plain = keeper.work / _PLAIN
    shutil.rmtree(plain, ignore_errors=True)
    plain.mkdir()
    more = watch.counting(*span, total, "merging the results of all engines")
    with keeper.run.staged(layout.BLAZEMETER_RESULTS) as target:
        merged = merge(files, plain, target, more)
    engines = iter(merged.engines)
    states = {one.session_id: _with_rows(one, engines) for one in there}
    unmerged = {"merge": "pending", "merged": ()}
    keeper.note_all(
        sessions=tuple(states.get(one.session_id, one.model_copy(update=unmerged)) for one in keeper.book.sessions),
        results_sha256=merged.file.sha256,
        samples=None,
        complete=False,
    )


def _results(keeper: Bookkeeper, sessions: Sequence[SessionState]) -> Iterator[Results]:
    for session in sessions:
        for file in session.files:
            if file.role == "results":
                path = keeper.files(session.session_id) / file.file
                yield Results(path, f"{printable(file.name, 60)} of session {session.session_id}")


def _with_rows(session: SessionState, engines: Iterator[EngineRows]) -> SessionState:
    merged = tuple(
        MergedFile(
            file=file.name, engine=one.engine, rows=one.rows, rows_rejected=one.rejected, notes=one.notes
        )
        for file, one in zip((file for file in session.files if file.role == "results"), engines, strict=False)
    )  # fmt: skip
    return session.model_copy(update={"merge": "done", "merged": merged})


def _bring(keeper: Bookkeeper, watch: Watch, span: tuple[float, float]) -> None:
    from perfsuite.samples.options import DEFAULT_READ
    from perfsuite.workflow.bringing import Origin, bringing, describe

    start, end = span

    def progress(what: str, share: float) -> None:
        # Told from a thread that only watches: an error there would end nothing.
        watch.tell(start + (end - start) * share, what)

    origin = Origin(STAGE, TOOL, layout.BLAZEMETER_AGGREGATE)
    watch.at(start, "reading samples")
    with bringing(keeper.run, origin, [keeper.run.path(layout.BLAZEMETER_RESULTS)], DEFAULT_READ, progress) as found:
        watch.check()
    describe(keeper.run, origin, found.window)
    keeper.note_all(samples=found.rows, complete=not keeper.book.missing, notes=_notes(keeper, found))
    because = keeper.book.incomplete_because
    keeper.run.update(lambda record: record.model_copy(update={"incomplete": because}))


def _notes(keeper: Bookkeeper, found: "Brought") -> tuple[str, ...]:
    merged = sum(one.rows for one in keeper.book.sessions)
    notes = [*found.warnings]
    if found.rows_rejected:
        notes.append(f"{found.rows_rejected} merged rows cannot be read.")
        notes += [f"Merged file, line {row.line}: {row.reason}." for one in found.files for row in one.rejected[:5]]
    if merged != found.rows + found.rows_rejected:
        notes.append(f"{merged} rows were merged, and {found.rows} with {found.rows_rejected} unreadable ones read.")
    return tuple(printable(note) for note in notes[:_MOST_NOTES])


def window_text(run: RunFolder) -> tuple[str, str]:
    """From when to when the samples are."""
    window = run.record().window
    if window is None:
        return "", ""
    return _text(window.first_sample_at), _text(window.last_sample_at)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def refuse_or_go_on(failures: Sequence[PerfsuiteError], sessions: int, *, partial: bool) -> None:
    """Less than all is only gone on with where the caller said so, and never with nothing."""
    if not failures or (partial and len(failures) < sessions):
        return
    first = failures[0]
    several = f" {len(failures) - 1} more of {sessions} sessions failed too." if len(failures) > 1 else ""
    choice = (
        f" What the others left is kept. To go on without, call `{TOOL}` with `partial` true: everything then says "
        "that it is incomplete."
        if len(failures) < sessions
        else ""
    )
    raise type(first)(f"{first.message}{several}", next_step=f"{first.next_step}{choice}")
