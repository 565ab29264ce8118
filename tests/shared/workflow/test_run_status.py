"""What is done, what is stale, and which tool comes next."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perfsuite.artifacts.schemas import RunFacts, RunRequest
from perfsuite.errors import Cancelled
from perfsuite.workflow import stages

BARE = RunFacts(source="import")


def finish_all(desk: Any, *stage_ids: str) -> None:
    for stage_id in stage_ids:
        for step in stages.by_id(stage_id).steps:
            desk.finish_well(stage_id, step.id)


def states(desk: Any) -> dict[str, str]:
    return {one.stage: one.state for one in desk.ledger.status().stages}


def test_a_new_run_begins_with_its_source(desk: Any) -> None:
    assert set(states(desk).values()) == {"not_started"}
    following = desk.next()
    assert (following.stage, following.step, following.tool) == ("import", "collect", "perfsuite import")
    assert following.why == "It has not run yet."


def test_a_run_whose_source_is_open_says_which_sources_there_are(new_desk: Callable[..., Any]) -> None:
    desk = new_desk(RunFacts())
    assert desk.ledger.status().source is None
    assert desk.next().tool == "get_workspaces"
    assert "`start_jmeter_test` or `perfsuite import`" in desk.next().why


@pytest.mark.parametrize(("stage", "step"), [("jmeter", "start"), ("import", "collect"), ("blazemeter", "download")])
def test_the_source_that_ran_last_is_the_source(new_desk: Callable[..., Any], stage: str, step: str) -> None:
    desk = new_desk(RunFacts())
    desk.finish("blazemeter", "find_workspace")
    desk.finish(stage, step)
    assert desk.ledger.status().source == stage
    assert desk.ledger.status().stages[0].stage == stage


def test_a_run_with_everything_is_complete(desk: Any) -> None:
    finish_all(desk, "import", "datadog", "perfanalysis", "perfreport", "confluence")
    status = desk.ledger.status()
    assert set(states(desk).values()) == {"done"}
    assert status.complete
    assert status.next is None
    assert all(not stage.missing and not stage.stale_reasons for stage in status.stages)


def test_a_run_without_environment_and_space_skips_what_needs_them(new_desk: Callable[..., Any]) -> None:
    desk = new_desk(BARE)
    finish_all(desk, "import", "perfanalysis")
    for step in ("report", "list_chart_types", "p90_chart"):
        desk.finish_well("perfreport", step)
    assert states(desk) == {
        "import": "done",
        "datadog": "skipped",
        "perfanalysis": "done",
        "perfreport": "done",
        "confluence": "skipped",
    }
    charts = desk.seen("perfreport", "infrastructure_charts")
    assert (charts.state, charts.reasons, charts.missing) == ("skipped", ("The run has no metrics to draw.",), ())
    assert desk.seen("datadog", "logs").reasons == ("The run names no environment.",)
    assert desk.ledger.status().complete


def test_a_stage_that_was_used_anyway_is_not_skipped(new_desk: Callable[..., Any]) -> None:
    desk = new_desk(BARE)
    desk.finish("datadog", "load_environment")
    assert states(desk)["datadog"] == "partial"


@pytest.mark.parametrize(("content", "state"), [(b"h1,h2\n", "skipped"), (b"h1,h2\n1,2\n", "not_started")])
def test_charts_of_metrics_are_asked_for_when_there_are_rows_to_draw(desk: Any, content: bytes, state: str) -> None:
    with desk.ledger.step("datadog", "metrics", tool="get_host_metrics") as step:
        step.produced(desk.write("datadog/host_metrics_a.csv", content))
    assert desk.seen("perfreport", "infrastructure_charts").state == state


def test_charts_of_metrics_that_are_gone_are_not_asked_for(desk: Any) -> None:
    desk.finish("datadog", "metrics", makes=["datadog/host_metrics_a.csv"])
    (desk.run.root / "datadog/host_metrics_a.csv").unlink()
    assert desk.seen("perfreport", "infrastructure_charts").state == "skipped"
    assert desk.seen("datadog", "metrics").state == "stale"


def test_the_missing_files_of_a_stage_are_listed(desk: Any) -> None:
    stage = desk.ledger.status().stages[0]
    assert stage.missing == ("samples.parquet", "import/aggregate_performance_report.csv")
    assert desk.ledger.status().stages[2].missing[0] == "analysis/performance_analysis.json"


def test_of_a_step_with_two_tools_the_one_that_did_not_run_is_next(desk: Any) -> None:
    finish_all(desk, "import", "datadog")
    for step in ("test_results", "environment_metrics"):
        desk.finish_well("perfanalysis", step)
    desk.finish("perfanalysis", "correlation_and_bottlenecks", makes=["analysis/correlation_analysis.json"])
    following = desk.next()
    assert (following.step, following.tool) == ("correlation_and_bottlenecks", "identify_bottlenecks")
    assert desk.stage_state("perfanalysis") == "partial"


def test_a_step_that_left_no_file_is_partial_and_next(desk: Any) -> None:
    desk.finish("import", "collect")
    desk.finish_well("import", "aggregate_report")
    assert states(desk)["import"] == "partial"
    assert (desk.next().step, desk.next().why) == ("collect", "It left no samples.parquet.")


@pytest.mark.parametrize(
    ("relative", "content", "fault"),
    [
        ("samples.parquet", b"PK\x03\x04", "it is not a parquet file"),
        ("samples.parquet", b"", "it is empty"),
    ],
)
def test_a_file_that_does_not_parse_does_not_pass_its_gate(
    desk: Any, relative: str, content: bytes, fault: str
) -> None:
    desk.finish_well("import", "collect")
    desk.write(relative, content)
    assert desk.seen("import", "collect").missing == (f"{relative} ({fault})",)


ANALYSES = [
    (b'{"status": "complete"}', None),
    (b'{"status": "partial"}', None),
    (b'{"status": "not_available", "reason": "no metrics"}', None),
    (b'{"status": "maybe"}', "at 'status', expected complete or partial or not_available; found 'maybe'"),
    (b'{"status": ["complete"]}', "found ['complete']"),
    (b"{}", "found None"),
    (b"[]", "it is not a JSON object"),
    (b"{", "it is not JSON"),
    (b"\xff", "it is not JSON"),
    (b"[" * 200_000, "it is not JSON"),
]


@pytest.mark.parametrize(("content", "fault"), ANALYSES, ids=[str(content[:24]) for content, _ in ANALYSES])
def test_an_analysis_passes_with_any_status_that_it_admits_to(desk: Any, content: bytes, fault: str | None) -> None:
    desk.finish_well("perfanalysis", "logs")
    desk.write("analysis/log_analysis.json", content)
    missing = desk.seen("perfanalysis", "logs").missing
    assert (fault in missing[0]) if fault else missing == ()


def test_a_huge_analysis_is_not_read(desk: Any) -> None:
    desk.finish_well("perfanalysis", "logs")
    os.truncate(desk.run.root / "analysis/log_analysis.json", 65 * 1024 * 1024)
    assert "too large" in desk.seen("perfanalysis", "logs").missing[0]


def test_an_analysis_that_cannot_be_read_does_not_pass_its_gate(desk: Any) -> None:
    desk.finish_well("perfanalysis", "logs")
    path = desk.run.root / "analysis/log_analysis.json"
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read anything")
    assert "cannot be read: Permission denied" in desk.seen("perfanalysis", "logs").missing[0]


def test_a_page_counts_as_published_with_its_id_and_url(desk: Any) -> None:
    desk.finish_well("confluence", "publish")
    assert desk.seen("confluence", "publish").state == "done"
    desk.write("confluence/publish.json", b'{"page_id": "7", "url": ""}')
    assert "at 'url', expected a value" in desk.seen("confluence", "publish").missing[0]


def test_kubernetes_metrics_pass_the_gate_as_well_as_host_metrics(desk: Any) -> None:
    desk.finish("datadog", "metrics", makes=["datadog/k8s_metrics_shop.csv"], part="kubernetes")
    assert desk.seen("datadog", "metrics").state == "done"


def test_a_chart_of_one_resource_passes_the_gate_and_another_chart_does_not(desk: Any) -> None:
    desk.finish("datadog", "metrics", makes=["datadog/host_metrics_a.csv"])
    desk.finish("perfreport", "infrastructure_charts", part="cpu", makes=["charts/CPU_UTILIZATION-web01.png"])
    desk.finish("perfreport", "infrastructure_charts", part="users", makes=["charts/CPU_USERS.png"])
    assert desk.seen("perfreport", "infrastructure_charts").missing == ("charts/MEMORY_UTILIZATION.png",)
    desk.finish("perfreport", "infrastructure_charts", part="memory", makes=["charts/MEMORY_UTILIZATION.png"])
    assert desk.seen("perfreport", "infrastructure_charts").state == "done"


def test_a_failed_step_is_next_with_what_it_said(desk: Any) -> None:
    desk.finish_well("import", "collect")
    desk.fail("import", "aggregate_report", "No rows in the file.")
    assert states(desk)["import"] == "failed"
    assert desk.next().step == "aggregate_report"
    assert desk.next().why == "It failed: No rows in the file. Call `other_tool` first."


def test_a_step_that_was_cancelled_is_interrupted_and_not_failed(desk: Any) -> None:
    finish_all(desk, "import")
    with pytest.raises(Cancelled), desk.ledger.step("perfanalysis", "logs", tool="analyze_logs"):
        raise Cancelled("The work was cancelled.", next_step="Call the tool again.")
    seen = desk.seen("perfanalysis", "logs")
    assert (seen.state, seen.reasons) == ("interrupted", ("It was cancelled: call `analyze_logs` to start anew.",))


def test_the_worst_part_of_a_step_decides_and_its_tool_is_the_one_to_call(desk: Any) -> None:
    finish_all(desk, "import")
    desk.finish("datadog", "load_environment")
    desk.finish("datadog", "metrics", part="host", makes=["datadog/host_metrics_a.csv"])
    with (
        pytest.raises(KeyError),
        desk.ledger.step("datadog", "metrics", tool="get_kubernetes_metrics", part="kubernetes"),
    ):
        raise KeyError
    following = desk.next()
    assert (following.step, following.tool) == ("metrics", "get_kubernetes_metrics")
    assert "stopped by KeyError" in following.why
    assert "Another part of it: `get_kubernetes_metrics`." in following.why


def analysed(desk: Any) -> None:
    """An import, an analysis of it, and a report of the analysis."""
    desk.finish_well("import", "collect")
    samples, analysis = desk.run.root / "samples.parquet", "analysis/performance_analysis.json"
    desk.finish("perfanalysis", "test_results", makes=[analysis], uses=[samples])
    desk.finish("perfreport", "report", makes=["reports/performance_report_r1.md"], uses=[desk.run.root / analysis])


def test_steps_whose_inputs_are_unchanged_are_fresh(desk: Any) -> None:
    analysed(desk)
    os.utime(desk.run.root / "samples.parquet", (1, 1))
    desk.finish_well("import", "collect")
    assert desk.seen("perfanalysis", "test_results").state == "done"
    assert desk.seen("perfreport", "report").state == "done"


@pytest.mark.parametrize("content", [b"PAR1 longer", b"PAR2"])
def test_a_changed_input_makes_a_step_and_all_that_stands_on_it_stale(desk: Any, content: bytes) -> None:
    analysed(desk)
    desk.write("samples.parquet", content)
    os.utime(desk.run.root / "samples.parquet", (1, 1))
    assert desk.seen("import", "collect").state in {"done", "partial"}
    assert desk.seen("perfanalysis", "test_results").reasons == ("its input 'samples.parquet' changed after it ran",)
    assert desk.seen("perfreport", "report").reasons == (
        "'analysis/performance_analysis.json' comes from perfanalysis.test_results, which is stale",
    )
    stage = desk.ledger.status().stages[2]
    assert (stage.state, len(stage.stale_reasons)) == ("stale", 1)


def test_a_step_above_that_ran_again_and_gave_something_else_is_named(desk: Any) -> None:
    analysed(desk)
    with desk.ledger.step("import", "collect", tool="perfsuite import") as step:
        step.produced(desk.write("samples.parquet", b"PAR1 other"))
    assert desk.seen("perfanalysis", "test_results").reasons == (
        "its input 'samples.parquet' changed after it ran: import.collect ran again",
    )


def test_doing_the_stale_steps_again_makes_all_fresh(desk: Any) -> None:
    analysed(desk)
    desk.write("samples.parquet", b"PAR1 other")
    analysed(desk)
    assert desk.seen("perfanalysis", "test_results").state == "done"
    assert desk.seen("perfreport", "report").state == "done"


def test_an_input_that_is_gone_makes_a_step_stale(desk: Any) -> None:
    analysed(desk)
    (desk.run.root / "samples.parquet").unlink()
    assert desk.seen("import", "collect").reasons == ("its output 'samples.parquet' is gone",)
    assert "was removed" in desk.seen("perfanalysis", "test_results").reasons[0]
    assert desk.next().step == "collect"


def test_the_prose_of_a_report_may_be_edited(desk: Any) -> None:
    analysed(desk)
    desk.write("reports/performance_report_r1.md", b"# better words\n")
    assert desk.seen("perfreport", "report").state == "done"


def test_an_external_input_counts_only_as_long_as_it_exists(desk: Any, tmp_path: Path) -> None:
    given = tmp_path / "results.jtl"
    given.write_bytes(b"a")
    desk.finish("import", "collect", uses=[given], makes=["samples.parquet"])
    given.write_bytes(b"bb")
    assert desk.seen("import", "collect").reasons == (f"its input {str(given)!r} changed after it ran",)
    given.unlink()
    assert desk.seen("import", "collect").state == "done"
    given.mkdir()
    assert desk.seen("import", "collect").state == "done"


def test_a_step_that_reads_what_it_wrote_does_not_go_round_in_circles(desk: Any) -> None:
    report = desk.write("reports/performance_report_r1.md")
    desk.finish("perfreport", "report", uses=[report], makes=["reports/performance_report_r1.md"])
    assert desk.seen("perfreport", "report").state == "done"
    report.unlink()
    assert desk.seen("perfreport", "report").state == "stale"


def test_steps_of_a_stage_that_nobody_knows_are_read_past(desk: Any) -> None:
    desk.finish_well("import", "collect")
    desk.run.update(
        lambda run: run.model_copy(update={"ledger": (run.ledger[0].model_copy(update={"stage": "x"}), *run.ledger)})
    )
    assert desk.seen("import", "collect").state == "done"


def test_a_running_step_is_next_until_it_ends(desk: Any) -> None:
    with desk.ledger.step("import", "collect", tool="perfsuite import"):
        assert states(desk)["import"] == "running"
        assert desk.next().why == "It is running since 2026-03-01T12:00:01Z."


def test_a_run_asked_for_an_environment_goes_on_with_it(new_desk: Callable[..., Any]) -> None:
    desk = new_desk(RunFacts(source="import", request=RunRequest(environment="staging")))
    finish_all(desk, "import")
    assert (desk.next().stage, desk.next().tool) == ("datadog", "load_environment")
