"""Metrics of containers against the limits that they had, from a stand-in over a real socket."""

from collections.abc import Callable
from typing import Any

import pytest

from datadog.tables import BEGIN, queries, rows, values
from perfsuite.artifacts import RunFolder
from perfsuite.workflow.ledger import Ledger

FILE = "datadog/k8s_metrics_checkout.csv"


def environment(*services: str, pods: tuple[str, ...] = (), **other: Any) -> dict[str, Any]:
    kubernetes = {"services": [{"filter": one} for one in services], "pods": [{"filter": one} for one in pods]}
    return {"QA": {"env_tag": "perf", "namespace": "shop", "kubernetes": kubernetes, **other}}


def service(*containers: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"services": [{"name": "checkout", "containers": containers or ({},), **other}]}


async def test_use_is_divided_by_the_limits_of_the_same_containers(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog(**service({"cpu_limit": 0.5, "cpu_request": 0.25, "cores_per_user": 0.02}, pods=4))
    configure(environment("checkout"))
    async with connect() as caller:
        result = await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    found = rows(run, FILE)
    containers = {row["container_or_pod"] for row in found}
    assert len(containers) == 4
    for one in containers:
        used, limit = values(found, "kubernetes.cpu.usage.total", one), values(found, "kubernetes.cpu.limits", one)
        assert set(limit.values()) == {0.5}
        cores = {time: (value or 0) / 1e9 for time, value in used.items()}
        share = values(found, "cpu_util_pct", one)
        assert share == {time: pytest.approx(100 * value / 0.5) for time, value in cores.items()}
        asked = values(found, "cpu_request_pct", one)
        assert asked == {time: pytest.approx(2 * (value or 0)) for time, value in share.items()}
        working, most = values(found, "kubernetes.memory.working_set", one), 1024 * 1024.0**2
        memory = values(found, "mem_util_pct", one)
        assert memory == {time: pytest.approx(100 * (value or 0) / most) for time, value in working.items()}
    [row] = result["rows"]
    # 40 users at 0.02 cores and four pods idling at 0.03 make 0.92 cores of the 2 that are the limit.
    assert row["cpu_avg_pct_of_limit"] == pytest.approx(46, abs=2)
    assert (row["containers"], row["without_cpu_limit"], row["without_mem_limit"]) == (4, 0, 0)
    assert {row["unit"] for row in found if row["metric"] == "kubernetes.cpu.usage.total"} == {"nanocore"}


async def test_above_and_below_the_line_stand_the_same_scope_group_and_aggregator(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(environment("checkout"))
    async with connect() as caller:
        await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    sent = standin.journal.received("datadog.query_timeseries")
    assert len(sent) == 3
    texts = [one["query"] for request in sent for one in request.body["data"]["attributes"]["queries"]]
    by, scope = "by {pod_name,kube_container_name}", "{env:perf,kube_namespace:shop,service:checkout}"
    assert f"sum:kubernetes.cpu.usage.total{scope} {by}.rollup(avg, 20)" in texts
    assert f"sum:kubernetes.cpu.usage.total{scope} {by}.rollup(max, 20)" in texts
    assert f"sum:kubernetes.cpu.limits{scope} {by}.rollup(avg, 20)" in texts
    assert f"sum:kubernetes.memory.working_set{scope} {by}.rollup(max, 20)" in texts
    assert not [text for text in texts if "kubernetes.memory.usage" in text]


async def test_a_container_without_a_limit_has_no_percentage_and_the_reason(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog(**service({"name": "app"}, {"name": "sidecar", "cpu_limit": None, "memory_limit_mib": None}, pods=2))
    configure(environment("checkout"))
    async with connect() as caller:
        result = await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    found = rows(run, FILE)
    for metric in ("cpu_util_pct", "cpu_util_pct_max", "mem_util_pct", "mem_util_pct_max"):
        assert set(values(found, metric, "/sidecar").values()) == {None}
        assert None not in values(found, metric, "/app").values()
    sidecar = [row for row in found if row["metric"] == "cpu_util_pct" and row["container_or_pod"].endswith("/sidecar")]
    assert {row["note"] for row in sidecar} == {"no limit"}
    [row] = result["rows"]
    assert (row["containers"], row["without_cpu_limit"], row["without_mem_limit"]) == (4, 2, 2)
    assert row["note"].startswith("2 of 4 containers have no CPU limit and 2 no memory limit")
    assert row["hottest_cpu"].endswith("/app")
    app = [value for value in values(found, "cpu_util_pct", "/app").values() if value is not None]
    assert row["cpu_avg_pct_of_limit"] == pytest.approx(sum(app) / len(app), rel=0.35)


async def test_a_service_without_any_limit_is_not_called_idle(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog(**service({"cpu_limit": None, "memory_limit_mib": None}, pods=2))
    configure(environment("checkout"))
    async with connect() as caller:
        result = await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    [row] = result["rows"]
    assert row["cpu_avg_pct_of_limit"] is None
    assert row["mem_avg_pct_of_limit"] is None
    assert row["hottest_cpu"] is None
    assert row["without_cpu_limit"] == 2


async def test_the_hottest_container_and_throttling_are_shown(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog(**service({"cpu_limit": 0.2, "cores_per_user": 0.01}, pods=4, hot_pod_factor=4))
    configure(environment("checkout"))
    async with connect() as caller:
        result = await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    [row] = result["rows"]
    assert row["hottest_cpu_max_pct"] > 95
    assert row["cpu_avg_pct_of_limit"] < row["hottest_cpu_avg_pct"] - 20
    assert row["throttled_max_pct"] > 30


async def test_restarts_are_those_of_the_window(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    begin = BEGIN.timestamp()
    datadog(**service({}, pods=2, restarts_at=[begin - 7200, begin + 600, begin + 1200]))
    configure(environment("checkout"))
    async with connect() as caller:
        result = await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    assert result["rows"][0]["restarts"] == 2


async def test_filters_may_be_wildcards_whole_tags_or_pods_and_each_has_its_file(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure(environment("check*", "kube_deployment:catalog", pods=("catalog-*", "kube_deployment:catalog")))
    async with connect() as caller:
        result = await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    assert [row["containers"] for row in result["rows"]] == [3, 4, 4, 4]
    files = [row["file"] for row in result["rows"]]
    assert len(set(files)) == 4
    assert all((run.root / file).is_file() for file in files)
    assert {row["filter"] for row in rows(run, files[0])} == {"check*"}


async def test_a_filter_that_nothing_answers_to_shows_the_tags_that_were_asked(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure(environment("chekout"))
    async with connect() as caller:
        result = await caller.collect("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
    [row] = result["rows"]
    assert row["containers"] == 0
    assert row["file"] is None
    assert "`env:perf,kube_namespace:shop,service:chekout`" in row["note"]
    assert {one["reason"] for one in queries(run)} == {"Nothing matched: no series came back."}
    status = next(one for one in Ledger(run).status().stages if one.stage == "datadog")
    assert next(step for step in status.steps if step.step == "metrics").state == "partial"


async def test_hosts_and_containers_of_one_environment_stay_beside_each_other(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure(environment("checkout", hosts=[{"hostname": "shop-web-1"}]))
    async with connect() as caller:
        for tool in ("get_kubernetes_metrics", "get_host_metrics", "get_kubernetes_metrics"):
            await caller.collect(tool, environment="QA", run_id=run.run_id)
    names = sorted(path.name for path in (run.root / "datadog").glob("*.*"))
    assert names == ["collection.json", "host_metrics_shop-web-1.csv", "k8s_metrics_checkout.csv"]
    assert {one["tool"] for one in queries(run)} == {"get_host_metrics", "get_kubernetes_metrics"}
    assert len(queries(run)) == 21 + 11


async def test_an_environment_without_services_says_which_tool_to_call(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure(environment())
    async with connect() as caller:
        told = await caller.refused("get_kubernetes_metrics", environment="QA", run_id=run.run_id)
        assert "has no Kubernetes services or pods. Call `get_host_metrics`" in told
        assert "has no hosts" in await caller.refused("get_host_metrics", environment="QA", run_id=run.run_id)
