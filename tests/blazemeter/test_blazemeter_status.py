"""Whether a run has ended, and what to do next."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from blazemeter.conftest import NEWEST, OLDEST, TEST, Connect, Hands, started
from perfsuite.artifacts import RunStore
from perfsuite.sandbox.blazemeter import OpenBlazeMeter
from perfsuite_blazemeter.core.phases import contradiction, phase_of
from perfsuite_blazemeter.models.entities import Master, MasterStatus
from perfsuite_blazemeter.service.desk import ask
from perfsuite_blazemeter.service.status import StatusQuestion, check_run


@pytest.mark.parametrize(
    ("after_s", "phase", "progress"),
    [(0, "starting", None), (5, "starting", 20), (21, "running", 100), (47, "ending", 120), (90, "ended", 140)],
)
async def test_the_phase_follows_the_progress(
    connect: Connect, service: OpenBlazeMeter, hands: Hands, after_s: float, phase: str, progress: int | None
) -> None:
    master_id = started(service, hands)
    hands.now += after_s
    async with connect() as tools:
        found = await tools.call("check_test_status", master_id=master_id)
    assert (found["phase"], found["progress"]) == (phase, progress)
    assert ("`get_run_results`" in found["next_step"]) is (phase == "ended")
    assert (found["ended_at"] is None) is (phase != "ended")


async def test_the_end_is_waited_for(connect: Connect, service: OpenBlazeMeter, hands: Hands) -> None:
    master_id = started(service, hands)
    runs, question = RunStore(service.standin.folder / "runs"), StatusQuestion(None, master_id, 45, 0.02)

    async def end_after_some_looks() -> None:
        for _ in range(2_000):
            if len(service.standin.journal.received("blazemeter.status")) >= 3:
                break
            await anyio.sleep(0.02)
        hands.now += 90

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end_after_some_looks)
        found = await ask(lambda blazemeter: check_run(blazemeter, runs, question))
    assert found.phase == "ended"


async def test_nobody_waits_longer_than_was_asked(connect: Connect, service: OpenBlazeMeter, hands: Hands) -> None:
    master_id = started(service, hands)
    runs, question = RunStore(service.standin.folder / "runs"), StatusQuestion(None, master_id, 0.1, 0.02)
    assert (await ask(lambda blazemeter: check_run(blazemeter, runs, question))).phase == "starting"


async def test_the_end_is_noted_for_the_run_that_was_named(connect: Connect, runs: RunStore, mode: str) -> None:
    async with connect(mode) as tools:
        found = await tools.call("check_test_status", run_id=NEWEST, wait_s=45)
    assert found["phase"] == "ended"
    [step] = runs.open(str(NEWEST)).record().ledger
    assert (step.stage, step.step, step.state) == ("blazemeter", "confirm_run_ended", "done")


async def test_looking_at_a_master_writes_nothing(connect: Connect, runs: RunStore) -> None:
    async with connect() as tools:
        await tools.call("check_test_status", master_id=NEWEST)
    assert runs.runs() == []


async def test_a_run_that_goes_on_is_not_noted(
    connect: Connect, service: OpenBlazeMeter, hands: Hands, runs: RunStore
) -> None:
    master_id = started(service, hands)
    async with connect() as tools:
        await tools.call("check_test_status", run_id=str(master_id))
    assert runs.runs() == []


async def test_an_archived_run_is_a_state_and_no_failure(connect: Connect) -> None:
    async with connect() as tools:
        found = await tools.call("check_test_status", run_id=OLDEST)
    assert found["phase"] == "archived"
    assert "there are no samples" in found["next_step"]


async def test_what_went_wrong_with_the_engines_is_said(connect: Connect, fault: Callable[..., None]) -> None:
    fault("master_full", "no_data")
    async with connect() as tools:
        found = await tools.call("check_test_status", master_id=NEWEST)
    assert found["problems"] == ["Session ended without load report data (code 70404)"]


async def test_a_status_does_not_fail_because_its_details_do(connect: Connect, fault: Callable[..., None]) -> None:
    fault("master_full", "error_in_200", status=500)
    async with connect() as tools:
        found = await tools.call("check_test_status", master_id=NEWEST)
    assert found["phase"] == "ended"
    assert "could not be read" in found["notes"][0]


async def test_an_unknown_run_is_an_error_and_makes_no_folder(connect: Connect, runs: RunStore) -> None:
    async with connect() as tools:
        said = await tools.refused("check_test_status", run_id="99999999")
    assert "404" in said
    assert runs.runs() == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "Neither `run_id` nor `master_id`"),
        ({"run_id": "checkout-1"}, "Which master run 'checkout-1' is cannot be told"),
        ({"run_id": "../../etc"}, "run id"),
        ({"master_id": 0}, "at least 1"),
        ({"run_id": True}, "run_id"),
        ({"run_id": "0"}, "cannot be told"),
    ],
)
async def test_a_run_that_cannot_be_meant_is_refused(connect: Connect, arguments: dict[str, Any], says: str) -> None:
    async with connect() as tools:
        assert says in await tools.refused("check_test_status", **arguments)


async def test_a_failure_is_noted_in_a_run_that_is_there(
    connect: Connect, runs: RunStore, fault: Callable[..., None]
) -> None:
    async with connect() as tools:
        await tools.call("get_run_results", run_id=NEWEST)
        fault("summary", "error_in_200", status=500)
        await tools.refused("get_run_results", run_id=NEWEST)
    step = next(one for one in runs.open(str(NEWEST)).record().ledger if one.step == "read_run_results")
    assert step.state == "failed"
    assert step.error is not None
    assert "the summary of run" in step.error.message
    assert [output.path for output in step.outputs] == ["blazemeter/test_config.json"]


def test_an_end_is_believed_of_either_endpoint() -> None:
    ended = datetime(2026, 1, 1, tzinfo=UTC)
    assert phase_of(MasterStatus(status="ENDED", progress=101), Master(id=TEST)) == "ended"
    assert phase_of(MasterStatus(status="DATA_RECIEVED"), Master(id=TEST)) == "running"
    assert phase_of(MasterStatus(progress=119, status="SOMETHING_NEW"), Master(id=TEST)) == "running"
    torn = MasterStatus(progress=100, status="DATA_RECEIVED"), Master(id=TEST, ended=ended)
    assert phase_of(*torn) == "ended"
    assert "'DATA_RECEIVED'" in (contradiction(*torn) or "")
    assert "no time of its end" in (contradiction(MasterStatus(progress=140), Master(id=TEST)) or "")
