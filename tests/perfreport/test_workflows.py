"""What was asked for, how far it is, and what came of it."""

from pathlib import Path
from typing import Any

import pytest

from perfsuite.artifacts import RunStore, layout
from perfsuite.artifacts.comparisons import Comparison, PairComparison, save_comparison
from perfsuite.artifacts.schemas import ConfluenceRequest, RunRequest
from perfsuite.errors import BadInput, Conflict, NotFound
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfreport.models.workflow import StartedWorkflow
from perfsuite_perfreport.service.charts import create_charts, load_charts
from perfsuite_perfreport.service.progress import workflow_status
from perfsuite_perfreport.service.starting import Wanted, start_workflow
from perfsuite_perfreport.service.summaries import workflow_summary

from .reported import changed, reported

ENVIRONMENTS = "environments:\n  shop-load: {env_tag: 'env:shop', hosts: [{hostname: web-1}]}\n"
SPACE = ConfluenceRequest(mode="cloud", space="PERF", parent="Reports")


def started(
    runs: RunStore, *run_ids: str, folder: Path, workflow_id: str | None = None, **request: Any
) -> StartedWorkflow:
    wanted = Wanted(run_ids, workflow_id, RunRequest(**request), (folder,))  # type: ignore[arg-type]
    return start_workflow(runs, wanted)


def test_new_runs_are_opened_with_what_was_asked(runs: RunStore, tmp_path: Path) -> None:
    (tmp_path / "environments.yaml").write_text(ENVIRONMENTS, encoding="utf-8")
    answer = started(runs, "new-1", "new-2", folder=tmp_path, environment="shop-load", confluence=SPACE)
    assert answer.new_runs == ["new-1", "new-2"]
    assert answer.workflow_id == "new-1-workflow"
    for run_id in ("new-1", "new-2"):
        request = runs.open(run_id).record().request
        assert request.environment == "shop-load"
        assert request.confluence == SPACE
    assert "`get_workspaces` for run 'new-1'" in answer.next_step


def test_what_was_asked_before_stays_where_nothing_is_said(runs: RunStore, tmp_path: Path) -> None:
    started(runs, "calm", folder=tmp_path, workspace="Shop", confluence=SPACE)
    answer = started(runs, "calm", folder=tmp_path, environment_type="staging")
    request = runs.open("calm").record().request
    assert (request.workspace, request.environment_type, request.confluence) == ("Shop", "staging", SPACE)
    assert any("is changed" in note for note in answer.notes)
    assert not any("nothing is published" in note for note in answer.notes)
    assert runs.open("calm").record().scenario == "shop checkout"


def test_everything_that_is_missing_is_one_error_and_nothing_is_made(runs: RunStore, tmp_path: Path) -> None:
    (tmp_path / "environments.yaml").write_text(ENVIRONMENTS, encoding="utf-8")
    confluence = ConfluenceRequest(space="PERF")
    with pytest.raises(BadInput) as caught:
        started(runs, "new", "New", folder=tmp_path, environment="shop-lod", confluence=confluence)
    for part in ("twice", "confluence_mode", "confluence_parent", "'shop-lod'", "'shop-load'"):
        assert part in caught.value.message
    with pytest.raises(NotFound):
        runs.open("new")
    assert not (runs.root / "workflows").exists()


