"""Which steps would give something else if they ran now."""

from collections import deque
from pathlib import Path
from stat import S_ISREG

from perfsuite.artifacts.atomic import sha256_of
from perfsuite.artifacts.folder import RunFolder
from perfsuite.artifacts.schemas import FileState, RunRecord, StepRecord

Key = tuple[str, str, str]


def key_of(record: StepRecord) -> Key:
    """What tells one record of the ledger from another."""
    return record.stage, record.step, record.part


def stale_steps(folder: RunFolder, record: RunRecord) -> dict[Key, list[str]]:
    """Why each stale step is stale; steps that are fresh, or are not done, have no entry."""
    done = [step for step in record.ledger if step.state == "done"]
    producers = {output.path: step for step in record.ledger for output in step.outputs}
    reasons = {key_of(step): why for step in done if (why := _own_reasons(folder, step, producers))}
    waiting = deque(step for step in done if key_of(step) in reasons)
    while waiting:
        upstream = waiting.popleft()
        outputs = {output.path for output in upstream.outputs}
        for step in done:
            used = [one.path for one in step.inputs if not one.external and one.path in outputs]
            if used and key_of(step) not in reasons:
                reasons[key_of(step)] = [f"{used[0]!r} comes from {_name(upstream)}, which is stale"]
                waiting.append(step)
    return reasons


def _own_reasons(folder: RunFolder, step: StepRecord, producers: dict[str, StepRecord]) -> list[str]:
    changed = [
        _reason(one, change, step, producers) for one in step.inputs if (change := _change(folder, one)) is not None
    ]
    gone = [f"its output {one.path!r} is gone" for one in step.outputs if folder.file_or_none(one.path) is None]
    return changed + gone


def _reason(used: FileState, change: str, step: StepRecord, producers: dict[str, StepRecord]) -> str:
    producer = None if used.external else producers.get(used.path)
    redone = producer is not None and producer.started_at > step.started_at
    by = f": {_name(producer)} ran again" if producer is not None and redone else ""
    return f"its input {used.path!r} {change} after it ran{by}"


def _change(folder: RunFolder, used: FileState) -> str | None:
    path = Path(used.path) if used.external else folder.file_or_none(used.path)
    if used.absent:
        return "appeared" if path is not None and path.is_file() else None
    if path is None:
        return "was removed"
    try:
        found = path.stat()
        if used.external and not S_ISREG(found.st_mode):
            return None
        same = found.st_size == used.size and (found.st_mtime_ns == used.mtime_ns or sha256_of(path) == used.sha256)
    except (OSError, ValueError):
        # Outside the run folder, a file that cannot be looked at says nothing about the run.
        return None if used.external else "became unreadable"
    return None if same else "changed"


def _name(step: StepRecord) -> str:
    return f"{step.stage}.{step.step}" + (f" ({step.part})" if step.part else "")
