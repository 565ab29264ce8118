"""A run's folder: where each file is, and how it is read and written."""

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from perfsuite.artifacts.atomic import replacing
from perfsuite.artifacts.layout import RUN_RECORD, Artifact, JsonArtifact, by_path
from perfsuite.artifacts.locks import holding
from perfsuite.artifacts.run_id import RunId, shown
from perfsuite.artifacts.schemas import NEWER_SCHEMA, Document, RunRecord
from perfsuite.errors import BadFile, BadInput, Conflict, NotFound, NotReady, PerfsuiteError, StorageFailed

LOCKS = ".locks"
LARGEST_JSON = 64 * 1024 * 1024
_MOST_NAMES = 10

M = TypeVar("M", bound=Document)


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run. `root` is resolved: no link in it leads elsewhere."""

    run_id: RunId
    root: Path

    def path(self, artifact: Artifact, **names: str | int) -> Path:
        """Where this artifact is, or will be. The run's id fills its placeholder by itself."""
        path = self.root / self._relative(artifact, names)
        if not self._holds(path):
            raise self._leads_out(path.relative_to(self.root).as_posix())
        return path

    def inside(self, relative: str) -> Path:
        """The regular file at this path in the run folder. Whatever leads out of the folder is refused."""
        parts = PurePosixPath(relative).parts
        if not _is_plain(relative) or any(part.startswith(".") for part in parts):
            raise BadInput(
                f"{shown(relative)} is not a path in a run folder: expected one such as 'import/sources.json', "
                "relative and without '..', hidden names or special characters.",
                next_step=f"Name one of: {self.listing(self.root)}.",
            )
        path = self.root.joinpath(*parts)
        if not self._holds(path):
            raise self._leads_out(relative)
        self._require_file(path, relative)
        return path

    def file_or_none(self, relative: str) -> Path | None:
        """As `inside`, for a path that may well be gone or was not written by us."""
        try:
            return self.inside(relative)
        except PerfsuiteError:
            return None

    def relative_to(self, path: Path | str) -> str | None:
        """The path in this folder of a path of the file system, or None when it lies outside."""
        absolute = Path(path).absolute()
        resolved = absolute.parent.resolve() / absolute.name
        return resolved.relative_to(self.root).as_posix() if resolved.is_relative_to(self.root) else None

    def save(self, artifact: JsonArtifact[M], model: M, **names: str | int) -> Path:
        """Write a model as JSON. The same model gives the same bytes."""
        content = json.loads(model.model_dump_json())
        text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        with self.staged(artifact, **names) as staged:
            staged.write_text(text, encoding="utf-8", newline="\n")
        return self.path(artifact, **names)

    def load(self, artifact: JsonArtifact[M], **names: str | int) -> M:
        """Read a model, or say which tool makes the file and what is wrong with it."""
        relative = self._relative(artifact, names)
        path = self.path(artifact, **names)
        self._require_file(path, relative)
        try:
            if path.stat().st_size > LARGEST_JSON:
                raise self._bad(artifact, relative, f"it is larger than {LARGEST_JSON // 1024**2} MiB")
            return artifact.schema.model_validate_json(path.read_bytes())
        except ValidationError as error:
            problems = error.errors(include_url=False)
            raise self._bad(artifact, relative, _problem(problems[0]), problems[0]["type"]) from None
        except OSError as error:
            raise StorageFailed(
                f"{relative!r} of run {self.run_id!r} cannot be read: {error.strerror}.",
                next_step="Make the run folder readable for this user.",
            ) from error

    @contextmanager
    def staged(self, artifact: Artifact, **names: str | int) -> Iterator[Path]:
        """Give a path to write this artifact to; it takes its place, whole, when the block ends well."""
        path = self.path(artifact, **names)
        relative = path.relative_to(self.root).as_posix()
        try:
            # Without `parents`: a run that was removed meanwhile must not come back as a heap of fragments.
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise StorageFailed(
                f"{relative!r} of run {self.run_id!r} could not be saved: {error.strerror}.",
                next_step="Make sure that the run folder still exists and that this user may write to it.",
            ) from error
        with replacing(path, shown_as=relative) as staged:
            yield staged

    def lock(self, timeout_s: float = 10.0) -> AbstractContextManager[None]:
        """Keep other processes and threads from changing the run's record. Hold it only over work without `await`."""
        busy = Conflict(
            f"Run {self.run_id!r} is being changed by another process, for more than {timeout_s:g} s.",
            next_step="Wait for it to end, then call again.",
        )
        return holding(self.lock_path("run"), busy=busy, timeout_s=timeout_s, reentrant=True)

    def lock_path(self, name: str) -> Path:
        """The file that is locked under this name."""
        return self.root / LOCKS / f"{name}.lock"

    def record(self) -> RunRecord:
        """What `run.json` says."""
        record = self.load(RUN_RECORD)
        if record.run_id != self.run_id:
            raise BadFile(
                f"'run.json' in the folder of run {self.run_id!r} belongs to another run: expected `run_id` "
                f"{self.run_id!r}, found {record.run_id!r}.",
                next_step="Rename the folder to the id in the file, or correct the file.",
            )
        return record

    def update(self, change: Callable[[RunRecord], RunRecord]) -> RunRecord:
        """Read `run.json`, change it and write it back, with nobody in between."""
        with self.lock():
            record = change(self.record())
            self.save(RUN_RECORD, record)
        return record

    def listing(self, folder: Path) -> str:
        """The names in one of the run's folders, for an error that says what is there instead."""
        if not folder.is_dir():
            return "nothing"
        names = sorted(
            f"{entry.name}/" if entry.is_dir() else entry.name
            for entry in folder.iterdir()
            if not entry.name.startswith(".")
        )
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        return (", ".join(map(shown, names[:_MOST_NAMES])) or "nothing") + more

    def _relative(self, artifact: Artifact, names: dict[str, str | int]) -> str:
        own: dict[str, str | int] = {"run_id": self.run_id} if "run_id" in artifact.placeholders else {}
        return artifact.relative(**{**own, **names})

    def _holds(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self.root)
        except (OSError, RuntimeError):
            # Links that point at each other: Python 3.11 reports them by RuntimeError.
            return False

    def _require_file(self, path: Path, relative: str) -> None:
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            raise self._missing(path, relative) from None
        except OSError as error:
            raise BadInput(
                f"{shown(relative)} cannot be looked up: {error.strerror}.", next_step="Name a file of the run."
            ) from None
        if stat.S_ISDIR(mode):
            raise BadInput(
                f"{shown(relative)} is a folder.", next_step=f"Name a file in it; it holds {self.listing(path)}."
            )
        if not stat.S_ISREG(mode):
            raise BadInput(
                f"{shown(relative)} is not a regular file.", next_step="Remove it, then run the step that makes it."
            )

    def _missing(self, path: Path, relative: str) -> PerfsuiteError:
        where = PurePosixPath(relative).parent.as_posix()
        place = "its folder" if where == "." else f"its folder {where!r}"
        message = f"Run {self.run_id!r} has no {shown(relative)}; {place} holds {self.listing(path.parent)}."
        artifact = by_path(relative)
        if artifact is None:
            return NotFound(message, next_step="Name a file that the run has.")
        return NotReady(message, next_step=f"Call {artifact.makers} first, for run {self.run_id!r}.")

    def _bad(self, artifact: Artifact, relative: str, problem: str, kind: str = "") -> BadFile:
        redo = f"call {artifact.makers} again for run {self.run_id!r}"
        return BadFile(
            f"{relative!r} of run {self.run_id!r} cannot be used: {problem}.",
            next_step=f"Update perfsuite, or {redo}." if kind == NEWER_SCHEMA else f"Restore the file, or {redo}.",
        )

    def _leads_out(self, relative: str) -> BadInput:
        return BadInput(
            f"{shown(relative)} of run {self.run_id!r} leads out of the run folder by a symbolic link.",
            next_step="Remove the link, and put the file itself in its place.",
        )


def _is_plain(relative: str) -> bool:
    if not relative or not relative.isprintable() or "\\" in relative or PureWindowsPath(relative).drive:
        return False
    parts = PurePosixPath(relative).parts
    return bool(parts) and not PurePosixPath(relative).is_absolute() and ".." not in parts


def _problem(problem: ErrorDetails) -> str:
    key = ".".join(map(str, problem["loc"]))
    if problem["type"] in {"json_invalid", NEWER_SCHEMA, "schema_version"}:
        return problem["msg"]
    found = "" if problem["type"] == "missing" else f"; found {shown(problem['input'])}"
    return f"at {key or 'the top'!r}, {problem['msg'][0].lower()}{problem['msg'][1:]}{found}"
