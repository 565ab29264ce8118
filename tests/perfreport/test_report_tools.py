"""The tools as clients call them, in both generations of the protocol."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def call(client: Callable[[], Any], tool: str, **arguments: Any) -> dict[str, Any]:
    async with client() as connection:
        result = await connection.call_tool(tool, arguments)
    assert not result.is_error, result.content[0].text
    assert len(result.content[0].text) < 10_000
    return dict(result.structured_content)


async def refused(client: Callable[[], Any], tool: str, **arguments: Any) -> str:
    async with client() as connection:
        result = await connection.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)


async def test_a_report_is_written_and_told_in_short(client: Callable[[], Any], artifacts: Path) -> None:
    answer = await call(client, "create_performance_test_report", run_id="storm")
    report = answer["result"]
    assert (answer["state"], report["verdict"]) == ("done", "FAIL")
    assert report["findings"] > 0
    assert report["recommendations"] > 0
    assert all((artifacts / "storm" / file).is_file() for file in report["files"])
    assert {Path(file).suffix for file in report["files"]} == {".md", ".html", ".docx", ".json"}
    data = json.loads((artifacts / "storm" / report["files"][-1]).read_text(encoding="utf-8"))
    assert data["schema_version"] == "1.0"
    assert data["verdict"] == "FAIL"


async def test_what_is_missing_is_told_with_the_tool_that_would_help(client: Callable[[], Any]) -> None:
    answer = await call(client, "create_performance_test_report", run_id="bare", formats=["md"])
    told = " ".join(answer["result"]["missing"])
    assert "`analyze_environment_metrics`" in told
    assert "`create_chart`" in answer["result"]["next_step"]


async def test_a_run_that_was_not_analysed_names_the_tool_to_call_first(
    client: Callable[[], Any], artifacts: Path
) -> None:
    (artifacts / "bare/analysis/performance_analysis.json").unlink()
    assert "`analyze_test_results`" in await refused(client, "create_performance_test_report", run_id="bare")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"run_id": "nobody"}, "does not exist"),
        ({"run_id": "../calm"}, "run id"),
        ({"run_id": "calm", "template": "nothing"}, "list_templates"),
        ({"run_id": "calm", "formats": ["pdf"]}, "html"),
        ({"run_id": "calm", "formats": []}, "at least 1"),
        ({"run_id": "calm", "format": "md"}, "formats"),
    ],
)
async def test_a_call_that_cannot_be_done_says_why(
    client: Callable[[], Any], arguments: dict[str, Any], word: str
) -> None:
    assert word in await refused(client, "create_performance_test_report", **arguments)


async def test_the_templates_are_listed(client: Callable[[], Any], tmp_path: Path) -> None:
    answer = await call(client, "list_templates")
    assert [one["name"] for one in answer["templates"]] == ["default", "one-page"]
    assert answer["total"] == 2
    assert str(tmp_path / "templates") in answer["next_step"]


async def test_the_tools_cost_the_model_little(client: Callable[[], Any]) -> None:
    async with client() as connection:
        tools = (await connection.list_tools()).tools
    text = json.dumps([tool.model_dump(mode="json", exclude_none=True, by_alias=True) for tool in tools])
    assert len(text) < 10_000


async def test_a_workflow_is_started_followed_and_summed_up(client: Callable[[], Any], artifacts: Path) -> None:
    started = await call(client, "start_workflow", run_ids=["calm", "storm"], workflow_id="release-4")
    assert started["file"] == "workflows/release-4.json"
    assert started["new_runs"] == []
    status = await call(client, "get_workflow_status", workflow_id="release-4")
    assert status["runs"][0]["stages"]["perfanalysis"] == "done"
    assert status["runs"][0]["next_tool"] == "load_environment"
    assert status["next_step"] == "Call `load_environment` for run 'calm'."
    summary = await call(client, "get_workflow_summary", workflow_id="release-4")
    assert summary["outcome"] == "Partial Success"
    assert [one["sla"] for one in summary["runs"]] == ["pass", "fail"]
    assert (artifacts / summary["file"]).read_text(encoding="utf-8").startswith("# Workflow summary: release-4")
    stored = json.loads((artifacts / "workflows/release-4.json").read_text(encoding="utf-8"))
    assert stored["state"] == "Partial Success"
    assert stored["run_ids"] == ["calm", "storm"]
