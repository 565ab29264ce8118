"""A run holds one master, whichever tool brought the first of it; and what a tool proves is noted."""

from collections.abc import Callable

import pytest

from blazemeter.conftest import NEWEST, Connect, Hands, started
from perfsuite.artifacts import RunStore
from perfsuite.sandbox.blazemeter import OpenBlazeMeter
from perfsuite.workflow.ledger import Ledger

OTHER = NEWEST - 1
WRITING = ("get_run_results", "get_artifact_file_list", "process_session_artifacts", "get_aggregate_report")


@pytest.mark.parametrize("tool", WRITING)
async def test_a_run_that_is_called_after_a_master_takes_no_other(connect: Connect, runs: RunStore, tool: str) -> None:
    async with connect() as tools:
        said = await tools.refused(tool, run_id=str(NEWEST), master_id=OTHER)
    assert f"its id names master {NEWEST}" in said
    assert runs.runs() == []


@pytest.mark.parametrize("first", [*WRITING, "check_test_status"])
async def test_whatever_came_first_binds_a_run_to_its_master(connect: Connect, first: str) -> None:
    async with connect() as tools:
        await tools.call(first, run_id="named", master_id=NEWEST)
        for tool in WRITING:
            said = await tools.refused(tool, run_id="named", master_id=OTHER)
            assert f"holds master {NEWEST}" in said
        assert (await tools.call("check_test_status", run_id="named"))["master_id"] == NEWEST


async def test_samples_that_came_first_are_compared_with_the_statistics_of_their_master(connect: Connect) -> None:
    async with connect() as tools:
        brought = await tools.call("process_session_artifacts", run_id="named", master_id=NEWEST, wait_s=45)
        assert "`get_run_results`" in brought["result"]["next_step"]
        compared = await tools.call("get_aggregate_report", run_id="named")
    assert (compared["master_id"], compared["compared"]) == (NEWEST, True)


async def test_files_of_two_masters_in_one_run_are_told(connect: Connect, runs: RunStore) -> None:
    async with connect() as tools:
        await tools.call("get_run_results", run_id="named", master_id=OTHER)
        await tools.call("process_session_artifacts", run_id=NEWEST, wait_s=45)
        for name in ("sessions.json", "test_config.json"):
            wrong = runs.open("named").root / "blazemeter" / name
            right = runs.open(str(NEWEST)).root / "blazemeter" / name
            if not right.exists():
                right.write_bytes(wrong.read_bytes())
        said = await tools.refused("get_aggregate_report", run_id=NEWEST)
    assert f"test_config.json holds master {OTHER}" in said


async def test_results_and_samples_prove_the_steps_before_them(connect: Connect, runs: RunStore) -> None:
    async with connect() as tools:
        await tools.call("get_run_results", run_id=NEWEST)
        await tools.call("process_session_artifacts", run_id=NEWEST, wait_s=45)
        await tools.call("get_aggregate_report", run_id=NEWEST)
    run = runs.open(str(NEWEST))
    stage = next(one for one in Ledger(run).status().stages if one.stage == "blazemeter")
    assert (stage.state, run.record().request.workspace) == ("done", "Retail")


async def test_a_run_without_samples_has_not_passed(connect: Connect, fault: Callable[..., None]) -> None:
    fault("summary", "null_kpis")
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=NEWEST)
    assert found["verdict"]["passed"] is None
    assert "no samples" in found["verdict"]["reason"]
    assert "`check_test_status`" in found["next_step"]


async def test_a_run_that_was_ended_while_it_booted_is_explained(
    connect: Connect, service: OpenBlazeMeter, hands: Hands
) -> None:
    master = started(service, hands)
    hands.now += 5
    async with connect() as tools:
        await tools.call("stop_test", run_id=str(master), confirm=True)
        hands.now += 100
        found = await tools.call("get_run_results", run_id=str(master))
        status = await tools.call("check_test_status", run_id=str(master))
        said = await tools.refused("process_session_artifacts", run_id=str(master), wait_s=45)
    assert found["next_step"].startswith("BlazeMeter shows no samples: `check_test_status`")
    assert found["verdict"]["passed"] is not True
    assert "without load report data" in status["problems"][0]
    assert "ended without data" in said
    assert "X-Amz" not in said


async def test_an_archived_run_has_not_passed(connect: Connect, fault: Callable[..., None]) -> None:
    fault("summary", "archived")
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=NEWEST)
    assert found["verdict"]["passed"] is None
    assert "archived" in found["verdict"]["reason"]


async def test_what_was_known_outlives_the_archive(connect: Connect, fault: Callable[..., None]) -> None:
    async with connect() as tools:
        before = await tools.call("get_run_results", run_id=NEWEST)
        fault("summary", "archived")
        after = [await tools.call("get_run_results", run_id=NEWEST) for _ in range(2)]
    for found in after:
        assert found["state"] == "archived"
        assert {name: found[name] for name in ("numbers", "windows", "verdict")} == {
            name: before[name] for name in ("numbers", "windows", "verdict")
        }
        assert "archived now" in found["notes"][0]
