"""Fetching a session's archive. Its link is signed and runs out; nobody but the download itself gets to see it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perfsuite.errors import AccessDenied, BadAnswer, NotFound, NotReady, PerfsuiteError, RemoteError
from perfsuite.http import Downloaded
from perfsuite.http.models import Progress
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.models.entities import Archived
from perfsuite_blazemeter.models.reports import LogFile, SessionLogs

_MOST_LINKS: Final = 3
Pause = Callable[[float, float], Awaitable[None]]
"""Waits so many seconds, and is told how many there may be in all from now on."""
_WORTH_A_NEW_LINK: Final = (AccessDenied, NotFound, BadAnswer)


@dataclass(frozen=True)
class Patience:
    """How long to wait for an archive that BlazeMeter has not put away yet: right after the end it takes a while."""

    waits_s: tuple[float, ...] = (10, 20, 30, 40, 50)

    def left_s(self, number: int) -> float:
        """How long the waits from this one on are together."""
        return sum(self.waits_s[number:])


async def files_of(blazemeter: BlazeMeter, session_id: str) -> SessionLogs:
    """The files of a session, or the error that they are archived."""
    logs = await blazemeter.session_logs(session_id)
    if isinstance(logs, Archived):
        raise NotFound(
            f"The files of session {session_id!r} are archived. BlazeMeter says: {logs.message!r}.",
            next_step="Ask BlazeMeter's support to restore them; `get_run_results` tells what is left.",
        )
    return logs


async def fetch(
    blazemeter: BlazeMeter,
    session_id: str,
    choose: Callable[[SessionLogs], LogFile | None],
    target: Path,
    *,
    max_bytes: int,
    patience: Patience,
    pause: Pause,
    progress: Progress,
) -> tuple[LogFile, Downloaded]:
    """Fetch the file that `choose` takes. A link that has run out is asked for anew."""
    for number in range(1, _MOST_LINKS + 1):
        file, link = await _linked(blazemeter, session_id, choose, patience, pause)
        try:
            return file, await blazemeter.api.download(link, target, max_bytes=max_bytes, progress=progress)
        except PerfsuiteError as error:
            if number == _MOST_LINKS or not _may_have_run_out(error):
                raise _explained(session_id, error) from None
    raise AssertionError("unreachable")


def _explained(session_id: str, error: PerfsuiteError) -> PerfsuiteError:
    """What it means that the storage refuses a link that was made a moment ago."""
    if isinstance(error, NotFound):
        return NotFound(
            f"The storage does not have the archive of session {session_id!r}: its engine ended without data, as when "
            "a run is ended while it boots, or the archive was removed.",
            next_step="`check_test_status` says what went wrong with the engines. Calling this again changes nothing.",
        )
    if isinstance(error, AccessDenied):
        return AccessDenied(
            f"The storage refused {_MOST_LINKS} new links to the archive of session {session_id!r}.",
            next_step="Call `process_session_artifacts` again in some minutes: it asks for a new link by itself. If it "
            "is refused again, a proxy may stand in between, or the clock of this machine be wrong.",
        )
    return error


def _may_have_run_out(error: PerfsuiteError) -> bool:
    return isinstance(error, _WORTH_A_NEW_LINK) or type(error) is RemoteError


async def _linked(
    blazemeter: BlazeMeter,
    session_id: str,
    choose: Callable[[SessionLogs], LogFile | None],
    patience: Patience,
    pause: Pause,
) -> tuple[LogFile, str]:
    for number, wait_s in enumerate((*patience.waits_s, None)):
        logs = await files_of(blazemeter, session_id)
        file = choose(logs)
        if file is not None and file.data_url:
            return file, file.data_url
        if wait_s is not None:
            await pause(wait_s, patience.left_s(number))
    listed = ", ".join(repr(one.filename) for one in logs.data[:5]) or "none"
    raise NotReady(
        f"Session {session_id!r} has no archive with its results after {sum(patience.waits_s):.0f} s of waiting; "
        f"its files: {listed}.",
        next_step="Call `get_artifact_file_list` in some minutes.",
    )
