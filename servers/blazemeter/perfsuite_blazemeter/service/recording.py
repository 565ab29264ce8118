"""Notes in a run's ledger what a tool did for it."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio.to_thread

from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.errors import Conflict, PerfsuiteError
from perfsuite.workflow.ledger import Ledger, RunningStep
from perfsuite_blazemeter.models.ids import run_folder

STAGE: Final = "blazemeter"
T = TypeVar("T")


def own_run(runs: RunStore, run_id: str) -> RunFolder:
    """The run's folder, made if there is none. A run whose samples came from elsewhere is not touched."""
    run = runs.open_or_create(run_id, RunFacts(source=STAGE))
    source = run.record().source
    if source not in (None, STAGE):
        raise Conflict(
            f"Run {run_id!r} holds the results of {source!r}.", next_step="Take another run id for the BlazeMeter run."
        )
    return run


async def recorded(
    runs: RunStore,
    run_id: str,
    step: str,
    tool: str,
    fetch: Callable[[], Awaitable[T]],
    keep: Callable[[RunningStep, T], None],
) -> T:
    """Fetch something and keep it as a step of the run. That it failed is noted where the run has a folder."""
    try:
        found = await fetch()
    except PerfsuiteError as error:
        await anyio.to_thread.run_sync(_note_failure, runs, run_id, step, tool, error)
        raise
    await anyio.to_thread.run_sync(_keep, runs, run_id, step, tool, lambda running: keep(running, found))
    return found


def _keep(runs: RunStore, run_id: str, step: str, tool: str, keep: Callable[[RunningStep], None]) -> None:
    with Ledger(own_run(runs, run_id)).step(STAGE, step, tool=tool) as running:
        keep(running)


def _note_failure(runs: RunStore, run_id: str, step: str, tool: str, error: PerfsuiteError) -> None:
    run = run_folder(runs, run_id)
    if run is None:
        return
    try:
        with Ledger(run).step(STAGE, step, tool=tool):
            raise error
    except PerfsuiteError:
        return
