"""Queries of one's own: filled in, judged before they are sent, and kept apart in the files."""

from collections.abc import Callable
from typing import Any

import pytest

from datadog.tables import queries, rows, values
from perfsuite.artifacts import RunFolder

HOSTS = ("shop-db-1", "shop-web-1")
QA = {
    "QA": {
        "env_tag": "perf",
        "namespace": "shop",
        "hosts": [{"hostname": host} for host in HOSTS],
        "kubernetes": {"services": [{"filter": "checkout"}, {"filter": "kube_service:catalog"}]},
    },
    "EMPTY": {"env_tag": "perf"},
}
ROUTE = "datadog.query_timeseries"


def kpi(*texts: str, scope: str = "host", formulas: tuple[str, ...] = (), **other: Any) -> dict[str, Any]:
    named = [{"name": chr(97 + number), "query": text} for number, text in enumerate(texts)]
    return {"scope": scope, "queries": named, "formulas": [{"formula": one} for one in formulas], **other}


LOAD = kpi("avg:system.load.1{host:{{hostname}}}", interval_ms=60_000)


async def test_a_query_for_each_host_takes_one_request_for_all_of_them(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA, kpi_queries={"load": LOAD})
    async with connect() as caller:
        result = await caller.collect("get_kpi_timeseries", environment="QA", run_id=run.run_id)
    [sent] = standin.journal.received(ROUTE)
    attributes = sent.body["data"]["attributes"]
    assert attributes["interval"] == 60_000
    assert [one["query"] for one in attributes["queries"]] == [f"avg:system.load.1{{host:{host}}}" for host in HOSTS]
    assert [(row["entity"], row["metric"], row["points"]) for row in result["rows"]] == [
        ("shop-db-1", "load.a", 60),
        ("shop-web-1", "load.a", 60),
    ]
    found = rows(run, "datadog/kpi_metrics_shop-web-1.csv")
    assert {row["hostname"] for row in found} == {"shop-web-1"}
    assert len(values(found, "load.a")) == 60


