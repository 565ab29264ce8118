"""Ends a run: with its results once there are some, and at once before that."""

from typing import Literal

from perfsuite.artifacts import RunStore
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.core.phases import next_step_of, phase_of
from perfsuite_blazemeter.models.answers import Phase, StoppedRun
from perfsuite_blazemeter.models.ids import master_of
from perfsuite_blazemeter.service.status import observe


async def stop_run(blazemeter: BlazeMeter, runs: RunStore, run_id: str | None, master_id: int | None) -> StoppedRun:
    """End a run as gently as its progress allows, and say where it stands then."""
    wanted = master_of(runs, run_id, master_id)
    done = await _end(blazemeter, wanted, await _phase(blazemeter, wanted))
    phase = await _phase(blazemeter, wanted)
    return StoppedRun(master_id=wanted, done=done, phase=phase, next_step=_next_step(done, phase))


async def _end(blazemeter: BlazeMeter, master_id: int, phase: Phase) -> Literal["stopped", "terminated", "nothing"]:
    if phase == "running":
        await blazemeter.stop(master_id)
        return "stopped"
    if phase == "starting":
        # There is nothing to shut down gracefully yet, and a stop would be refused.
        await blazemeter.terminate(master_id)
        return "terminated"
    return "nothing"


async def _phase(blazemeter: BlazeMeter, master_id: int) -> Phase:
    master, status = await observe(blazemeter, master_id)
    return phase_of(status, master)


def _next_step(done: str, phase: Phase) -> str:
    if done == "nothing" or phase in ("ending", "ended", "archived"):
        return next_step_of(phase)
    return "It takes a minute or two. Call `check_test_status` with wait_s=45; do not stop it again meanwhile."
