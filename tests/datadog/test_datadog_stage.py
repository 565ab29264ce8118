"""The three steps of the stage, as an agent takes them, and what they leave behind."""

from collections.abc import Callable
from typing import Any

from datadog.tables import queries
from perfsuite.artifacts import RunFolder
from perfsuite.workflow.ledger import Ledger

PLENTY = {name: {"limit": 1000, "period_s": 10} for name in ("logs_public_search_api", "logs_public_aggregate_api")}
QA = {
    "QA": {
        "env_tag": "perf",
        "namespace": "shop",
        "hosts": [{"hostname": "shop-web-1"}, {"hostname": "shop-db-1"}],
        "kubernetes": {"services": [{"filter": "checkout"}]},
    }
}
LOAD = {"scope": "host", "queries": [{"name": "load", "query": "avg:system.load.1{host:{{hostname}}}"}]}


async def test_the_stage_is_done_when_its_steps_have_left_the_files_of_a_run(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog(users=3, limits=PLENTY)
    configure(QA, kpi_queries={"system": LOAD})
    async with connect() as caller:
        await caller.call("load_environment", environment="QA", run_id=run.run_id)
        for tool in ("get_host_metrics", "get_kubernetes_metrics", "get_kpi_timeseries", "get_logs", "get_apm_traces"):
            result = await caller.collect(tool, run_id=run.run_id)
            assert result["complete"], result
    assert result["next_step"] == f"Call `analyze_test_results` for run {run.run_id!r}."
    [stage] = [one for one in Ledger(run).status().stages if one.stage == "datadog"]
    assert (stage.state, stage.missing) == ("done", ())
    found = sorted(path.name for path in (run.root / "datadog").iterdir())
    assert found == [
        "apm_traces_errors_QA.csv",
        "collection.json",
        "host_metrics_shop-db-1.csv",
        "host_metrics_shop-web-1.csv",
        "k8s_metrics_checkout.csv",
        "kpi_metrics_shop-db-1.csv",
        "kpi_metrics_shop-web-1.csv",
        "logs_errors_QA.csv",
    ]
    noted = {output.path for one in run.record().ledger for output in one.outputs}
    assert {f"datadog/{name}" for name in found} == noted
    assert all(one["complete"] and one["window_from"] < one["window_to"] for one in queries(run))
    assert all(one.credentials == "right" and one.status == 200 for one in standin.journal.received())


async def test_the_answers_about_one_run_all_name_the_same_window(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog(users=3, limits=PLENTY)
    configure(QA)
    async with connect() as caller:
        loaded = await caller.call("load_environment", environment="QA", run_id=run.run_id)
        tools = ("get_host_metrics", "get_kubernetes_metrics", "get_logs")
        windows = {(await caller.collect(tool, run_id=run.run_id))["window"] for tool in tools}
    assert windows == {loaded["window"]}
