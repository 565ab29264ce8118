"""A call that gets less than an earlier one leaves what that one got, and the run says that it is not whole."""

from collections.abc import Callable
from typing import Any

import pytest

from datadog.tables import queries
from perfsuite.artifacts import RunFolder
from perfsuite.sandbox.standins.faults import Fault
from perfsuite.workflow.ledger import Ledger
from perfsuite.workflow.status import StepStatus

METRICS = "datadog.query_timeseries"
LOGS = "datadog.logs_search"
QA = {
    "QA": {
        "env_tag": "perf",
        "hosts": [{"hostname": "shop-db-1"}, {"hostname": "shop-web-1"}],
        "kubernetes": {"services": [{"filter": "checkout"}]},
    }
}
LOAD = {"scope": "host", "queries": [{"name": "load", "query": "avg:system.load.1{host:{{hostname}}}"}]}
SOME: dict[str, Any] = {
    "log": {"lines_per_request": 0.01, "spans_per_request": 0.002},
    "limits": {"logs_public_search_api": {"limit": 1000, "period_s": 10}},
}
HOSTS = "get_host_metrics"
Start = Callable[..., Any]


@pytest.fixture
def mode() -> str:
    """One generation of the protocol is enough for what lies in the run."""
    return "auto"


def step(run: RunFolder, name: str) -> StepStatus:
    [stage] = [one for one in Ledger(run).status().stages if one.stage == "datadog"]
    return next(one for one in stage.steps if one.step == name)


def files(run: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((run.root / "datadog").glob("*.csv"))}


@pytest.mark.parametrize("tool", [HOSTS, "get_kubernetes_metrics", "get_kpi_timeseries"])
@pytest.mark.parametrize("times", [1, 20])
async def test_files_of_the_same_window_stay_when_a_later_call_gets_less(
    tool: str, times: int, datadog: Start, configure: Start, connect: Start, run: RunFolder
) -> None:
    standin = datadog()
    configure(QA, kpi_queries={"system": LOAD, "other": LOAD})
    async with connect() as caller:
        await caller.collect(tool, environment="QA", run_id=run.run_id)
        before, noted = files(run), queries(run)
        standin.faults.switch_on(METRICS, Fault("error_in_200", times=times))
        report = await caller.client.call_tool(tool, {"environment": "QA", "run_id": run.run_id})
    assert before
    assert (files(run), queries(run)) == (before, noted)
    assert step(run, "metrics").state == "failed"
    assert report.is_error is (times > 1)
    if times == 1:
        result = report.structured_content["result"]
        assert result["complete"] is False
        assert result["next_step"] == f"Call `{tool}` again to get all of it."
        assert any("was kept" in note for note in result["notes"])
        assert any(row["file"] for row in result["rows"])


async def test_what_is_incomplete_stays_in_the_status_until_all_of_it_came(
    datadog: Start, configure: Start, connect: Start, run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    standin.faults.switch_on(METRICS, Fault("error_in_200", times=1))
    async with connect() as caller:
        await caller.collect(HOSTS, environment="QA", run_id=run.run_id)
        await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
        found = step(run, "metrics")
        assert (found.state, found.tool) == ("failed", HOSTS)
        assert "Not all of it came: Datadog answered" in found.reasons[0]
        assert "Call `get_host_metrics` again" in found.reasons[0]
        await caller.collect(HOSTS, environment="QA", run_id=run.run_id)
    assert step(run, "metrics").state == "done"
    assert all(one["complete"] for one in queries(run))


async def test_what_an_earlier_call_got_is_not_relied_on_when_its_file_is_gone(
    datadog: Start, configure: Start, connect: Start, run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    async with connect() as caller:
        await caller.collect(HOSTS, environment="QA", run_id=run.run_id)
        (run.root / "datadog/host_metrics_shop-db-1.csv").unlink()
        standin.faults.switch_on(METRICS, Fault("error_in_200", times=1))
        await caller.collect(HOSTS, environment="QA", run_id=run.run_id)
    assert sorted(files(run)) == ["host_metrics_shop-db-1.csv", "host_metrics_shop-web-1.csv"]
    assert [one for one in queries(run) if not one["complete"]]


async def test_another_window_is_not_taken_for_the_same_one(
    datadog: Start, configure: Start, connect: Start, run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    async with connect() as caller:
        await caller.collect(HOSTS, environment="QA", run_id=run.run_id)
        before = files(run)
        standin.faults.switch_on(METRICS, Fault("error_in_200", times=1))
        await caller.collect(HOSTS, environment="QA", run_id=run.run_id, to_time="now-70m")
    assert files(run).keys() == before.keys()
    assert files(run) != before
    assert [one for one in queries(run) if not one["complete"]]


async def test_lines_of_the_same_search_stay_when_a_later_call_gets_fewer(
    datadog: Start, configure: Start, connect: Start, run: RunFolder
) -> None:
    standin = datadog(**SOME)
    configure(QA)
    async with connect() as caller:
        await caller.collect("get_logs", environment="QA", run_id=run.run_id, type="all")
        before, noted = files(run), queries(run)
        standin.faults.switch_on(LOGS, Fault("error_in_200", after=1))
        result = await caller.collect("get_logs", environment="QA", run_id=run.run_id, type="all")
    assert result["complete"] is False
    assert any("was kept" in note for note in result["notes"])
    assert (files(run), queries(run)) == (before, noted)
    assert step(run, "logs").state == "failed"
    assert "Not all of it came: After 1000 of" in step(run, "logs").reasons[0]


async def test_a_limit_is_no_failure_and_replaces_the_file(
    datadog: Start, configure: Start, connect: Start, run: RunFolder
) -> None:
    datadog(**SOME)
    configure(QA)
    async with connect() as caller:
        for limit in (0, 10):
            result = await caller.collect("get_logs", environment="QA", run_id=run.run_id, type="all", limit=limit)
            assert step(run, "logs").state == "done"
    assert [one["rows"] for one in queries(run)] == [result["rows"]] == [10]
