"""What is wanted, out of the archives of all sessions; and the logs, where they stay."""

import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from perfsuite.artifacts import layout
from perfsuite.artifacts.layout import Artifact
from perfsuite.errors import BadFile, PerfsuiteError, StorageFailed
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import RunningStep
from perfsuite_blazemeter.client.zips import take_out
from perfsuite_blazemeter.models.archives import Limits, Role, Wanted
from perfsuite_blazemeter.models.artifacts import ExtractedFile, SessionState
from perfsuite_blazemeter.service.sessions_book import Bookkeeper, Watch
from perfsuite_blazemeter.service.sessions_download import about, wanted_of

_AT_ONCE: Final = 2
_UNFINISHED: Final = ".part"
_KEPT: Final[dict[Role, Artifact]] = {
    "jmeter_log": layout.BLAZEMETER_ENGINE_LOG,
    "bzt_log": layout.BLAZEMETER_BZT_LOG,
    "errors": layout.BLAZEMETER_ERRORS,
}


def extract(keeper: Bookkeeper, limits: Limits, watch: Watch, span: tuple[float, float]) -> list[PerfsuiteError]:
    """Take out what is wanted of every archive that is there. What could not be unpacked is noted, and returned."""
    waiting = [one for one in keeper.book.sessions if one.download == "done" and one.extract == "pending"]
    plans = {one.session_id: wanted_of(keeper, one.session_id, limits) for one in waiting}
    total = sum(wanted.member.size for plan in plans.values() for wanted in plan)
    _require_room(keeper.run.root, total)
    more = watch.counting(*span, total, "unpacking archives")

    def one(state: SessionState) -> PerfsuiteError | None:
        try:
            _extract(keeper, state.session_id, plans[state.session_id], more)
        except BadFile as error:
            failure = about(state.session_id, error)
            keeper.archive(state.session_id).unlink(missing_ok=True)
            keeper.note(state.session_id, download="pending", missing=printable(failure.message))
            return failure
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [failure for failure in pool.map(one, waiting) if failure is not None]


def _extract(keeper: Bookkeeper, session_id: str, plan: list[Wanted], more: Callable[[int], None]) -> None:
    archive, folder = keeper.archive(session_id), keeper.files(session_id)
    unfinished = folder.with_name(folder.name + _UNFINISHED)
    for leftover in (unfinished, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    unfinished.mkdir()
    found = []
    for wanted in plan:
        taken = take_out(archive, wanted.member, unfinished / wanted.file, more)
        name = printable(wanted.member.name)
        found.append(ExtractedFile(name=name, role=wanted.role, file=wanted.file, size=taken.size, sha256=taken.sha256))
    unfinished.rename(folder)
    keeper.note(session_id, extract="done", files=tuple(found))
    archive.unlink(missing_ok=True)


def keep_files(keeper: Bookkeeper, step: RunningStep) -> None:
    """Put what is not merged where it stays: the logs, and what failed in detail. The first log has no number."""
    counts: Counter[Role] = Counter()
    for state in keeper.book.sessions:
        if state.extract == "done":
            kept = [one if one.role == "results" else _keep(keeper, state, one, counts, step) for one in state.files]
            keeper.note(state.session_id, files=tuple(kept))


def _keep(
    keeper: Bookkeeper, state: SessionState, file: ExtractedFile, counts: "Counter[Role]", step: RunningStep
) -> ExtractedFile:
    counts[file.role] += 1
    number = counts[file.role]
    is_first_log = file.role == "jmeter_log" and number == 1
    artifact, names = (layout.BLAZEMETER_LOG, {}) if is_first_log else (_KEPT[file.role], {"number": number})
    with keeper.run.staged(artifact, **names) as target:
        shutil.copyfile(keeper.files(state.session_id) / file.file, target)
    path = keeper.run.path(artifact, **names)
    step.produced(path, sha256=file.sha256)
    return file.model_copy(update={"kept": path.relative_to(keeper.run.root).as_posix()})


def _require_room(folder: Path, size: int) -> None:
    """What is unpacked is written once more when it is merged."""
    free = shutil.disk_usage(folder).free
    if free < 2 * size:
        raise StorageFailed(
            f"The results unpack to {size} bytes and need twice as much for a while; {free} are free.",
            next_step="Free space on the disk that holds the artifacts folder, then call again.",
        )
