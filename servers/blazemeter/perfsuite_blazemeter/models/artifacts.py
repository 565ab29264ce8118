"""What the engines of a run left: `blazemeter/sessions.json`, and what the tools answer about it."""

from typing import Final, Literal

from pydantic import NonNegativeInt

from perfsuite.artifacts import JsonArtifact, layout
from perfsuite.artifacts.schemas import Document, Sha256, Stored
from perfsuite_blazemeter.models.answers import Answer, Part
from perfsuite_blazemeter.models.archives import Role

Done = Literal["pending", "done"]


class ExtractedFile(Stored):
    """A file out of a session's archive. `kept` is where it stays, when the rest is cleared away."""

    name: str
    role: Role
    file: str
    size: NonNegativeInt
    sha256: Sha256
    kept: str | None = None


class MergedFile(Stored):
    """What the results of one engine gave. `engine` is how its samples are marked."""

    file: str
    engine: str
    rows: NonNegativeInt
    rows_rejected: NonNegativeInt
    notes: tuple[str, ...] = ()


class SessionState(Stored):
    """How far one session is. `missing` is why there is nothing of it."""

    session_id: str
    name: str | None = None
    location: str | None = None
    download: Done = "pending"
    archive: str | None = None
    size: NonNegativeInt | None = None
    sha256: Sha256 | None = None
    extract: Done = "pending"
    files: tuple[ExtractedFile, ...] = ()
    merge: Done = "pending"
    merged: tuple[MergedFile, ...] = ()
    missing: str | None = None

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.merged)

    @property
    def rows_rejected(self) -> int:
        return sum(one.rows_rejected for one in self.merged)


class SessionBook(Document):
    """Every session of a run. `complete` is said only when the results of all of them were merged."""

    master_id: int
    complete: bool = False
    sessions: tuple[SessionState, ...] = ()
    results_sha256: Sha256 | None = None
    samples: NonNegativeInt | None = None
    """Rows of samples.parquet, which is made from the merged file."""
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[SessionState, ...]:
        return tuple(one for one in self.sessions if one.missing)

    @property
    def incomplete_because(self) -> str | None:
        """One sentence for everything that is made from less than all."""
        if not self.missing:
            return None
        names = ", ".join(one.session_id for one in self.missing[:5])
        return f"The results lack {len(self.missing)} of {len(self.sessions)} sessions ({names}): they are incomplete."


BOOK: Final = JsonArtifact(
    layout.BLAZEMETER_SESSIONS.key,
    layout.BLAZEMETER_SESSIONS.place,
    layout.BLAZEMETER_SESSIONS.written_by,
    layout.BLAZEMETER_SESSIONS.about,
    SessionBook,
)


class SessionFiles(Part):
    """The files of one session. `archive` has its results, and is `ready` when it can be fetched."""

    session_id: str
    name: str | None
    location: str | None
    archive: str | None
    ready: bool
    files: list[str]
    why: str | None = None


class ArtifactList(Answer):
    """What the sessions of a run left."""

    master_id: int
    sessions: list[SessionFiles]
    total: int
    has_more: bool
    ready: int
    notes: list[str]
    next_step: str


class SessionRows(Part):
    """What came from one session."""

    session_id: str
    engines: list[str]
    rows: int
    rows_rejected: int
    missing: str | None = None


class ProcessedArtifacts(Part):
    """What lies in the run folder now. It is `complete` when the results of every session are in."""

    run_id: str
    master_id: int
    complete: bool
    samples: int
    rows_rejected: int
    first_sample_at: str
    last_sample_at: str
    sessions: list[SessionRows]
    total: int
    has_more: bool
    files: list[str]
    notes: list[str]
    next_step: str
