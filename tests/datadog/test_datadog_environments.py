"""Environments as people write them, and the environment of a run."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from datadog.tables import BEGIN
from perfsuite.artifacts import RunFolder
from perfsuite.workflow.ledger import Ledger

QA = {
    "env_tag": "perf",
    "namespace": "shop",
    "tags": ["team:shop"],
    "metadata": {"owner": "somebody"},
    "hosts": [{"hostname": "web-1", "description": "the first"}, {"hostname": "web-2"}, {"hostname": "web-1"}],
    "kubernetes": {"services": [{"filter": "checkout"}], "pods": [{"filter": "worker-*"}]},
}
QUERIES = {
    "kpi_queries": {"heap": {"scope": "host", "queries": [{"name": "a", "query": "avg:x{*}"}]}},
    "log_queries": {"slow": {"query": "@duration:>1"}},
}


async def test_an_environment_says_what_it_holds_and_what_to_call(
    configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    configure({"QA": QA}, **QUERIES)
    async with connect() as caller:
        found = await caller.call("load_environment", environment="QA", run_id=run.run_id)
    assert found["names"] == {
        "hosts": ["web-1", "web-2"],
        "services": ["checkout"],
        "pods": ["worker-*"],
        "kpi_queries": ["heap"],
        "log_queries": ["slow"],
    }
    assert (found["env_tag"], found["namespace"]) == ("perf", "shop")
    assert found["window"]
    assert found["next_step"] == "Call `get_host_metrics`, `get_kubernetes_metrics`, `get_kpi_timeseries`, `get_logs`."


async def test_loading_an_environment_makes_it_the_one_of_the_run(
    configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    configure({"QA": QA, "UAT": {"env_tag": "uat"}})
    async with connect() as caller:
        told = await caller.refused("load_environment", run_id=run.run_id)
        assert "names none" in told
        assert "with `run_id` and `environment`, as environments.yaml names it" in told
        await caller.call("load_environment", environment="qa", run_id=run.run_id)
        assert (await caller.call("load_environment", run_id=run.run_id))["environment"] == "QA"
        told = await caller.refused("load_environment", environment="UAT", run_id=run.run_id)
    assert "was made for the environment 'QA', not for 'UAT'" in told
    [record] = run.record().ledger
    assert (record.stage, record.step, record.state) == ("datadog", "load_environment", "failed")
    assert [Path(one.path).name for one in record.inputs] == ["environments.yaml"]


async def test_collecting_again_is_due_when_the_environment_was_changed(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog()
    configure({"QA": {"env_tag": "perf", "hosts": [{"hostname": "shop-web-1"}]}})
    async with connect() as caller:
        await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
        configure({"QA": {"env_tag": "perf", "hosts": [{"hostname": "shop-db-1"}]}})
        [stage] = [one for one in Ledger(run).status().stages if one.stage == "datadog"]
        assert next(step for step in stage.steps if step.step == "metrics").state == "stale"
        await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
    assert [path.name for path in (run.root / "datadog").glob("host*")] == ["host_metrics_shop-db-1.csv"]


async def test_without_a_file_the_place_and_an_example_are_told(
    configure: Callable[..., None], connect: Callable[[], Any]
) -> None:
    async with connect() as caller:
        told = await caller.refused("load_environment", environment="QA")
    assert "Describe one in" in told
    assert "environments: {QA: {env_tag: qa" in told


async def test_an_unknown_environment_is_answered_with_similar_ones(
    configure: Callable[..., None], connect: Callable[[], Any]
) -> None:
    configure({"staging": QA, "production": QA})
    async with connect() as caller:
        told = await caller.refused("load_environment", environment="stagin")
        assert "Name one of 'staging'." in told
        assert "configuration/environments.yaml" in told
        assert "No environment is named" in await caller.refused("load_environment")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"env_tag": "perf,host:other"}, "key 'environments.QA.env_tag'"),
        ({"env_tag": "perf} by {host"}, "key 'environments.QA.env_tag'"),
        ({"hosts": [{"hostname": "a) OR host IN (b"}]}, "key 'environments.QA.hosts.0.hostname'"),
        ({"hosts": [{"hostname": ""}]}, "key 'environments.QA.hosts.0.hostname'"),
        ({"hosts": ["web-1"]}, "key 'environments.QA.hosts.0'"),
        (
            {"kubernetes": {"services": [{"filter": "a,env:prod"}]}},
            "key 'environments.QA.kubernetes.services.0.filter'",
        ),
        ({"namespace": "shop}"}, "key 'environments.QA.namespace'"),
        ({"host": []}, "has the unknown key 'environments.QA.host'"),
    ],
)
async def test_what_could_end_a_tag_or_is_misspelt_is_refused_with_its_line(
    change: dict[str, Any], told: str, configure: Callable[..., None], connect: Callable[[], Any]
) -> None:
    configure({"QA": {**QA, **change}})
    async with connect() as caller:
        found = await caller.refused("load_environment", environment="QA")
    assert told in found
    assert "line " in found


async def test_an_environment_of_many_hosts_is_listed_in_part_and_that_is_said(
    configure: Callable[..., None], connect: Callable[[], Any]
) -> None:
    configure({"QA": {"env_tag": "perf", "hosts": [{"hostname": f"web-{number}"} for number in range(500)]}})
    async with connect() as caller:
        found = await caller.call("load_environment", environment="QA")
    assert len(found["names"]["hosts"]) == 40
    assert found["notes"] == ["500 hosts, of which 40 are listed."]


async def test_many_hosts_fill_the_answer_and_the_rest_is_in_the_files(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    names = [f"a-rather-long-name-of-a-host-{number:03}" for number in range(120)]
    standin = datadog(hosts=[{"name": name, "cpu_pct_per_user": number / 100} for number, name in enumerate(names)])
    configure({"QA": {"env_tag": "perf", "hosts": [{"hostname": name} for name in names]}})
    async with connect() as caller:
        window = {"from_time": BEGIN.isoformat(), "to_time": (BEGIN + timedelta(minutes=3)).isoformat()}
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id, **window)
    assert len(standin.journal.received("datadog.query_timeseries")) == 6
    assert (result["total"], result["has_more"]) == (120, True)
    peaks = [row["cpu_max_pct"] for row in result["rows"]]
    assert peaks == sorted(peaks, reverse=True)
    assert len(str(result)) < 10_000
    assert len(list((run.root / "datadog").glob("host_metrics_*.csv"))) == 120
