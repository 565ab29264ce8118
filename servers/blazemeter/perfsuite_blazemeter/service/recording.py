"""Notes in a run's ledger what a tool did for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import anyio.to_thread

from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.errors import Conflict, PerfsuiteError
from perfsuite.workflow.ledger import Ledger, RunningStep
from perfsuite_blazemeter.models.artifacts import BOOK, SessionBook
from perfsuite_blazemeter.models.config import CONFIG
from perfsuite_blazemeter.models.ids import is_master, master_of, run_folder

STAGE: Final = "blazemeter"
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A step of a run, and the tool that carries it out. The run is of this master from then on."""

    run_id: str
    step: str
    tool: str
    master_id: int | None = None


def own_run(runs: RunStore, run_id: str, master_id: int | None = None) -> RunFolder:
    """The run's folder, made if there is none. A run whose samples came from elsewhere is not touched."""
    run = runs.open_or_create(run_id, RunFacts(source=STAGE))
    source = run.record().source
    if source not in (None, STAGE):
        raise Conflict(
            f"Run {run_id!r} holds the results of {source!r}.", next_step="Take another run id for the BlazeMeter run."
        )
    if master_id is not None:
        _bind(runs, run, master_id)
    return run


async def recorded(
    runs: RunStore, entry: Entry, fetch: Callable[[], Awaitable[T]], keep: Callable[[RunningStep, T], None]
) -> T:
    """Fetch something and keep it as a step of the run. That it failed is noted where the run has a folder."""
    try:
        found = await fetch()
    except PerfsuiteError as error:
        await anyio.to_thread.run_sync(_note_failure, runs, entry, error)
        raise
    await anyio.to_thread.run_sync(_keep, runs, entry, lambda running: keep(running, found))
    return found


def proven(run: RunFolder, step: str, tool: str) -> None:
    """Note that a step is done because a later one showed it, unless it was done for itself."""
    if not any((one.stage, one.step, one.state) == (STAGE, step, "done") for one in run.record().ledger):
        with Ledger(run).step(STAGE, step, tool=tool):
            pass


def _bind(runs: RunStore, run: RunFolder, master_id: int) -> None:
    """Have the run say of which master it is, before anything of that master comes into it."""
    with run.lock():
        master_of(runs, run.run_id, master_id)
        if not (is_master(run.run_id) or any(run.path(one).exists() for one in (CONFIG, BOOK))):
            run.save(BOOK, SessionBook(master_id=master_id))


def _keep(runs: RunStore, entry: Entry, keep: Callable[[RunningStep], None]) -> None:
    run = own_run(runs, entry.run_id, entry.master_id)
    with Ledger(run).step(STAGE, entry.step, tool=entry.tool) as running:
        keep(running)


def _note_failure(runs: RunStore, entry: Entry, error: PerfsuiteError) -> None:
    run = run_folder(runs, entry.run_id)
    if run is None:
        return
    try:
        with Ledger(run).step(STAGE, entry.step, tool=entry.tool):
            raise error
    except PerfsuiteError:
        return