def test_an_environment_without_its_file_is_said(runs: RunStore, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no environments\.yaml in"):
        started(runs, "new", folder=tmp_path, environment="shop-load")


def test_a_name_that_is_nearly_that_of_a_run_is_asked_about(runs: RunStore, tmp_path: Path) -> None:
    assert any("is it not 'storm'?" in note for note in started(runs, "storms", folder=tmp_path).notes)
    started(runs, "7000011", folder=tmp_path)
    assert not any("is it not" in note for note in started(runs, "7000012", folder=tmp_path).notes)


def test_what_will_be_lacking_is_said_at_the_start(runs: RunStore, tmp_path: Path) -> None:
    notes = " ".join(started(runs, "calm", folder=tmp_path).notes)
    assert "slas.yaml" in notes
    assert "No environment is named" in notes
    assert "nothing is published" in notes


def test_a_workflow_may_be_started_again_and_not_with_other_runs(runs: RunStore, tmp_path: Path) -> None:
    started(runs, "calm", "storm", folder=tmp_path, workflow_id="both")
    started(runs, "calm", "storm", folder=tmp_path, workflow_id="both")
    with pytest.raises(Conflict, match="'both' already"):
        started(runs, "storm", folder=tmp_path, workflow_id="both")


def test_a_runs_own_id_stands_for_a_workflow_of_it(runs: RunStore) -> None:
    status = workflow_status(runs, "storm")
    assert [one.run_id for one in status.runs] == ["storm"]
    assert workflow_summary(runs, "storm").file == "workflows/storm.md"
    assert not (runs.root / "workflows/storm.json").exists()


def test_an_unknown_workflow_names_similar_ones(runs: RunStore) -> None:
    with pytest.raises(NotFound, match="Similar: 'storm'"):
        workflow_status(runs, "strom")
    assert not (runs.root / "workflows").exists()


def test_stale_steps_are_told_with_their_reason(runs: RunStore) -> None:
    path = runs.open("calm").root / "datadog/host_metrics_web-1.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("web-1", "web-2"), encoding="utf-8")
    [run] = workflow_status(runs, "calm").runs
    assert run.stages["perfanalysis"] == "stale"
    assert any("environment_metrics is stale" in one and "host_metrics_web-1.csv" in one for one in run.problems)


def test_publishing_that_failed_holds_no_other_run_up(runs: RunStore, tmp_path: Path) -> None:
    started(runs, "calm", "storm", folder=tmp_path, workflow_id="both")
    run = runs.open("calm")
    reported(runs, "calm", formats=("md",))
    with Ledger(run).step("perfreport", "list_chart_types", tool="list_chart_types"):
        pass
    with Ledger(run).step("datadog", "load_environment", tool="load_environment"):
        pass
    with Ledger(run).step("datadog", "logs", tool="get_logs") as made:
        with run.staged(layout.LOGS, type="service", env="shop") as staged:
            staged.write_text("timestamp_utc\n", encoding="utf-8")
        made.produced(run.path(layout.LOGS, type="service", env="shop"))
    assert workflow_status(runs, "calm").complete
    assert workflow_summary(runs, "calm").outcome == "Success"
    with pytest.raises(Conflict), Ledger(run).step("confluence", "publish", tool="publish_report"):
        raise Conflict("The title is taken.", next_step="Choose another.")
    status = workflow_status(runs, "both")
    assert "for run 'storm'" in status.next_step
    assert not status.runs[0].complete
    [calm] = workflow_summary(runs, "calm").runs
    assert calm.outcome == "Partial Success"
    assert "Publish is failed" in calm.reason


def test_a_run_that_failed_holds_no_other_up(runs: RunStore, tmp_path: Path) -> None:
    started(runs, "first", "second", folder=tmp_path, workflow_id="both")
    with pytest.raises(NotFound), Ledger(runs.open("first")).step("blazemeter", "download", tool="process"):
        raise NotFound("The archive is gone.", next_step="Take another run.")
    status = workflow_status(runs, "both")
    assert "for run 'second'" in status.next_step
    assert "The archive is gone." in status.runs[0].problems[0]
    assert "for run 'first'" in workflow_status(runs, "first").next_step
    [first, second] = workflow_summary(runs, "both").runs
    assert first.reason.startswith("Results from BlazeMeter, Download is failed.")
    assert "The archive is gone." in first.reason
    assert "`analyze_test_results`" in second.reason


def test_a_new_run_is_not_sent_to_blazemeter_alone(runs: RunStore, tmp_path: Path) -> None:
    assert "`start_jmeter_test` or `perfsuite import` can bring them" in started(runs, "new", folder=tmp_path).next_step
    assert "can bring them" not in started(runs, "calm", folder=tmp_path).next_step
    assert "can bring them" not in started(runs, "other", folder=tmp_path, workspace="Shop").next_step


def test_a_run_without_numbers_has_failed(runs: RunStore, tmp_path: Path) -> None:
    started(runs, "calm", "new", folder=tmp_path, workflow_id="both")
    summary = workflow_summary(runs, "both")
    assert [one.outcome for one in summary.runs] == ["Partial Success", "Failed"]
    assert summary.outcome == "Partial Success"
    assert "`analyze_test_results`" in summary.runs[1].reason
    assert "| new | \N{EN DASH} |" in summary.markdown


def test_a_run_that_is_gone_does_not_stop_the_others(runs: RunStore, tmp_path: Path) -> None:
    import shutil

    started(runs, "calm", "new", folder=tmp_path, workflow_id="both")
    shutil.rmtree(runs.root / "new")
    assert "does not exist" in workflow_status(runs, "both").runs[1].problems[0]
    assert workflow_summary(runs, "both").runs[1].outcome == "Failed"


def test_the_numbers_of_a_summary_are_those_of_the_analyses(runs: RunStore) -> None:
    analysis = runs.open("calm").load(layout.PERFORMANCE_ANALYSIS)
    assert analysis.overall is not None
    assert analysis.overall.steady is not None
    assert analysis.peak is not None
    summary = workflow_summary(runs, "calm")
    found = summary.runs[0].metrics
    assert found is not None
    assert found.window == "steady state"
    assert (found.samples, found.mean_ms) == (analysis.overall.steady.samples, analysis.overall.steady.mean_ms)
    assert found.peak_per_s == analysis.peak.completed_per_s
    infrastructure = runs.open("calm").load(layout.INFRASTRUCTURE_ANALYSIS)
    [cpu] = [one for one in infrastructure.resources[0].metrics if one.metric == "cpu_util_pct"]
    assert (
        f"| calm | web-1 | CPU, % of the host | {cpu.whole.average:.2f} | {cpu.whole.maximum:.2f} |" in summary.markdown
    )
    assert "analysis/performance_analysis.json" in summary.markdown


def test_no_difference_is_claimed_without_a_test(runs: RunStore, tmp_path: Path) -> None:
    started(runs, "calm", "storm", folder=tmp_path, workflow_id="both")
    text = workflow_summary(runs, "both").markdown
    assert "Not tested against the others: calm, storm." in text
    assert "`compare_test_runs`" in text
    pair = PairComparison(
        baseline="calm", candidate="storm", verdict="within_noise", reason="All changes are small.",
        confidence="single-run",
    )  # type: ignore[arg-type]  # fmt: skip
    comparison = Comparison(
        comparison_id="calm-storm", status="complete", baseline="calm", run_ids=("storm",), percentile_method="linear",
        pairs=(pair,),
    )  # type: ignore[arg-type]  # fmt: skip
    save_comparison(runs, comparison)
    text = workflow_summary(runs, "both").markdown
    assert "storm against calm: **[WITHIN NOISE]** All changes are small." in text
    assert "Not tested against" not in text


def test_an_extra_chart_that_is_out_of_date_is_a_note_and_holds_nothing_up(runs: RunStore, tmp_path: Path) -> None:
    config = load_charts((tmp_path,))
    create_charts(runs, "calm", "SLA_MARGINS", None, config)
    changed(runs.open("calm"), layout.PERFORMANCE_ANALYSIS, lambda content: content.update(extra=1))
    [before] = workflow_status(runs, "calm").runs
    assert any("chart_id='P90_USERS'" in one for one in before.problems)
    create_charts(runs, "calm", "default", None, config)
    [after] = workflow_status(runs, "calm").runs
    assert not any("p90_chart" in one for one in after.problems)
    assert any("`create_chart` with chart_id='SLA_MARGINS'" in one for one in after.notes)
    assert "P90 chart is stale" not in workflow_summary(runs, "calm").markdown
    create_charts(runs, "calm", "SLA_MARGINS", None, config)
    assert workflow_status(runs, "calm").runs[0].notes == []


def test_the_summary_names_the_page_and_tells_both_directions_as_one(runs: RunStore, tmp_path: Path) -> None:
    place = runs.open("calm").root / "confluence/publish.json"
    place.parent.mkdir()
    place.write_text('{"state": "published", "url": "https://wiki.example/x/1"}', encoding="utf-8")
    started(runs, "calm", "storm", folder=tmp_path, workflow_id="both")
    for one, other in (("calm", "storm"), ("storm", "calm")):
        pair = PairComparison(
            baseline=one, candidate=other, verdict="within_noise", reason="Small.", confidence="single-run"
        )  # type: ignore[arg-type]
        comparison = Comparison(
            comparison_id=f"{one}-{other}", status="complete", baseline=one, run_ids=(other,),
            percentile_method="linear", pairs=(pair,),
        )  # type: ignore[arg-type]  # fmt: skip
        save_comparison(runs, comparison)
    summary = workflow_summary(runs, "both")
    assert summary.runs[0].page_url == "https://wiki.example/x/1"
    assert "calm: `https://wiki.example/x/1`" in summary.markdown
    assert "Compared in both directions: calm and storm." in summary.markdown
