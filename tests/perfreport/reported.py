"""Runs to report on, and what tests read from a report."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from perfanalysis.analysing import again, imported_rows, runs_in, slas_of
from perfanalysis.conftest import jtl_row
from perfanalysis.synthetic import Scenario, error_storm, steady, write_run
from perfsuite.artifacts import JsonArtifact, RunFolder, RunStore
from perfsuite.artifacts.schemas import Document
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfanalysis.service.bottlenecks import identify_bottlenecks
from perfsuite_perfanalysis.service.correlating import correlate_test_results
from perfsuite_perfanalysis.service.environment import analyze_environment_metrics
from perfsuite_perfanalysis.service.logs import analyze_logs
from perfsuite_perfanalysis.service.results import analyze_test_results
from perfsuite_perfreport.models.report import REPORT, Report
from perfsuite_perfreport.service.charts import create_charts, load_charts
from perfsuite_perfreport.service.reporting import Asked, create_report

SLAS = """version: "1"
default_sla: {response_time_sla_ms: 400, percentile: P95, error_rate_threshold: 1}
"""
D = TypeVar("D", bound=Document)


def make_runs(folder: Path) -> Path:
    """`calm` keeps its limits, `storm` breaks them, and `bare` has neither limits nor metrics nor other analyses."""
    _analysed(folder, steady(seconds=720, ramp_s=60), "calm", scenario="shop checkout", type="load", version="4.2.0")
    _analysed(folder, error_storm(seconds=500, at_s=300), "storm")
    write_run(runs_in(folder), replace(steady(3, seconds=400), metrics={}), "bare")
    analyze_test_results(runs_in(folder), "bare", slas_of(folder / "nowhere", None), None)
    for run_id in ("calm", "storm", "bare"):
        create_charts(runs_in(folder), run_id, "default", None, load_charts((folder,)))
    return folder / "artifacts"


def _analysed(folder: Path, what: Scenario, run_id: str, **facts: Any) -> None:
    runs = runs_in(folder)
    write_run(runs, what, run_id, **facts)
    analyze_test_results(runs, run_id, slas_of(folder, SLAS), None)
    analyze_environment_metrics(runs, run_id)
    correlate_test_results(runs, run_id)
    identify_bottlenecks(runs, run_id)
    analyze_logs(runs, run_id, None)


def run_of_labels(folder: Path, labels: list[str], run_id: str = "labels") -> RunStore:
    """A run with these labels, of which each fails a few times with its own name as message."""
    rows = [
        jtl_row(number * 2, 100 + number, label, success=number % 10 > 0, responseMessage=label[:200])
        for number in range(60)
        for label in labels
    ]
    imported_rows(folder, rows, run_id)
    again(folder, run_id, SLAS)
    return runs_in(folder)


def changed(run: RunFolder, artifact: JsonArtifact[D], change: Callable[[dict[str, Any]], object]) -> None:
    """Put something else into a file of the run."""
    path = run.path(artifact)
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def reported(runs: RunStore, run_id: str, **asked: Any) -> Report:
    """The report of a run as data."""
    create_report(runs, run_id, Asked(**asked))
    return runs.open(run_id).load(REPORT)


def text_of(runs: RunStore, run_id: str, ending: str = "md") -> str:
    """A report as it lies in the run folder."""
    return report_file(runs, run_id, ending).read_text(encoding="utf-8")


def report_file(runs: RunStore, run_id: str, ending: str = "md") -> Path:
    return runs.open(run_id).root / f"reports/performance_report_{run_id}.{ending}"


def with_chart(run: RunFolder, chart_id: str, content: bytes) -> None:
    """Leave a chart, as `create_chart` does."""
    from perfsuite.artifacts import layout

    with Ledger(run).step("perfreport", "p90_chart", tool="create_chart", part=chart_id) as step:
        with run.staged(layout.CHART, chart_id=chart_id) as staged:
            staged.write_bytes(content)
        step.produced(run.path(layout.CHART, chart_id=chart_id))
