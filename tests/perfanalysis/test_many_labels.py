"""A million labels: the rare ones stand together, that is said, and every tool survives in time and memory."""

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from mcp import Client

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.samples.columns import SQL_TYPES
from perfsuite.samples.parquet import Metadata

# One worker makes the runs.
pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("many labels")]

LABELS = 1_000_000
FREQUENT = 3
"""Labels that come often; all others come once."""
MOST_MB = 1_500
TOOLS = (
    "analyze_environment_metrics",
    "correlate_test_results",
    "identify_bottlenecks",
    "analyze_logs",
)


def write(run: RunFolder, seed: int) -> None:
    """Ten minutes in which every other request has an address of its own as its label."""
    metadata = Metadata(source="import", formats=("jtl-csv",), absent_columns=(), rows_rejected=0, weighted=False)
    values = {
        "started_at": f"make_timestamp(1790000000000000 + i * 600000000 // {2 * LABELS})",
        "elapsed_us": f"1000 * (100 + (hash(i + {seed}) % 80)::BIGINT + CASE WHEN i % 2 = 0 THEN 0 ELSE 40 END)",
        "label": f"CASE WHEN i % 2 = 0 THEN 'GET /item/' || (i // 2) ELSE 'GET /' || (i // 2 % {FREQUENT}) END",
        "kind": "'sample'",
        "success": "i % 100 != 0",
        "response_code": "CASE WHEN i % 100 = 0 THEN '500' ELSE '200' END",
        "response_message": "'said'",
        "bytes": "1000",
        "all_threads": "20",
        "latency_ms": "5.0",
        "connect_ms": "1.0",
    }
    columns = ", ".join(f"({values.get(name, 'NULL')})::{kind} AS {name}" for name, kind in SQL_TYPES.items())
    with run.staged(layout.SAMPLES) as path:
        duckdb.execute(
            f"COPY (SELECT {columns} FROM range({2 * LABELS}) t(i)) TO '{path}' "
            f"(FORMAT parquet, KV_METADATA {{perfsuite: '{metadata.text()}'}})"
        )


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs with as many labels, as an import would have left their samples."""
    folder = tmp_path_factory.mktemp("many")
    for number, name in enumerate(("many", "more")):
        write(RunStore(folder).create(name), number)
    return folder


@pytest.fixture
def call(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(artifacts))

    @asynccontextmanager
    async def connected() -> Any:
        from perfsuite_perfanalysis.server import server

        async with Client(server) as client:
            yield client

    async def asked(tool: str, **arguments: Any) -> Any:
        async with connected() as client:
            result = await client.call_tool(tool, arguments)
            while not result.is_error and (result.structured_content or {}).get("state") == "working":
                result = await client.call_tool(tool, arguments)
        assert len(result.content[0].text) < 10_000
        return result

    return asked


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    """What a tool takes at its most must not follow the number of labels."""
    before = _peak_mb()
    yield
    # A peak that was reached before says nothing about this test.
    assert _peak_mb() == before or _peak_mb() < MOST_MB


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


@pytest.mark.parametrize("tool", TOOLS)
async def test_every_analysis_survives_a_million_labels(call: Callable[..., Any], tool: str) -> None:
    result = await call(tool, run_id="many")
    assert not result.is_error, result.content[0].text


async def test_the_analysis_of_results_says_how_many_labels_stand_together(call: Callable[..., Any]) -> None:
    answer = (await call("analyze_test_results", run_id="many")).structured_content["result"]
    assert {row["label"] for row in answer["rows"]} >= {"(other labels)"}
    assert any("999503 rare labels stand" in one for one in [*answer["notes"], *map(str, answer["findings"])])


async def test_two_runs_of_a_million_labels_are_compared(call: Callable[..., Any]) -> None:
    result = await call("compare_test_runs", run_ids=["many", "more"], baseline="many")
    assert not result.is_error, result.content[0].text
    assert result.structured_content["result"]["findings"][0]["verdict"] == "within_noise"


async def test_the_status_is_told(call: Callable[..., Any]) -> None:
    assert (await call("get_analysis_status", run_id="many")).structured_content["has_samples"]


async def test_a_question_about_labels_puts_the_rare_ones_together_and_says_so(call: Callable[..., Any]) -> None:
    found = (await call("query_samples", run_id="many", sort_by="samples", limit=5)).structured_content
    assert found["rows"][0]["label"] == "(other labels)"
    assert found["rows"][1]["label"].startswith("GET /")
    assert found["overall"]["samples"] == 2 * LABELS
    assert found["total"] == 5_001
    assert found["notes"][0].startswith("995,003 rare labels stand together as '(other labels)'")


async def test_a_rare_label_is_found_by_its_name_and_too_many_are_refused(call: Callable[..., Any]) -> None:
    found = (await call("query_samples", run_id="many", labels=["GET /item/77", "GET /item/99*77"])).structured_content
    assert found["total"] > 2
    assert "GET /item/77" in {row["label"] for row in found["rows"]}
    refused = await call("query_samples", run_id="many", labels=["*"])
    assert refused.is_error
    assert "select 1,000,003 different ones; at most 5,000" in refused.content[0].text


@pytest.mark.parametrize("about", ["time_series", "response_codes", "error_groups"])
async def test_other_questions_survive_a_million_labels(call: Callable[..., Any], about: str) -> None:
    result = await call("query_samples", run_id="many", about=about)
    assert not result.is_error, result.content[0].text
