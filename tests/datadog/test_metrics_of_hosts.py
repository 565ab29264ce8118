"""Metrics of hosts: from a stand-in over a real socket to the files of the run."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from datadog.tables import BEGIN, END, queries, rows, values
from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.sandbox.standins.faults import Fault
from perfsuite.workflow.ledger import Ledger

HOSTS = ("shop-db-1", "shop-web-1")
QA = {"QA": {"env_tag": "perf", "hosts": [{"hostname": host} for host in HOSTS]}}
LOAD = {"scope": "host", "queries": [{"name": "load", "query": "avg:system.load.1{host:{{hostname}}}"}]}
ROUTE = "datadog.query_timeseries"


async def test_all_hosts_come_in_three_requests_of_averages_and_peaks(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
    sent = standin.journal.received()
    assert [(one.route, one.credentials) for one in sent] == [(ROUTE, "right")] * 3
    attributes = sent[0].body["data"]["attributes"]
    assert (attributes["from"], attributes["to"]) == (BEGIN.timestamp() * 1000, END.timestamp() * 1000)
    assert attributes["interval"] == 20_000
    texts = [one["query"] for one in attributes["queries"]]
    assert "avg:system.cpu.idle{host IN (shop-db-1,shop-web-1)} by {host}.rollup(avg, 20)" in texts
    assert "avg:system.cpu.idle{host IN (shop-db-1,shop-web-1)} by {host}.rollup(min, 20)" in texts
    assert result["complete"] is True
    assert (result["total"], result["has_more"]) == (2, False)
    assert result["interval_s"] == 20.0


async def test_cpu_is_all_but_idle_and_memory_leaves_the_page_cache_out(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure(QA)
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
    found = rows(run, "datadog/host_metrics_shop-web-1.csv")
    idle, cpu = values(found, "system.cpu.idle"), values(found, "cpu_util_pct")
    assert len(cpu) == 180
    assert cpu == {time: pytest.approx(100 - (value or 0)) for time, value in idle.items()}
    usable, total = values(found, "system.mem.usable"), values(found, "system.mem.total")
    memory = values(found, "mem_util_pct")
    expected = {time: pytest.approx(100 * (1 - (usable[time] or 0) / (total[time] or 1)), abs=0.01) for time in usable}
    assert memory == expected
    peak = values(found, "cpu_util_pct_max")
    assert all((peak[time] or 0) >= (cpu[time] or 0) for time in cpu)
    row = next(one for one in result["rows"] if one["host"] == "shop-web-1")
    assert row["cpu_max_pct"] == pytest.approx(max(filter(None, peak.values())), abs=0.01)
    assert row["iowait_max_pct"] > 0
    assert row["stolen_max_pct"] > 0
    head = found[0]
    assert (head["env_name"], head["env_tag"], head["scope"], head["hostname"]) == ("QA", "perf", "host", "shop-web-1")
    assert head["timestamp_utc"].endswith("Z")
    assert {row["metric"]: row["unit"] for row in found}["system.mem.usable"] == "mebibyte"


async def test_the_steps_are_in_the_ledger_and_every_query_is_noted(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure(QA)
    async with connect() as caller:
        await caller.call("load_environment", environment="qa", run_id=run.run_id)
        await caller.collect("get_host_metrics", run_id=run.run_id)
    assert run.record().request.environment == "QA"
    status = next(one for one in Ledger(run).status().stages if one.stage == "datadog")
    assert {step.step: step.state for step in status.steps} == {
        "load_environment": "done",
        "metrics": "done",
        "logs": "not_started",
    }
    noted = queries(run)
    assert len(noted) == 21
    assert {one["window_from"] for one in noted} == {BEGIN.isoformat().replace("+00:00", "Z")}
    idle = next(one for one in noted if one["query"].startswith("avg:system.cpu.idle") and "(avg," in one["query"])
    assert (idle["complete"], idle["effective_interval_s"], idle["rows"], idle["unit"]) == (True, 20.0, 360, "percent")


async def test_a_host_that_answers_nothing_is_named_with_the_name_it_may_have(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure({"QA": {"env_tag": "perf", "hosts": [{"hostname": "shop-web-1"}, {"hostname": "shop-web-01"}]}})
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
    [note] = [one for one in result["notes"] if "Nothing was answered" in one]
    assert "shop-web-01 is perhaps shop-web-1" in note
    assert result["rows"][-1] == {
        "host": "shop-web-01", "cpu_avg_pct": None, "cpu_max_pct": None, "iowait_max_pct": None,
        "stolen_max_pct": None, "mem_avg_pct": None, "mem_max_pct": None, "file": None,
    }  # fmt: skip
    assert not (run.root / "datadog/host_metrics_shop-web-01.csv").exists()


async def test_a_host_that_falls_silent_leaves_empty_values_and_no_zeros(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    half = (BEGIN + timedelta(minutes=30)).timestamp()
    datadog(hosts=[{"name": "shop-db-1", "silent_from": half}, {"name": "shop-web-1"}])
    configure(QA)
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
    cpu = values(rows(run, "datadog/host_metrics_shop-db-1.csv"), "cpu_util_pct")
    known = [value for value in cpu.values() if value is not None]
    assert len(cpu) == 180
    assert 88 <= len(known) <= 91
    row = next(one for one in result["rows"] if one["host"] == "shop-db-1")
    assert row["cpu_avg_pct"] == pytest.approx(sum(known) / len(known), abs=0.01)


async def test_the_newest_bucket_is_left_out_and_that_is_said(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure(QA)
    async with connect() as caller:
        result = await caller.collect(
            "get_host_metrics", environment="QA", run_id=run.run_id, from_time=BEGIN.timestamp(), to_time="now"
        )
    asked_until = result["window"].rpartition(" ")[2]
    cpu = values(rows(run, "datadog/host_metrics_shop-web-1.csv"), "cpu_util_pct")
    assert max(cpu) < asked_until
    assert any("cuts through are left out; they are 60 s each" in one for one in result["notes"])


async def test_a_part_that_fails_leaves_the_others_and_is_never_called_complete(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    standin.faults.switch_on(ROUTE, Fault("error_in_200", times=1))
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
    assert result["complete"] is False
    assert result["notes"][0].startswith("Incomplete: Datadog answered POST /api/v2/query/timeseries with 200 and")
    found = rows(run, "datadog/host_metrics_shop-web-1.csv")
    assert values(found, "mem_util_pct")
    assert not values(found, "cpu_util_pct")
    failed = [one for one in queries(run) if not one["complete"]]
    assert len(failed) == 8
    assert all("with 200 and the error" in one["reason"] for one in failed)


@pytest.mark.parametrize("kind", ["server_error", "too_many", "reset", "truncated"])
async def test_what_passes_when_it_is_tried_again_is_whole(
    kind: str, datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    standin.faults.switch_on(ROUTE, Fault(kind, times=1, seconds=0.1))
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
    assert len(standin.journal.received(ROUTE)) == 4
    assert result["complete"] is True


async def test_when_nothing_comes_back_the_step_has_failed_and_says_why(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    standin.faults.switch_on(ROUTE, Fault("wrong_type"))
    async with connect() as caller:
        error = await caller.refused("get_host_metrics", environment="QA", run_id=run.run_id)
    assert "'text/html'" in error
    record = next(one for one in run.record().ledger if one.step == "metrics")
    assert record.state == "failed"
    assert not list((run.root / "datadog").glob("host_metrics*"))


async def test_collecting_again_leaves_the_same_bytes(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure(QA)
    seen = []
    async with connect() as caller:
        for _ in range(2):
            await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
            files = sorted((run.root / "datadog").glob("*.*"))
            seen.append({path.name: path.read_bytes() for path in files})
    assert sorted(seen[0]) == ["collection.json", "host_metrics_shop-db-1.csv", "host_metrics_shop-web-1.csv"]
    assert seen[0] == seen[1]


async def test_without_a_run_the_summary_comes_back_and_nothing_is_written(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], artifacts: Any
) -> None:
    datadog()
    configure(QA)
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", from_time="now-2h", to_time="now-1h")
    assert result["rows"][0]["cpu_avg_pct"] > 0
    assert result["rows"][0]["file"] is None
    assert not artifacts.exists()


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ({"from_time": "now-1h", "to_time": "now-2h"}, "ends before it begins"),
        ({"from_time": "2999-01-01T00:00:00Z"}, "lies in the future"),
        ({"from_time": "2019-01-01T00:00:00Z", "to_time": "2019-01-02T00:00:00Z"}, "than the 456 days"),
        ({"from_time": "yesterday"}, "is not a time that can be read"),
        ({}, "No window is given"),
    ],
)
async def test_a_window_that_makes_no_sense_is_refused_before_anything_is_sent(
    window: dict[str, Any],
    told: str,
    datadog: Callable[..., Any],
    configure: Callable[..., None],
    connect: Callable[[], Any],
) -> None:
    standin = datadog()
    configure(QA)
    async with connect() as caller:
        assert told in await caller.refused("get_host_metrics", environment="QA", **window)
    assert standin.journal.received() == []


async def test_a_run_without_a_time_under_load_asks_for_one(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], artifacts: Any
) -> None:
    datadog()
    configure(QA)
    RunStore(artifacts).create("empty-1")
    async with connect() as caller:
        told = await caller.refused("get_host_metrics", environment="QA", run_id="empty-1")
        assert "no time under load yet" in told
        assert "Run 'other-1' does not exist" in await caller.refused("get_host_metrics", run_id="other-1")
        assert "names none" in await caller.refused("get_host_metrics", run_id="empty-1")


@pytest.mark.parametrize("seconds", [2, 15])
async def test_a_window_without_a_whole_bucket_says_so_and_suggests_no_names(
    seconds: int,
    datadog: Callable[..., Any],
    configure: Callable[..., None],
    connect: Callable[[], Any],
    run: RunFolder,
) -> None:
    datadog()
    configure(QA, kpi_queries={"system": LOAD})
    end = (BEGIN + timedelta(seconds=seconds + 3)).isoformat()
    window = {"from_time": (BEGIN + timedelta(seconds=3)).isoformat(), "to_time": end}
    async with connect() as caller:
        for tool in ("get_host_metrics", "get_kpi_timeseries"):
            told = await caller.refused(tool, environment="QA", run_id=run.run_id, **window)
            assert "The window holds no whole bucket; they are 20 s each. Give `from_time`" in told
            assert "perhaps" not in told
    assert not list((run.root / "datadog").glob("*.csv"))
    assert all("no whole bucket" in one["reason"] and not one["complete"] for one in queries(run))
    assert {one.state for one in run.record().ledger} == {"failed"}


async def test_a_known_host_that_is_silent_is_not_given_its_own_name(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog(hosts=[{"name": "shop-db-1", "silent_from": BEGIN.timestamp() + 21.5}, {"name": "shop-web-1"}])
    configure(QA)
    begin = (BEGIN + timedelta(seconds=21)).isoformat()
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id, from_time=begin)
    [note] = [one for one in result["notes"] if "Nothing was answered" in one]
    assert "has seen shop-db-1 lately" in note
    assert "perhaps" not in note
