"""Whether a run has ended, and what to do next."""

from dataclasses import dataclass, field
from typing import Final

import anyio

from perfsuite.artifacts import RunStore
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.core.phases import contradiction, next_step_of, phase_of, progress_of
from perfsuite_blazemeter.core.times import stamp
from perfsuite_blazemeter.models.answers import RunStatus
from perfsuite_blazemeter.models.entities import Archived, Master, MasterStatus
from perfsuite_blazemeter.models.ids import master_of
from perfsuite_blazemeter.service.besides import besides
from perfsuite_blazemeter.service.recording import Entry, recorded

TOOL: Final = "check_test_status"
_POLL_S: Final = 5.0
_MOST_PROBLEMS: Final = 10
OVER: Final = frozenset({"ended", "archived"})


@dataclass(frozen=True)
class StatusQuestion:
    """Which run is asked about, and how long its end may be waited for."""

    run_id: str | None = None
    master_id: int | None = None
    wait_s: float = 0
    poll_s: float = field(default=_POLL_S, repr=False)


async def check_run(blazemeter: BlazeMeter, runs: RunStore, question: StatusQuestion) -> RunStatus:
    """Where a run stands. That it has ended is noted in the ledger of the run that was named."""
    master_id = master_of(runs, question.run_id, question.master_id)
    found = await _watched(blazemeter, master_id, question)
    if question.run_id is None or found.phase not in OVER:
        return found

    async def known() -> RunStatus:
        return found

    entry = Entry(question.run_id, "confirm_run_ended", TOOL, master_id)
    return await recorded(runs, entry, known, lambda step, status: None)


async def observe(blazemeter: BlazeMeter, master_id: int) -> tuple[Master, MasterStatus | Archived]:
    """What the two endpoints say that know about the state of a run."""
    master = await blazemeter.master(master_id)
    return master, await blazemeter.status(master_id)


async def _watched(blazemeter: BlazeMeter, master_id: int, question: StatusQuestion) -> RunStatus:
    deadline = anyio.current_time() + question.wait_s
    while True:
        began = anyio.current_time()
        master, status = await observe(blazemeter, master_id)
        phase = phase_of(status, master)
        took_s, left_s = anyio.current_time() - began, deadline - anyio.current_time()
        # A look that would end too late would cost what this one has told.
        if phase in OVER or left_s <= took_s:
            return await _told(blazemeter, master, status)
        await anyio.sleep(max(0, min(question.poll_s, left_s - took_s)))


async def _told(blazemeter: BlazeMeter, master: Master, status: MasterStatus | Archived) -> RunStatus:
    phase = phase_of(status, master)
    seen = MasterStatus() if isinstance(status, Archived) else status
    odd = contradiction(status, master)
    problems, notes = await _problems(blazemeter, master.id) if phase == "ended" else ([], [])
    return RunStatus(
        master_id=master.id,
        name=master.name,
        phase=phase,
        status=seen.status,
        progress=progress_of(seen),
        engines_pct=seen.statuses.model_dump(exclude_none=True) if seen.statuses else {},
        users=master.max_users,
        created_at=stamp(master.created),
        ended_at=stamp(master.ended),
        report_status=master.report_status,
        problems=problems,
        notes=[*([odd] if odd else []), *notes],
        next_step=next_step_of(phase),
    )


async def _problems(blazemeter: BlazeMeter, master_id: int) -> tuple[list[str], list[str]]:
    """What went wrong with the engines. A run can be told about without it."""
    full, note = await besides(lambda: blazemeter.master_full(master_id), "What went wrong with its engines")
    errors = [error for session in (full.sessions if full else ()) for error in session.errors]
    told = dict.fromkeys(f"{error.message or 'nothing said'} (code {error.code})" for error in errors)
    return list(told)[:_MOST_PROBLEMS], [note] if note else []
