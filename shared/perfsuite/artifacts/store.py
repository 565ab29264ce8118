"""All runs: the folder that holds one folder for each."""

import os
from difflib import get_close_matches
from pathlib import Path

from perfsuite.artifacts.folder import RunFolder
from perfsuite.artifacts.layout import RUN_RECORD
from perfsuite.artifacts.run_id import RunId
from perfsuite.artifacts.schemas import RunFacts, RunRecord
from perfsuite.errors import BadInput, BadSettings, Conflict, StorageFailed, UnknownRun

_SETTING = "PERFSUITE_ARTIFACTS_DIR"
_MOST_NAMES = 5
_NEXT = f"Point {_SETTING} at a writable folder that is not the root of the file system."


class RunStore:
    """The runs in one folder, which is made with the first run."""

    def __init__(self, root: Path) -> None:
        self.root = _usable(root)

    def open(self, run_id: str) -> RunFolder:
        """The run of this id. Nothing is made: an unknown run is an error that names those with a similar id."""
        run = self._folder(RunId(run_id))
        if not _is_run(run):
            raise self._unknown(run)
        return run

    def create(self, run_id: str, facts: RunFacts | None = None) -> RunFolder:
        """Make a new run."""
        run, is_new = self._make(RunId(run_id), facts)
        if not is_new:
            raise Conflict(
                f"Run {run.run_id!r} exists already.",
                next_step=f"Choose another run id, or work on with {run.run_id!r}.",
            )
        return run

    def open_or_create(self, run_id: str, facts: RunFacts | None = None) -> RunFolder:
        """The run of this id, made if there is none. What an existing run says about itself is not changed."""
        return self._make(RunId(run_id), facts)[0]

    def runs(self) -> list[RunFolder]:
        """Every run, in the order of the ids."""
        return [run for name in self._names() if (run := self._run_or_none(name))]

    def _names(self) -> list[str]:
        return sorted(entry.name for entry in self.root.iterdir()) if self.root.is_dir() else []

    def _run_or_none(self, name: str) -> RunFolder | None:
        try:
            run = self._folder(RunId(name))
        except BadInput:
            return None
        return run if _is_run(run) else None

    def _folder(self, run_id: RunId) -> RunFolder:
        path = self.root / run_id
        if path.is_symlink():
            raise BadInput(
                f"The folder of run {run_id!r} is a symbolic link, which may lead anywhere.",
                next_step=f"Put the folder itself into {str(self.root)!r}, or choose another run id.",
            )
        return RunFolder(run_id, path)

    def _make(self, run_id: RunId, facts: RunFacts | None) -> tuple[RunFolder, bool]:
        run = self._folder(run_id)
        try:
            run.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(f"Run {run_id!r} could not be made: {error.strerror}.", next_step=_NEXT) from error
        with run.lock():
            is_new = not _is_run(run)
            if is_new:
                known = (facts or RunFacts()).model_dump()
                run.save(RUN_RECORD, RunRecord.model_validate({**known, "run_id": run_id}))
        return run, is_new

    def _unknown(self, run: RunFolder) -> UnknownRun:
        names = [other.run_id for other in self.runs()]
        near = get_close_matches(run.run_id, names, n=3, cutoff=0.5)
        hint = f" Similar: {', '.join(map(repr, near))}." if near else ""
        there = ", ".join(map(repr, near or names[:_MOST_NAMES]))
        name = f"Name one that is there, such as {there}, or make" if there else "Make"
        what = "has a folder, but no 'run.json'" if run.root.is_dir() else "does not exist"
        return UnknownRun(
            f"Run {run.run_id!r} {what}; {str(self.root)!r} holds {len(names)} runs.{hint}",
            next_step=f"{name} one with {RUN_RECORD.makers}.",
        )


def _is_run(run: RunFolder) -> bool:
    return (run.root / RUN_RECORD.place).is_file()


def _usable(root: Path) -> Path:
    resolved = root.expanduser().resolve()
    if resolved == Path(resolved.anchor):
        raise BadSettings(f"{_SETTING} is {str(root)!r}, the root of the file system.", next_step=_NEXT)
    if resolved.exists() and not resolved.is_dir():
        raise BadSettings(f"{_SETTING} is {str(root)!r}, which is not a folder.", next_step=_NEXT)
    there = next(folder for folder in (resolved, *resolved.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise BadSettings(f"{_SETTING} is {str(root)!r}, which cannot be written to.", next_step=_NEXT)
    return resolved
