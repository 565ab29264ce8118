"""How far every session of a run is: `blazemeter/sessions.json`, and the hidden folder in which the work is done.

A step is noted only when its file is whole and in its place. So whatever the process is killed at, the next one finds
either the note and the file, or does the step again.
"""

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.layout import file_part
from perfsuite.errors import Conflict, PerfsuiteError
from perfsuite_blazemeter.models.artifacts import BOOK, SessionBook, SessionState
from perfsuite_blazemeter.models.entities import Session

_WORK: Final = ".sessions"
_ARCHIVE: Final = "archive.zip"
_FILES: Final = "files"
_NUDGE: Final = 1e-6

Told = Callable[[float, str], None]


@dataclass
class Watch:
    """Who is told how far the work is, as a share of it all, and who may end it."""

    tell: Told = lambda _share, _what: None
    is_cancelled: Callable[[], bool] = lambda: False
    _share: float = field(default=0.0, init=False)
    _what: str = field(default="", init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def check(self) -> None:
        """End the work where somebody wants that."""
        if self.is_cancelled():
            raise Conflict(
                "The work was cancelled; what was done so far stays.",
                next_step="Call `process_session_artifacts` to go on.",
            )

    def at(self, share: float, what: str) -> None:
        self.check()
        with self._lock:
            # Progress that does not grow is not passed on, and what is new must be.
            nudged = self._share if what == self._what else min(1.0, self._share + _NUDGE)
            self._share, self._what = max(nudged, share), what
        self.tell(self._share, what)

    def counting(self, start: float, end: float, total: int, what: str) -> Callable[[int], None]:
        """A function that is told how many bytes more are done, out of so many in this stretch."""
        done = 0

        def more(size: int) -> None:
            nonlocal done
            with self._lock:
                done += size
                share = start + (end - start) * min(1.0, done / max(1, total))
            self.at(share, what)

        return more


@dataclass
class Bookkeeper:
    """The book of one run while it is worked on. Several threads may note what they have done."""

    run: RunFolder
    book: SessionBook
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, run: RunFolder, master_id: int, sessions: Sequence[Session]) -> "Bookkeeper":
        """The book as it was left, for the sessions that the run has now."""
        before = _before(run)
        known = {one.session_id: one for one in before.sessions} if before and before.master_id == master_id else {}
        states = tuple(
            known.get(one.id, SessionState(session_id=one.id)).model_copy(
                update={"name": one.name, "location": one.location_id}
            )
            for one in sessions
        )
        kept = before if before and {one.session_id for one in states} == known.keys() else None
        book = (kept or SessionBook(master_id=master_id)).model_copy(update={"sessions": states})
        return cls(run, book)

    @property
    def work(self) -> Path:
        """Where archives and what is in them lie until they are merged. Its name is hidden: no tool shows it."""
        return self.run.path(layout.BLAZEMETER_SESSIONS).parent / _WORK

    def archive(self, session_id: str) -> Path:
        return self._folder(session_id) / _ARCHIVE

    def files(self, session_id: str) -> Path:
        return self._folder(session_id) / _FILES

    def prepare(self) -> None:
        """Make room for every session."""
        for one in self.book.sessions:
            self._folder(one.session_id).mkdir(parents=True, exist_ok=True)

    def state(self, session_id: str) -> SessionState:
        return next(one for one in self.book.sessions if one.session_id == session_id)

    def note(self, session_id: str, **changes: object) -> None:
        """Note what was done for a session. It is on the disk when this returns."""
        with self._lock:
            states = tuple(
                one.model_copy(update=changes) if one.session_id == session_id else one for one in self.book.sessions
            )
            self._save(self.book.model_copy(update={"sessions": states}))

    def note_all(self, **changes: object) -> None:
        """Note what was done for the run."""
        with self._lock:
            self._save(self.book.model_copy(update=changes))

    def clear(self) -> None:
        """Remove what is no longer needed."""
        shutil.rmtree(self.work, ignore_errors=True)

    def _folder(self, session_id: str) -> Path:
        return self.work / file_part(session_id)

    def _save(self, book: SessionBook) -> None:
        self.run.save(BOOK, book)
        self.book = book


def _before(run: RunFolder) -> SessionBook | None:
    """What an earlier call noted. What cannot be read is made anew."""
    try:
        return run.load(BOOK)
    except PerfsuiteError:
        return None
