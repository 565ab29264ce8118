"""The tools that analyse, through the protocol."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from perfsuite.artifacts import RunStore, layout

from . import synthetic
from .conftest import jtl_row

pytestmark = pytest.mark.anyio

Call = Callable[..., Any]
SLAS = "default_sla: {response_time_sla_ms: 200, percentile: P95, error_rate_threshold: 1}\n"


@pytest.fixture
def call(client: Callable[[], Any]) -> Call:
    async def ask(tool: str, **arguments: Any) -> Any:
        async with client() as connection:
            result = await connection.call_tool(tool, arguments)
        assert not result.is_error, result.content[0].text
        assert len(result.content[0].text) < 10_000
        return result.structured_content

    return ask


@pytest.fixture
def refused(client: Callable[[], Any]) -> Call:
    async def ask(tool: str, **arguments: Any) -> str:
        async with client() as connection:
            result = await connection.call_tool(tool, arguments)
        assert result.is_error
        return str(result.content[0].text)

    return ask


@pytest.fixture
def runs(artifacts: Path) -> RunStore:
    return RunStore(artifacts)


async def test_an_analysis_comes_back_as_a_digest_and_lies_in_its_file(call: Call, runs: RunStore) -> None:
    synthetic.write_run(runs, synthetic.error_storm(), "storm")
    answer = (await call("analyze_test_results", run_id="storm"))["result"]
    assert answer["file"] == "analysis/performance_analysis.json"
    assert answer["findings"][0]["severity"] == "critical"
    assert [row["label"] for row in answer["rows"]] == ["GET /search", "POST /order", "GET /cart"]
    assert answer["summary"]["numbers_are_of"] == "steady state"
    assert runs.open("storm").load(layout.PERFORMANCE_ANALYSIS).status == answer["status"]


async def test_labels_of_a_few_samples_come_after_those_that_say_something(
    call: Call, imported: Callable[..., str]
) -> None:
    few = [jtl_row(i, 900, f"rare {name}") for name, n in (("a", 7), ("b", 12)) for i in range(n)]
    imported([*(jtl_row(i, 100, "GET /") for i in range(300)), *few])
    answer = (await call("analyze_test_results", run_id="checkout-1"))["result"]
    assert [row["label"] for row in answer["rows"]] == ["GET /", "rare b", "rare a"]


async def test_limits_are_read_from_the_folder_of_configuration(
    call: Call, runs: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFSUITE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "slas.yaml").write_text(SLAS)
    synthetic.write_run(runs, synthetic.steady(), "run-1")
    answer = (await call("analyze_test_results", run_id="run-1"))["result"]
    assert answer["summary"]["sla"] == "fail"


async def test_a_wrong_slas_yaml_is_the_error_of_the_call(
    refused: Call, runs: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFSUITE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "slas.yaml").write_text("default_sla: {percentile: P12}\n")
    synthetic.write_run(runs, synthetic.steady(seconds=60), "run-1")
    text = await refused("analyze_test_results", run_id="run-1")
    assert "P50 to P99.9" in text
    assert "slas.yaml" in text


async def test_runs_are_compared(call: Call, runs: RunStore) -> None:
    synthetic.write_run(runs, synthetic.steady(1), "before")
    synthetic.write_run(runs, synthetic.steady(2, factor=1.6), "after")
    answer = (await call("compare_test_runs", run_ids=["before", "after"], baseline="before"))["result"]
    assert answer["findings"][0]["verdict"] == "regression"
    assert {row["tier"] for row in answer["rows"]} == {"critical"}
    found = json.loads((runs.root / answer["file"]).read_text())
    assert found["pairs"][0]["candidate"] == "after"


async def test_many_long_labels_stay_within_the_size(call: Call, runs: RunStore, imported: Callable[..., str]) -> None:
    rows = [jtl_row(i / 4, 100, f"label {i % 120:03} {'x' * 500}", success=i % 2 == 0) for i in range(2400)]
    for name in ("a", "b"):
        imported(rows, name)
    answer = (await call("analyze_test_results", run_id="a"))["result"]
    assert answer["has_more"]
    await call("compare_test_runs", run_ids=["a", "b"], baseline="a")


async def test_the_status_tells_what_is_done_what_is_stale_and_what_is_next(
    call: Call, runs: RunStore, imported: Callable[..., str]
) -> None:
    rows = [jtl_row(i, 100, "GET /") for i in range(300)]
    imported(rows)
    status = await call("get_analysis_status", run_id="checkout-1")
    assert {one["state"] for one in status["analyses"]} == {"not_started"}
    assert status["next_step"] == "Call `analyze_test_results`."
    await call("analyze_test_results", run_id="checkout-1")
    status = await call("get_analysis_status", run_id="checkout-1")
    assert status["analyses"][0]["state"] == "done"
    assert status["next_step"] == "Call `analyze_environment_metrics`."
    imported([*rows, jtl_row(301, 5, "GET /")])
    status = await call("get_analysis_status", run_id="checkout-1")
    assert status["analyses"][0]["state"] == "stale"
    assert status["next_step"] == "Call `analyze_test_results`."


async def test_an_analysis_that_was_damaged_is_said(call: Call, runs: RunStore, imported: Callable[..., str]) -> None:
    imported([jtl_row(i, 100, "GET /") for i in range(300)])
    await call("analyze_test_results", run_id="checkout-1")
    runs.open("checkout-1").path(layout.PERFORMANCE_ANALYSIS).write_text("{broken")
    [one, *_] = (await call("get_analysis_status", run_id="checkout-1"))["analyses"]
    assert one["state"] == "partial"
    assert "is not JSON" in " ".join(one["reasons"]) or "not the JSON" in " ".join(one["reasons"])


async def test_a_run_without_samples_names_the_tools_that_bring_them(refused: Call, call: Call, runs: RunStore) -> None:
    runs.create("fresh")
    assert "`perfsuite import`" in await refused("analyze_test_results", run_id="fresh")
    assert "`perfsuite import`" in (await call("get_analysis_status", run_id="fresh"))["next_step"]


async def test_an_unknown_run_is_not_made(refused: Call, runs: RunStore) -> None:
    synthetic.write_run(runs, synthetic.steady(seconds=30), "checkout-1")
    for tool in ("analyze_test_results", "get_analysis_status"):
        assert "'checkout-1'" in await refused(tool, run_id="checkout-2")
    assert not (runs.root / "checkout-2").exists()


@pytest.mark.parametrize("content", [b"", b"PAR1 not really PAR1", b"timeStamp,elapsed\n1,2\n"])
async def test_samples_that_are_no_parquet_say_what_to_do(
    refused: Call, runs: RunStore, imported: Callable[..., str], content: bytes
) -> None:
    imported([jtl_row(0, 100, "GET /")])
    runs.open("checkout-1").path(layout.SAMPLES).write_bytes(content)
    assert "Import the results of the run again." in await refused("analyze_test_results", run_id="checkout-1")


async def test_a_failed_analysis_stands_in_the_status(
    refused: Call, call: Call, runs: RunStore, imported: Callable[..., str]
) -> None:
    imported([jtl_row(0, 100, "GET /")])
    runs.open("checkout-1").path(layout.SAMPLES).write_bytes(b"PAR1")
    await refused("analyze_test_results", run_id="checkout-1")
    status = await call("get_analysis_status", run_id="checkout-1")
    assert status["analyses"][0]["state"] == "failed"
    assert status["next_step"] == "The samples cannot be used. Import the results of the run again."


async def test_reasons_are_given_once(call: Call, imported: Callable[..., str]) -> None:
    rows = [jtl_row(i, 100, "GET /") for i in range(300)]
    imported(rows)
    for tool in ("correlate_test_results", "identify_bottlenecks"):
        await call(tool, run_id="checkout-1")
    imported(rows[:-1])
    status = await call("get_analysis_status", run_id="checkout-1")
    stale = [one["reasons"] for one in status["analyses"] if one["state"] == "stale"]
    assert stale
    assert all(len(set(reasons)) == len(reasons) for reasons in stale)


async def test_an_analysis_can_be_waited_for_in_several_calls(client: Callable[[], Any], runs: RunStore) -> None:
    synthetic.write_run(runs, synthetic.steady(), "run-1")
    async with client() as connection:
        with anyio.fail_after(30):
            result = await connection.call_tool("analyze_test_results", {"run_id": "run-1", "wait_s": 0})
            while result.structured_content["state"] == "working":
                result = await connection.call_tool("analyze_test_results", {"run_id": "run-1", "wait_s": 5})
    assert result.structured_content["result"]["id"] == "run-1"


async def test_an_analysis_can_be_cancelled(client: Callable[[], Any], runs: RunStore) -> None:
    synthetic.write_run(runs, synthetic.leak(), "run-1")
    async with client() as connection:
        await connection.call_tool("analyze_test_results", {"run_id": "run-1", "wait_s": 0})
        result = await connection.call_tool("cancel_job", {"run_id": "run-1", "tool": "analyze_test_results"})
        status = await connection.call_tool("get_analysis_status", {"run_id": "run-1"})
    assert result.structured_content["state"] == "cancelled"
    assert status.structured_content["analyses"][0]["state"] in ("interrupted", "not_started")
    assert not runs.open("run-1").path(layout.PERFORMANCE_ANALYSIS).exists()
