"""The attempts of a run: an earlier one is moved away whole, and what was made from it no longer counts."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from perfsuite.artifacts import RunFolder
from perfsuite.artifacts.schemas import RunRecord
from perfsuite.errors import StorageFailed
from perfsuite_jmeter.models.runs import ATTEMPTS, FOLDER, SPEC

_MOVING: Final = ".moving-"
_OF_ATTEMPT: Final = frozenset({"wait", "collect", "aggregate_report", "validate"})


def attempt_number(run: RunFolder) -> int:
    """The number of the attempt whose files lie in the folder of JMeter itself, or will."""
    return 1 + max((int(one.name) for one in _entries(_attempts(run)) if one.name.isdecimal()), default=0)


def set_aside(run: RunFolder) -> str | None:
    """Move an earlier attempt to a folder of its own, and say which. A move that was killed is gone on with."""
    folder, attempts = run.root / FOLDER, _attempts(run)
    moving = next((one for one in _entries(attempts) if one.name.startswith(_MOVING)), None)
    if moving is None and not (run.root / SPEC.place).exists():
        return None
    try:
        moving = moving or attempts / f"{_MOVING}{attempt_number(run)}"
        moving.mkdir(parents=True, exist_ok=True)
        # The spec goes last: as long as it is there, nobody takes the rest for the beginning of a new attempt.
        for entry in sorted(_entries(folder), key=lambda one: one.name == Path(SPEC.place).name):
            if entry != attempts:
                entry.rename(moving / entry.name)
        target = attempts / moving.name.removeprefix(_MOVING)
        moving.rename(target)
    except OSError as error:
        raise StorageFailed(
            f"The earlier attempt of run {run.run_id!r} could not be moved away: {error.strerror}.",
            next_step="Make the run folder writable for this user, then call `start_jmeter_test` again.",
        ) from error
    run.update(lambda record: _without_attempt(run, record))
    return target.relative_to(run.root).as_posix()


def _attempts(run: RunFolder) -> Path:
    return run.root / FOLDER / ATTEMPTS


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _without_attempt(run: RunFolder, record: RunRecord) -> RunRecord:
    """The record without the steps that followed the earlier start. What they made of it is removed, too."""
    dropped = [one for one in record.ledger if one.stage == FOLDER and one.step in _OF_ATTEMPT]
    kept = tuple(one for one in record.ledger if one not in dropped)
    for output in {output.path for one in dropped for output in one.outputs}:
        if path := run.file_or_none(output):
            with suppress(FileNotFoundError):
                path.unlink()
    return record.model_copy(update={"ledger": kept, "window": None, "fidelity": None})
