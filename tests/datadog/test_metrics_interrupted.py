"""What is kept and what is said when Datadog fails in the middle, or is waited for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from datadog.tables import BEGIN, END, queries
from perfsuite.artifacts import RunFolder
from perfsuite.artifacts.schemas import Window
from perfsuite.sandbox.standins.faults import Fault

ROUTE = "datadog.query_timeseries"
HOSTS = tuple(f"host-{number:03}" for number in range(102))
QA = {
    "QA": {
        "env_tag": "perf",
        "hosts": [{"hostname": host} for host in HOSTS],
        "kubernetes": {"services": [{"filter": "checkout"}, {"filter": "catalog"}]},
    }
}


async def test_a_service_that_could_not_be_asked_about_is_not_called_empty(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    standin.faults.switch_on(ROUTE, Fault("error_in_200", times=3))
    async with connect() as caller:
        result = await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    checkout, catalog = result["rows"]
    assert (checkout["note"], checkout["file"]) == ("It was not collected; `notes` says why.", None)
    assert catalog["file"] == "datadog/k8s_metrics_catalog.csv"
    assert result["complete"] is False
    assert {one["subject"] for one in queries(run) if not one["complete"]} == {"checkout"}


async def test_hosts_that_could_not_be_asked_about_are_not_called_silent(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog(hosts=[{"name": host} for host in HOSTS])
    configure(QA)
    run.update(
        lambda record: record.model_copy(
            update={"window": Window(first_sample_at=BEGIN, last_sample_at=BEGIN + timedelta(minutes=5))}
        )
    )
    standin.faults.switch_on(ROUTE, Fault("error_in_200", after=3))
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
    assert result["complete"] is False
    assert not [note for note in result["notes"] if "Nothing was answered" in note]
    assert len(list((run.root / "datadog").glob("host_metrics_*.csv"))) == 100


async def test_a_network_that_is_down_is_tried_for_one_query_and_not_for_each(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    standin.faults.switch_on(ROUTE, Fault("lost_answer"))
    async with connect() as caller:
        told = await caller.refused("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    assert "did not answer POST" in told
    assert len(standin.journal.received(ROUTE)) == 4
    assert len([one for one in queries(run) if not one["complete"]]) == 22


async def test_a_job_is_joined_by_the_same_call_and_refused_to_another(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    standin.faults.switch_on(ROUTE, Fault("slow", seconds=0.5))
    async with connect() as caller:
        first = await caller.call("get_kubernetes_metrics", environment="QA", run_id=run.run_id, wait_s=0)
        assert first["state"] == "working"
        arguments = {"environment": "QA", "run_id": run.run_id, "to_time": END.isoformat()}
        assert "with other values of to_time" in await caller.refused("get_kubernetes_metrics", **arguments)
        last = await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    assert last["complete"] is True
    assert len(standin.journal.received(ROUTE)) == 6


async def test_a_cancelled_job_leaves_whole_files_or_none(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    standin.faults.switch_on(ROUTE, Fault("slow", after=3, seconds=30))
    async with connect() as caller:
        report = await caller.call("get_kubernetes_metrics", environment="QA", run_id=run.run_id, wait_s=3)
        assert report["state"] == "working"
        stopped = await caller.call("cancel_job", run_id=run.run_id, tool="get_kubernetes_metrics")
    assert stopped["state"] == "cancelled"
    [record] = [one for one in run.record().ledger if one.step == "metrics"]
    assert record.state == "failed"
    assert [path.name for path in (run.root / "datadog").iterdir()] == ["k8s_metrics_checkout.csv"]
