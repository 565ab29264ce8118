"""The archives of all sessions, fetched side by side."""

import shutil
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import anyio

from perfsuite.errors import BadFile, PerfsuiteError, StorageFailed
from perfsuite.http.models import Progress
from perfsuite.samples.rows import printable
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.client.downloads import Patience, fetch
from perfsuite_blazemeter.client.zips import members_of
from perfsuite_blazemeter.core.zip_limits import chosen
from perfsuite_blazemeter.models.archives import Limits, Wanted
from perfsuite_blazemeter.models.artifacts import SessionState
from perfsuite_blazemeter.service.artifacts import archive_in
from perfsuite_blazemeter.service.sessions_book import Bookkeeper, Watch
from perfsuite_blazemeter.service.side_by_side import side_by_side

Connect = Callable[[], AbstractAsyncContextManager[BlazeMeter]]

_AT_ONCE: Final = 4
_MOST_NAMED: Final = 3
_LOOK_S: Final = 0.2
_LONGEST_REASON: Final = 300


@dataclass(frozen=True)
class Fetching:
    """How the archives are fetched."""

    connect: Connect
    patience: Patience = field(default_factory=Patience)
    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


def download(keeper: Bookkeeper, fetching: Fetching, watch: Watch, span: tuple[float, float]) -> list[PerfsuiteError]:
    """Fetch every archive that is not there yet. What could not be fetched is noted, and returned."""
    _forget_lost(keeper)
    waiting = [one for one in keeper.book.sessions if one.download == "pending"]
    if not waiting:
        return []
    outcomes = anyio.run(_download_all, keeper, fetching, waiting, _Shares(watch, span, len(waiting)))
    failures = []
    for state, outcome in zip(waiting, outcomes, strict=True):
        if isinstance(outcome, PerfsuiteError):
            keeper.note(state.session_id, missing=printable(outcome.message, _LONGEST_REASON))
            failures.append(outcome)
    return failures


def wanted_of(keeper: Bookkeeper, session_id: str, limits: Limits) -> list[Wanted]:
    """What is to be taken out of a session's archive; an error where it is not what it should be."""
    path = keeper.archive(session_id)
    found = chosen(members_of(path, limits), path.stat().st_size, limits)
    if not any(one.role == "results" for one in found):
        raise BadFile(
            "The archive holds no kpi.jtl: the engine wrote no results.",
            next_step="Call `get_error_report` and `get_run_results` for what went wrong.",
        )
    return found


def about(session_id: str, error: PerfsuiteError) -> PerfsuiteError:
    """The same error, which says whose it is."""
    if repr(session_id) in error.message:
        return error
    return type(error)(f"Session {session_id!r}: {error.message}", next_step=error.next_step)


@dataclass
class _Shares:
    """Adds up how far several downloads are."""

    watch: Watch
    span: tuple[float, float]
    count: int
    _of: dict[str, float] = field(default_factory=dict)
    _missing: dict[str, float] = field(default_factory=dict)

    def tell(self, session_id: str, share: float, what: str) -> None:
        self._of[session_id] = share
        start, end = self.span
        self.watch.at(start + (end - start) * sum(self._of.values()) / self.count, what)

    def missing(self, session_id: str, longest_s: float) -> None:
        """Say which archives are not there yet, and for how long they may be waited for."""
        self._missing[session_id] = longest_s
        names = ", ".join(list(self._missing)[:_MOST_NAMED]) + (", ..." if len(self._missing) > _MOST_NAMED else "")
        self.tell(
            session_id,
            0.0,
            f"waiting for the archives of {len(self._missing)} of {self.count} sessions ({names}), which BlazeMeter "
            f"has not put away yet; for at most {max(self._missing.values()):.0f} s more",
        )

    def progress(self, session_id: str) -> Progress:
        async def told(size: int, total: int | None) -> None:
            self._missing.pop(session_id, None)
            self.tell(session_id, size / total if total else 0.0, f"downloading session {session_id}")

        return told


def _forget_lost(keeper: Bookkeeper) -> None:
    """What was noted and has gone since must be fetched again."""
    for one in keeper.book.sessions:
        files = keeper.files(one.session_id)
        is_extracted = one.extract == "done" and all((files / file.file).is_file() for file in one.files)
        if one.extract == "done" and not is_extracted:
            keeper.note(one.session_id, extract="pending", files=())
        if one.download == "done" and not is_extracted and not keeper.archive(one.session_id).is_file():
            keeper.note(one.session_id, download="pending")


async def _download_all(
    keeper: Bookkeeper, fetching: Fetching, waiting: list[SessionState], shares: _Shares
) -> list[PerfsuiteError | None]:
    async with fetching.connect() as blazemeter:

        async def one(state: SessionState) -> None:
            try:
                await _download(blazemeter, keeper, fetching, state.session_id, shares)
            except PerfsuiteError as error:
                shares.watch.check()
                raise about(state.session_id, error) from None

        return await side_by_side(waiting, one, at_once=_AT_ONCE)


async def _download(
    blazemeter: BlazeMeter, keeper: Bookkeeper, fetching: Fetching, session_id: str, shares: _Shares
) -> None:
    async def pause(seconds: float, longest_s: float) -> None:
        shares.missing(session_id, longest_s)
        left = seconds
        while left > 0:
            shares.watch.check()
            await fetching.sleep(min(left, _LOOK_S))
            left -= _LOOK_S

    target = keeper.archive(session_id)
    for is_last in (False, True):
        file, done = await fetch(
            blazemeter,
            session_id,
            archive_in,
            target,
            max_bytes=_room(target, fetching.limits),
            patience=fetching.patience,
            pause=pause,
            progress=shares.progress(session_id),
        )
        try:
            await anyio.to_thread.run_sync(wanted_of, keeper, session_id, fetching.limits)
            break
        except PerfsuiteError as error:
            await anyio.to_thread.run_sync(target.unlink)
            # What arrived whole may have been put away in half; a second look is cheap.
            if is_last or not isinstance(error, BadFile):
                raise
    noted = {"download": "done", "archive": file.filename, "size": done.size_bytes, "sha256": done.sha256}
    await anyio.to_thread.run_sync(lambda: keeper.note(session_id, **noted, missing=None))
    shares.tell(session_id, 1.0, f"downloaded session {session_id}")


def _room(target: Path, limits: Limits) -> int:
    """How large an archive may be: the disk must keep something."""
    free = shutil.disk_usage(target.parent).free // 2
    if free <= 0:
        raise StorageFailed("The disk is full.", next_step="Free space on the disk that holds the artifacts folder.")
    return min(limits.archive_bytes, free)
