"""Notes in a run's ledger what a tool did for it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.artifacts.schemas import ConfluenceRequest, RunRecord
from perfsuite.workflow.ledger import Ledger
from perfsuite_confluence.service.sources import source_of, with_record

STAGE: Final = "confluence"
T = TypeVar("T")


async def recorded(
    runs: RunStore,
    run_id: str | None,
    step: str,
    tool: str,
    fetch: Callable[[], Awaitable[T]],
    learnt: Callable[[T], dict[str, str]] = lambda _: {},
) -> T:
    """Do something as a step of the run where one is named, and keep what was learnt about where its report goes."""
    if run_id is None:
        return await fetch()
    run = with_record(source_of(runs, run_id))
    with Ledger(run).step(STAGE, step, tool=tool):
        found = await fetch()
        note_place(run, learnt(found))
    return found


def note_place(run: RunFolder, known: Mapping[str, str | None]) -> None:
    """Keep in the run's record where its report goes."""

    def noted(record: RunRecord) -> RunRecord:
        before = record.request.confluence
        after = ConfluenceRequest.model_validate({**before.model_dump(), **known})
        request = record.request.model_copy(update={"confluence": after})
        return record.model_copy(update={"request": request})

    run.update(noted)
