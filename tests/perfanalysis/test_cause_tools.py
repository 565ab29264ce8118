"""The tools about metrics, correlations, bottlenecks and logs, through the protocol."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from perfsuite.artifacts import RunFolder, layout

from . import synthetic
from .analysing import runs_in
from .collecting import container_rows, event, write_events, write_rows
from .conftest import jtl_row

pytestmark = pytest.mark.anyio

TOOLS = {
    "analyze_environment_metrics": layout.INFRASTRUCTURE_ANALYSIS,
    "correlate_test_results": layout.CORRELATION_ANALYSIS,
    "identify_bottlenecks": layout.BOTTLENECK_ANALYSIS,
    "analyze_logs": layout.LOG_ANALYSIS,
}


@pytest.fixture
def saturated(artifacts: Any) -> RunFolder:
    run = synthetic.write_run(runs_in(artifacts.parent), synthetic.saturation(), "run-1")
    write_events(run, [event(number, "error", f"queue of {number} is full") for number in range(300, 700)])
    return run


async def test_every_tool_writes_its_file_and_answers_with_a_digest(
    client: Callable[[], Any], saturated: RunFolder
) -> None:
    async with client() as connection:
        for tool, artifact in TOOLS.items():
            result = await connection.call_tool(tool, {"run_id": "run-1"})
            assert not result.is_error, result.content[0].text
            assert len(result.content[0].text) < 10_000
            answer = result.structured_content["result"]
            assert answer["file"] == artifact.place
            kept = json.loads(saturated.path(artifact).read_text())
            assert (kept["schema_version"], kept["status"]) == ("1.0", answer["status"])
            assert {one["path"] for one in kept["inputs"]} > {"samples.parquet"}
            assert all(len(one["sha256"]) == 64 for one in kept["inputs"])
            assert kept["methods"]
        status = await connection.call_tool("get_analysis_status", {"run_id": "run-1"})
    states = {one["tool"]: one["state"] for one in status.structured_content["analyses"]}
    assert {states[tool] for tool in TOOLS} == {"done"}


async def test_the_digest_of_bottlenecks_names_host_users_and_what_to_check(
    client: Callable[[], Any], saturated: RunFolder
) -> None:
    async with client() as connection:
        result = await connection.call_tool("identify_bottlenecks", {"run_id": "run-1"})
    answer = result.structured_content["result"]
    first = answer["rows"][0]
    assert (first["kind"], first["subject"], first["confidence"]) == ("cpu", "db-1", "high")
    assert first["next_check"]
    assert answer["summary"]["load_generator"] == "not_evaluable"


async def test_pairs_that_are_not_certain_do_not_fill_the_answer(client: Callable[[], Any], artifacts: Any) -> None:
    run = synthetic.write_run(runs_in(artifacts.parent), synthetic.steady(seconds=900), "run-1")
    for number in range(6):
        metrics = synthetic.calm_host(np.random.default_rng(number), 900)
        synthetic.write_metrics(run, f"app-{number}", metrics)
    async with client() as connection:
        result = await connection.call_tool("correlate_test_results", {"run_id": "run-1"})
    answer = result.structured_content["result"]
    summary, verdicts = answer["summary"], [one["verdict"] for one in answer["rows"]]
    assert summary["pairs_tested"] > 20
    assert verdicts.count("insufficient_evidence") == 3
    assert verdicts.count("moves_with") == summary["pairs_certain"]
    assert answer["has_more"]
    assert any("only those nearest to it are shown" in one for one in answer["notes"])


async def test_a_large_environment_stays_a_short_answer(client: Callable[[], Any], artifacts: Any) -> None:
    run = synthetic.write_run(runs_in(artifacts.parent), synthetic.steady(seconds=300), "run-1")
    rows = [
        row
        for number in range(200)
        for row in container_rows("shop", f"pod-{number}\n|<b>" + "x" * 200, {"cpu_util_pct": np.full(15, 95.0)})
    ]
    write_rows(run, layout.K8S_METRICS, rows, filter="shop")
    async with client() as connection:
        result = await connection.call_tool("analyze_environment_metrics", {"run_id": "run-1"})
    assert not result.is_error
    assert len(result.content[0].text) < 10_000
    assert result.structured_content["result"]["has_more"]
    assert result.structured_content["result"]["summary"]["containers"] == 200


@pytest.mark.parametrize("tool", TOOLS)
async def test_a_run_without_samples_names_the_tool_that_makes_them(
    client: Callable[[], Any], artifacts: Any, tool: str
) -> None:
    run = synthetic.write_run(runs_in(artifacts.parent), synthetic.steady(seconds=60), "run-1")
    run.path(layout.SAMPLES).unlink()
    async with client() as connection:
        result = await connection.call_tool(tool, {"run_id": "run-1"})
    assert result.is_error
    assert "has no samples yet" in result.content[0].text
    assert "perfsuite import" in result.content[0].text


@pytest.mark.parametrize("tool", TOOLS)
async def test_samples_that_are_no_parquet_are_a_clear_error(
    client: Callable[[], Any], artifacts: Any, tool: str
) -> None:
    run = synthetic.write_run(runs_in(artifacts.parent), synthetic.steady(seconds=60), "run-1")
    run.path(layout.SAMPLES).write_bytes(b"PAR1 and then nothing of it")
    async with client() as connection:
        result = await connection.call_tool(tool, {"run_id": "run-1"})
    assert result.is_error
    assert "samples.parquet" in result.content[0].text


async def test_the_digest_of_logs_counts_levels_and_shows_what_is_serious(
    client: Callable[[], Any], artifacts: Any
) -> None:
    run = synthetic.write_run(runs_in(artifacts.parent), synthetic.steady(seconds=60), "run-1")
    calm = [event(number, "info", f"started part {letter}") for number, letter in enumerate("abcdefghijkl")]
    write_events(run, [*calm, event(20, "warn", "pool is nearly full"), event(30, "error", "pool is full")])
    async with client() as connection:
        result = await connection.call_tool("analyze_logs", {"run_id": "run-1"})
    answer = result.structured_content["result"]
    assert [one["level"] for one in answer["rows"]] == ["ERROR", "WARN"]
    assert answer["summary"]["levels"] == "ERROR: 1, WARN: 1, INFO: 12"
    assert any("INFO and less are in the file only" in note for note in answer["notes"])


def test_the_server_starts_without_what_only_analyses_need() -> None:
    heavy = ("numpy", "pandas", "scipy", "duckdb", "drain3")
    code = f"import sys, perfsuite_perfanalysis.server; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_many_labels_are_folded(client: Callable[[], Any], imported: Callable[..., str]) -> None:
    rows = [jtl_row(number / 10, 100 + number % 7, f"GET /item/{number}") for number in range(3_000)]
    run_id = imported(rows)
    async with client() as connection:
        for tool in TOOLS:
            result = await connection.call_tool(tool, {"run_id": run_id})
            assert not result.is_error, result.content[0].text
            assert len(result.content[0].text) < 10_000
