"""The nine steps from a workspace to checked statistics, driven as an agent drives them."""

import csv
from pathlib import Path

from blazemeter.conftest import NEWEST, Connect
from perfsuite.artifacts import RunStore
from perfsuite.workflow.ledger import Ledger
from perfsuite.workflow.stages import BLAZEMETER

FILES = {
    "blazemeter/test_config.json",
    "blazemeter/aggregate_performance_report.csv",
    "blazemeter/test-results.csv",
    "blazemeter/jmeter.log",
    "blazemeter/jmeter-2.log",
    "blazemeter/sessions.json",
    "samples.parquet",
}


async def test_the_nine_steps_leave_every_file_and_a_whole_ledger(
    connect: Connect, runs: RunStore, artifacts: Path, mode: str
) -> None:
    run_id = str(NEWEST)
    async with connect(mode) as tools:
        await tools.call("get_workspaces", workspace="Retail", run_id=run_id)
        results = await tools.call("get_run_results", run_id=run_id)
        status = await tools.call("check_test_status", run_id=run_id, wait_s=45)
        listed = await tools.call("get_artifact_file_list", run_id=run_id)
        processed = await tools.call("process_session_artifacts", run_id=run_id, wait_s=45)
        aggregate = await tools.call("get_aggregate_report", run_id=run_id)
    assert (status["phase"], listed["ready"], processed["state"]) == ("ended", 2, "done")
    assert processed["result"]["complete"] is True
    assert aggregate["compared"] is True
    folder = artifacts / run_id
    assert {name for name in FILES if not (folder / name).is_file()} == set()
    run = runs.open(run_id)
    done = {step.step for step in run.record().ledger if step.state == "done"}
    assert done == {step.id for step in BLAZEMETER.steps}
    stage = next(one for one in Ledger(run).status().stages if one.stage == "blazemeter")
    assert {step.state for step in stage.steps} == {"done"}
    record = run.record()
    assert record.window is not None
    assert aggregate["window"].startswith(f"{record.window.first_sample_at:%Y-%m-%dT%H:%M:%SZ} to ")
    assert (record.source, record.fidelity, record.request.workspace) == ("blazemeter", "samples", "Retail")
    assert rows_of(folder / "blazemeter" / "aggregate_performance_report.csv")["ALL"] == results["numbers"]["samples"]


async def test_reading_the_results_again_keeps_the_window_of_the_samples(connect: Connect, runs: RunStore) -> None:
    run_id = str(NEWEST)
    async with connect() as tools:
        await tools.call("get_run_results", run_id=run_id)
        coarse = runs.open(run_id).record().window
        await tools.call("process_session_artifacts", run_id=run_id, wait_s=45)
        exact = runs.open(run_id).record().window
        await tools.call("get_run_results", run_id=run_id)
    assert coarse is not None
    assert exact is not None
    assert coarse.first_sample_at <= exact.first_sample_at
    assert runs.open(run_id).record().window == exact


def rows_of(path: Path) -> dict[str, int]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["labelName"]: int(row["samples"]) for row in csv.DictReader(file)}
