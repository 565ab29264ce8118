"""The ledger: what ran, when, from what and to what. It is kept in `run.json`, and a crash leaves it readable.

A step holds an operating-system lock while it runs. So a record that says `running` without a lock was interrupted,
and nobody has to trust the number of a process that may be another one by now.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

from perfsuite.artifacts.atomic import sha256_of
from perfsuite.artifacts.folder import RunFolder
from perfsuite.artifacts.layout import RUN_RECORD, Artifact, file_part
from perfsuite.artifacts.locks import holding, is_held
from perfsuite.artifacts.schemas import FileState, RunRecord, StepFailure, StepRecord
from perfsuite.errors import BadInput, Cancelled, Conflict, NotFound, PerfsuiteError, StorageFailed
from perfsuite.settings import redact
from perfsuite.workflow import stages
from perfsuite.workflow.staleness import Key, key_of
from perfsuite.workflow.status import RunStatus, Snapshot

# A reader that asks whether a step runs holds its lock for a moment.
_PATIENCE_S = 0.5

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class RunningStep:
    """A step while it runs. It notes what it reads and writes."""

    def __init__(self, folder: RunFolder, record: StepRecord) -> None:
        self.folder = folder
        self.record = record
        self._inputs: dict[str, FileState] = {}
        self._outputs: dict[str, FileState] = {}

    def used(self, path: Path | str, *, sha256: str | None = None) -> None:
        """Note an input, before it is read. `sha256` spares reading a large file for its hash alone."""
        state = _state(self.folder, path, sha256)
        self._inputs[state.path] = state

    def looked_for(self, path: Path) -> None:
        """Note that an input outside the run folder is not there; should it appear, the step is stale."""
        text = _text(path.absolute())
        nothing = hashlib.sha256(b"").hexdigest()
        self._inputs[text] = FileState(path=text, sha256=nothing, size=0, mtime_ns=0, external=True, absent=True)

    def produced(self, path: Path | str, *, sha256: str | None = None, at_once: bool = True) -> None:
        """Note a finished file of the run folder. It is in the ledger from now on, even if the step is killed.

        Not `at_once` is for the last file of a step, which the next call writes to the same place: its end notes it.
        """
        state = _state(self.folder, path, sha256)
        if state.external:
            raise BadInput(f"{state.path!r} is not in the run folder.", next_step="Write outputs to the run folder.")
        self._outputs[state.path] = state
        if not at_once:
            return
        with self.folder.lock():
            others = [one for one in self.record.outputs if one.path != state.path]
            self.record = self.record.model_copy(update={"outputs": (*others, state)})
            self.folder.update(lambda run: _with(run, self.record))

    def finish(self, at: datetime) -> None:
        """Note that it is done, and remove what it left earlier and did not make again."""
        superseded = {one.path for one in self.record.outputs} - set(self._outputs)
        with self.folder.lock():
            kept = {
                one.path
                for other in self.folder.record().ledger
                if key_of(other) != key_of(self.record)
                for one in other.outputs
            }
            for path in superseded - kept - {RUN_RECORD.place}:
                _remove(self.folder, path)
            self._end(at, state="done", outputs=tuple(self._outputs.values()))

    def fail(self, at: datetime, message: str, next_step: str, *, cancelled: bool = False) -> None:
        """Note why it ended. What it left earlier stays in the ledger, for the next run to replace."""
        error = StepFailure(message=redact(message), next_step=redact(next_step), cancelled=cancelled)
        self._end(at, state="failed", error=error)

    def _end(self, at: datetime, **changes: object) -> None:
        ended = {"ended_at": at, "inputs": tuple(self._inputs.values()), **changes}
        self.record = self.record.model_copy(update=ended)
        self.folder.update(lambda run: _with(run, self.record))


class Ledger:
    """What was done for one run."""

    def __init__(self, folder: RunFolder, clock: Clock = _now) -> None:
        self.folder = folder
        self._clock = clock

    @contextmanager
    def step(
        self, stage: str, step: str, *, tool: str, inputs: Iterable[Path | str] = (), part: str = ""
    ) -> Iterator[RunningStep]:
        """Record a step while the block runs. `part` keeps apart the calls of a step that takes several of them."""
        stages.by_id(stage).step(step)
        with ExitStack() as held:
            with self.folder.lock():
                key = (stage, step, part)
                held.enter_context(holding(self._lock(key), busy=self._busy(key), timeout_s=_PATIENCE_S))
                running = self._start(key, tool)
            try:
                for path in inputs:
                    running.used(path)
                yield running
            except BaseException as error:
                # The error is what matters; should the disk refuse the note too, the step reads as interrupted.
                with suppress(PerfsuiteError):
                    is_cancelled = isinstance(error, (Cancelled, asyncio.CancelledError))
                    running.fail(self._clock(), *_told(error, tool), cancelled=is_cancelled)
                raise
            running.finish(self._clock())

    def status(self) -> RunStatus:
        """What is done, failed, stale and next."""
        before = {key_of(one): one.started_at for one in self.folder.record().ledger if one.state == "running"}
        free = {key for key in before if not is_held(self._lock(key))}
        # A step notes its end before it gives up its lock: free, and still `running` after that, means killed.
        record = self.folder.record()
        running = {key_of(one): one.started_at for one in record.ledger if one.state == "running"}
        living = {key for key, started in running.items() if key not in free or before[key] != started}
        return Snapshot(self.folder, record, living).status()

    def files(self, artifact: Artifact) -> list[Path]:
        """The files of this kind that finished steps left, in the order of their names."""
        paths = {
            output.path
            for one in self.folder.record().ledger
            if one.state == "done"
            for output in one.outputs
            if artifact.match(output.path) is not None
        }
        return [path for relative in sorted(paths) if (path := self.folder.file_or_none(relative))]

    def _start(self, key: Key, tool: str) -> RunningStep:
        earlier = next((one for one in self.folder.record().ledger if key_of(one) == key), None)
        stage, step, part = key
        record = StepRecord(
            stage=stage,
            step=step,
            part=part,
            state="running",
            started_at=self._clock(),
            tool=tool,
            outputs=earlier.outputs if earlier else (),
        )
        self.folder.update(lambda run: _with(run, record))
        return RunningStep(self.folder, record)

    def _lock(self, key: Key) -> Path:
        stage, step, part = key
        return self.folder.lock_path(file_part(f"{stage}.{step}.{part}" if part else f"{stage}.{step}"))

    def _busy(self, key: Key) -> Conflict:
        stage, step, part = key
        which = f"{stage}.{step}" + (f" ({part})" if part else "")
        return Conflict(
            f"Step {which} of run {self.folder.run_id!r} is already running.",
            next_step=f"Wait for it to end; `perfsuite status {self.folder.run_id}` says when it has.",
        )


def _told(error: BaseException, tool: str) -> tuple[str, str]:
    if isinstance(error, PerfsuiteError):
        return error.message, error.next_step
    return f"It was stopped by {type(error).__name__}.", f"Call `{tool}` again."


def _with(run: RunRecord, record: StepRecord) -> RunRecord:
    places = [number for number, one in enumerate(run.ledger) if key_of(one) == key_of(record)]
    where = places[0] if places else len(run.ledger)
    return run.model_copy(update={"ledger": (*run.ledger[:where], record, *run.ledger[where + 1 :])})


def _state(folder: RunFolder, path: Path | str, sha256: str | None) -> FileState:
    relative = folder.relative_to(path)
    where = Path(path) if relative is None else folder.inside(relative)
    try:
        found = where.stat()
        if not S_ISREG(found.st_mode):
            raise BadInput(f"{str(path)!r} is not a regular file.", next_step="Name a file.")
        digest = sha256 or sha256_of(where)
    except OSError as error:
        raise NotFound(
            f"The file {str(path)!r} cannot be read: {error.strerror}.", next_step="Name a file that exists."
        ) from error
    return FileState(
        path=_text(path) if relative is None else relative,
        sha256=digest,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        external=relative is None,
    )


def _text(path: Path | str) -> str:
    """A path that JSON can hold: names on disk may have bytes that are not UTF-8."""
    return str(path).encode("utf-8", "replace").decode("utf-8")


def _remove(folder: RunFolder, relative: str) -> None:
    """Remove an earlier output. What `run.json` names is not trusted: only a file inside the folder is removed."""
    try:
        if path := folder.file_or_none(relative):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageFailed(
            f"The superseded file {relative!r} could not be removed: {error.strerror}.",
            next_step="Make the run folder writable for this user, then do it again.",
        ) from error