async def test_formulas_are_computed_over_the_queries_of_the_same_service(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    used, most = (
        f"sum:jvm.{name}{{env:{{{{env_tag}}}},kube_namespace:{{{{namespace}}}},service:{{{{service_filter}}}}}}"
        for name in ("heap_memory", "heap_memory_max")
    )
    configure(QA, kpi_queries={"heap": kpi(used, most, scope="k8s", formulas=("a / b * 100", "b - a"))})
    async with connect() as caller:
        result = await caller.collect("get_kpi_timeseries", environment="QA", run_id=run.run_id)
    [sent] = standin.journal.received(ROUTE)
    attributes = sent.body["data"]["attributes"]
    assert len(attributes["queries"]) == 4
    assert [one["formula"] for one in attributes["formulas"]] == [
        "q0 / q1 * 100",
        "q1 - q0",
        "q2 / q3 * 100",
        "q3 - q2",
    ]
    share, rest, *others = result["rows"]
    assert (share["entity"], share["metric"], rest["metric"]) == ("checkout", "heap.a / b * 100", "heap.b - a")
    assert 0 < share["avg"] < 100
    assert [row["note"] for row in others] == ["no data in this window: check the query and its tags"] * 2
    assert "service:catalog}" in attributes["queries"][2]["query"]
    noted = queries(run)
    assert [one["formula"] for one in noted if one["rows"]] == ["a / b * 100", "b - a"]


async def test_several_queries_of_one_host_stand_in_one_file_and_none_is_lost(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    cores = kpi("avg:system.cpu.num_cores{host:{{hostname}}}.rollup(max, 300)")
    configure(QA, kpi_queries={"load": LOAD, "cores": cores})
    async with connect() as caller:
        result = await caller.collect("get_kpi_timeseries", environment="QA", run_id=run.run_id)
    found = rows(run, "datadog/kpi_metrics_shop-db-1.csv")
    assert {row["metric"] for row in found} == {"load.a", "cores.a"}
    assert len(values(found, "cores.a")) == 12
    assert None not in values(found, "load.a").values()
    assert result["total"] == 4


@pytest.mark.parametrize(
    "text",
    [
        "avg:system.cpu.idle{env:prod}",
        "avg:system.cpu.idle{!env:prod}",
        "avg:system.cpu.idle{host:{{hostname}} AND env IN (perf,prod)}",
        "avg:system.cpu.idle{ENV:PROD,host:{{hostname}}}",
        "avg:system.cpu.idle{env:perf*}",
    ],
)
async def test_a_query_that_names_another_environment_is_refused_before_it_is_sent(
    text: str, datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA, kpi_queries={"load": LOAD, "stray": kpi(text)})
    async with connect() as caller:
        told = await caller.refused("get_kpi_timeseries", environment="QA", run_id=run.run_id)
        assert "Query 'stray.a' names the environment" in told
        assert standin.journal.received() == []
        await caller.collect("get_kpi_timeseries", environment="QA", run_id=run.run_id, queries=["load"])


async def test_tags_that_only_end_in_env_are_no_environment(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    text = "avg:system.load.1{host:{{hostname}},env:perf,!my_env:prod,!test.env:prod}"
    configure(QA, kpi_queries={"load": kpi(text)})
    async with connect() as caller:
        result = await caller.collect("get_kpi_timeseries", environment="QA", run_id=run.run_id)
    assert result["rows"][0]["points"] == 180


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (kpi("avg:a{host:{{hostnme}}}"), "The placeholder '{{hostnme}}' is not known."),
        (kpi("avg:a{service:{{service_filter}}}"), "The placeholder '{{service_filter}}' is not known."),
        (kpi("avg:a{pod_name:{{pod_filter}}}", scope="k8s"), "is for each pod_filter, and environment 'QA' has none"),
        (kpi("avg:a{*}", formulas=("a / c",)), "The formula 'a / c' of 'one' uses 'c', which is no query of it."),
        (kpi("avg:a{*}", formulas=("a", "a")), "each formula should stand there once"),
        (kpi("avg:a{*}", interval_ms=1), "key 'kpi_queries.one.interval_ms'"),
        (
            {"scope": "host", "queries": [{"name": "a", "query": text} for text in "xy"]},
            "query name should stand there once, and 'a'",
        ),
        ({"scope": "host", "queries": []}, "key 'kpi_queries.one.queries'"),
    ],
)
async def test_what_cannot_be_filled_in_or_computed_is_refused_before_it_is_sent(
    query: dict[str, Any],
    told: str,
    datadog: Callable[..., Any],
    configure: Callable[..., None],
    connect: Callable[[], Any],
    run: RunFolder,
) -> None:
    standin = datadog()
    configure(QA, kpi_queries={"one": query})
    async with connect() as caller:
        assert told in await caller.refused("get_kpi_timeseries", environment="QA", run_id=run.run_id)
    assert standin.journal.received() == []


async def test_unknown_keys_and_a_missing_file_say_what_there_is(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure(QA)
    async with connect() as caller:
        told = await caller.refused("get_kpi_timeseries", environment="QA", run_id=run.run_id)
        assert "Write some under `kpi_queries` in" in told
        configure(QA, kpi_queries={"load": LOAD})
        told = await caller.refused("get_kpi_timeseries", environment="QA", run_id=run.run_id, queries=["laod"])
        assert "has no KPI query 'laod'. Name some of 'load'." in told


async def test_a_query_that_datadog_cannot_parse_is_told_in_its_own_words(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure(QA, kpi_queries={"bad": kpi("avg:system.load.1"), "load": LOAD})
    async with connect() as caller:
        result = await caller.collect("get_kpi_timeseries", environment="QA", run_id=run.run_id)
    assert result["complete"] is False
    assert "unable to parse" in result["notes"][0]
    assert {row["metric"]: row["note"] for row in result["rows"]} == {"bad.a": "not collected", "load.a": None}
