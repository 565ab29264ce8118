"""Which files the sessions of a run have."""

from typing import Final

from perfsuite.artifacts import RunStore
from perfsuite.errors import NotFound, NotReady, PerfsuiteError
from perfsuite.mcp.answers import fit
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.client.downloads import files_of
from perfsuite_blazemeter.core.phases import next_step_of, phase_of
from perfsuite_blazemeter.core.zip_limits import artifact_of
from perfsuite_blazemeter.models.artifacts import ArtifactList, SessionFiles
from perfsuite_blazemeter.models.entities import Archived, Session
from perfsuite_blazemeter.models.ids import master_of
from perfsuite_blazemeter.models.reports import LogFile, SessionLogs
from perfsuite_blazemeter.service.recording import Entry, proven, recorded
from perfsuite_blazemeter.service.side_by_side import side_by_side
from perfsuite_blazemeter.service.status import observe

TOOL: Final = "get_artifact_file_list"
STEP: Final = "list_session_artifacts"
_MOST_FILES: Final = 50
_PARALLEL: Final = 4


async def list_artifacts(
    blazemeter: BlazeMeter, runs: RunStore, run_id: str | None, master_id: int | None, *, start: int = 0
) -> ArtifactList:
    """The files of every session. No link is part of the answer: whoever has one can fetch the file."""
    master = master_of(runs, run_id, master_id)

    async def found() -> ArtifactList:
        return _listed(master, await _files(blazemeter, await ended_sessions(blazemeter, master)), start)

    if run_id is None:
        return await found()
    entry = Entry(run_id, STEP, TOOL, master)
    return await recorded(runs, entry, found, lambda step, _: proven(step.folder, "confirm_run_ended", TOOL))


async def ended_sessions(blazemeter: BlazeMeter, master_id: int) -> list[Session]:
    """The sessions of a run that has ended, in the order of their ids: BlazeMeter lists them as it likes."""
    master, status = await observe(blazemeter, master_id)
    phase = phase_of(status, master)
    if phase not in ("ended", "archived"):
        raise NotReady(f"Run {master_id} is {phase}: its results are not complete.", next_step=next_step_of(phase))
    sessions = await blazemeter.sessions(master_id)
    if isinstance(sessions, Archived):
        raise NotFound(
            f"The sessions of run {master_id} are archived. BlazeMeter says: {sessions.message!r}.",
            next_step="Ask BlazeMeter's support to restore them; `get_run_results` tells what is left.",
        )
    if not sessions:
        raise NotFound(
            f"Run {master_id} has no sessions: no engine ever started.",
            next_step="Call `get_run_results` for what BlazeMeter says about it.",
        )
    return sorted({one.id: one for one in sessions}.values(), key=lambda one: one.id)


def archive_in(logs: SessionLogs) -> LogFile | None:
    """The file with the session's results."""
    named = {one.filename: one for one in logs.data if one.filename}
    chosen = artifact_of(named)
    return named[chosen] if chosen else None


async def _files(blazemeter: BlazeMeter, sessions: list[Session]) -> list[SessionFiles]:
    async def ask(session: Session) -> SessionFiles:
        return _of_session(session, await files_of(blazemeter, session.id))

    found = []
    for one in await side_by_side(sessions, ask, at_once=_PARALLEL):
        if isinstance(one, PerfsuiteError):
            raise one
        found.append(one)
    return found


def _of_session(session: Session, logs: SessionLogs) -> SessionFiles:
    archive = archive_in(logs)
    ready = archive is not None and bool(archive.data_url)
    why = None if ready else "It has no archive." if archive is None else "Its archive is not ready yet."
    return SessionFiles(
        session_id=session.id,
        name=session.name,
        location=session.location_id,
        archive=archive.filename if archive else None,
        ready=ready,
        files=[one.filename for one in logs.data[:_MOST_FILES] if one.filename],
        why=why,
    )


def _listed(master_id: int, sessions: list[SessionFiles], start: int) -> ArtifactList:
    fitted = fit(sessions[start:], total=len(sessions), start=start)
    ready = sum(one.ready for one in sessions)
    waiting = len(sessions) - ready
    notes = [f"{waiting} of {len(sessions)} sessions have no archive that can be fetched."] if waiting else []
    wait = "Archives take some minutes after the end: call this again, or `process_session_artifacts`, which waits."
    return ArtifactList(
        master_id=master_id,
        sessions=fitted.items,
        total=fitted.total,
        has_more=fitted.has_more,
        ready=ready,
        notes=notes,
        next_step=wait if waiting else "Call `process_session_artifacts`.",
    )
