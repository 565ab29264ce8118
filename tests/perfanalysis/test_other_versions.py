"""Files that an older or a newer perfsuite wrote: nothing of them is used, and what to do is said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.comparisons import load_comparison
from perfsuite.artifacts.layout import JsonArtifact
from perfsuite.errors import BadFile

from . import synthetic
from .analysing import compared, runs_in
from .conftest import jtl_row

pytestmark = pytest.mark.anyio

ANALYSES: dict[str, JsonArtifact[Any]] = {
    "analyze_test_results": layout.PERFORMANCE_ANALYSIS,
    "analyze_environment_metrics": layout.INFRASTRUCTURE_ANALYSIS,
    "correlate_test_results": layout.CORRELATION_ANALYSIS,
    "identify_bottlenecks": layout.BOTTLENECK_ANALYSIS,
    "analyze_logs": layout.LOG_ANALYSIS,
}
OLDER, NEWER = "0.9", "2.0"


def as_version(path: Path, version: object) -> None:
    """Have a file say that it is of another version."""
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "schema_version": version}), encoding="utf-8")


@pytest.fixture
def run_id(imported: Callable[..., str]) -> str:
    return imported([jtl_row(i / 2, 100 + i % 7, "GET /") for i in range(200)])


def folder(artifacts: Path, run_id: str) -> RunFolder:
    return RunStore(artifacts).open(run_id)


@pytest.mark.parametrize("tool", ANALYSES)
async def test_an_analysis_of_another_version_is_not_taken_for_ours(
    client: Callable[[], Any], artifacts: Path, run_id: str, tool: str
) -> None:
    run, artifact = folder(artifacts, run_id), ANALYSES[tool]
    async with client() as connection:
        await connection.call_tool(tool, {"run_id": run_id})
        for version, advice in ((OLDER, f"Restore the file, or call {artifact.makers} again"), (NEWER, "Update perf")):
            as_version(run.path(artifact), version)
            with pytest.raises(BadFile) as error:
                run.load(artifact)
            assert f"it has schema version {version}, and this perfsuite reads 1.x" in str(error.value)
            assert advice in error.value.next_step
            status = (await connection.call_tool("get_analysis_status", {"run_id": run_id})).structured_content
            [one] = [each for each in status["analyses"] if each["tool"] == tool]
            assert one["status"] is None
            assert f"schema version {version}" in " ".join(one["reasons"])
        await connection.call_tool(tool, {"run_id": run_id})
        status = (await connection.call_tool("get_analysis_status", {"run_id": run_id})).structured_content
    [one] = [each for each in status["analyses"] if each["tool"] == tool]
    # Correlation and bottlenecks are one step, which needs both.
    assert one["state"] in ("done", "partial")
    assert one["status"] is not None
    assert run.load(artifact).schema_version == "1.0"


@pytest.mark.parametrize("version", [7, None, "one", "1", "1.0.0", ["1.0"]])
async def test_a_version_that_is_none_is_said(
    client: Callable[[], Any], artifacts: Path, run_id: str, version: object
) -> None:
    run = folder(artifacts, run_id)
    async with client() as connection:
        await connection.call_tool("analyze_test_results", {"run_id": run_id})
        as_version(run.path(layout.PERFORMANCE_ANALYSIS), version)
        result = await connection.call_tool("get_analysis_status", {"run_id": run_id})
    assert not result.is_error
    with pytest.raises(BadFile, match="schema_version"):
        run.load(layout.PERFORMANCE_ANALYSIS)


def test_a_comparison_of_another_version_is_not_taken_for_ours(tmp_path: Path) -> None:
    for name in ("a", "b"):
        synthetic.write_run(runs_in(tmp_path), synthetic.steady(1, seconds=60), name)
    compared(tmp_path, "a", "b")
    [path] = (tmp_path / "artifacts" / "comparisons").glob("*/comparison.json")
    for version, advice in ((OLDER, "`compare_test_runs`"), (NEWER, "Update perfsuite")):
        as_version(path, version)
        with pytest.raises(BadFile, match=f"schema version {version}") as error:
            load_comparison(runs_in(tmp_path), path.parent.name)
        assert advice in error.value.next_step


@pytest.mark.parametrize("version", [OLDER, NEWER])
@pytest.mark.parametrize("tool", [*ANALYSES, "query_samples", "compare_test_runs"])
async def test_samples_of_another_version_are_refused_by_every_tool(
    client: Callable[[], Any], artifacts: Path, run_id: str, tool: str, version: str
) -> None:
    path = folder(artifacts, run_id).path(layout.SAMPLES)
    with duckdb.connect() as connection:
        found = dict(
            connection.execute(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{path}')").fetchall()
        )
        metadata = json.dumps({**json.loads(found["perfsuite"]), "schema_version": version})
        other = path.with_name("other.parquet")
        connection.execute(
            f"COPY (FROM read_parquet('{path}')) TO '{other}' (FORMAT parquet, KV_METADATA {{perfsuite: '{metadata}'}})"
        )
    other.replace(path)
    arguments = {"run_ids": [run_id, "b"], "baseline": run_id} if tool == "compare_test_runs" else {"run_id": run_id}
    RunStore(artifacts).open_or_create("b")
    async with client() as connection:
        result = await connection.call_tool(tool, arguments)
    assert result.is_error
    said = result.content[0].text
    assert f"its schema version is '{version}', and 1.0 is read" in said
    assert "Import the results of the run again." in said
