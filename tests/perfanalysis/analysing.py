"""Runs analysed for tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.artifacts.analyses import LabelNumbers, Numbers, PerformanceAnalysis, SlaCheck
from perfsuite.artifacts.comparisons import Compared, PairComparison
from perfsuite.configuration import Loaded, load_configuration
from perfsuite.workflow.importing import ImportRequest, import_results
from perfsuite_perfanalysis.models.slas import FILE, SlaFile
from perfsuite_perfanalysis.service.comparing import Asked, compare_test_runs
from perfsuite_perfanalysis.service.results import analyze_test_results

from .conftest import write_jtl
from .synthetic import Scenario, write_run

HEALTH_HEADER = "timestamp_utc,java_cpu_pct,machine_cpu_pct,rss_mb,threads,load1,gc_pct,heap_used_mb\n"


def runs_in(folder: Path) -> RunStore:
    return RunStore(folder / "artifacts")


def slas_of(folder: Path, text: str | None) -> Loaded[SlaFile]:
    """What slas.yaml says, where there is one."""
    if text is not None:
        (folder / FILE).write_text(text, encoding="utf-8")
    return load_configuration(SlaFile, FILE, (folder,))


def imported_rows(folder: Path, rows: Sequence[dict[str, Any]], run_id: str = "run-1") -> RunFolder:
    """A run with these rows, whose keys are those of JMeter."""
    runs = runs_in(folder)
    import_results(runs, run_id, ImportRequest((write_jtl(folder / f"{run_id}.csv", list(rows)),)))
    return runs.open(run_id)


def analysed(
    folder: Path,
    what: Scenario | Sequence[dict[str, Any]],
    *,
    run_id: str = "run-1",
    slas: str | None = None,
    profile: str | None = None,
) -> PerformanceAnalysis:
    """The analysis of a scenario, or of rows."""
    if isinstance(what, Scenario):
        write_run(runs_in(folder), what, run_id)
    else:
        imported_rows(folder, what, run_id)
    return analyze_test_results(runs_in(folder), run_id, slas_of(folder, slas), profile)


def again(folder: Path, run_id: str = "run-1", slas: str | None = None) -> PerformanceAnalysis:
    """The analysis of a run that is there."""
    return analyze_test_results(runs_in(folder), run_id, slas_of(folder, slas))


def whole(found: PerformanceAnalysis) -> Numbers:
    assert found.overall is not None
    return found.overall.whole


def label(found: PerformanceAnalysis, name: str) -> LabelNumbers:
    [one] = [one for one in found.labels if one.label == name]
    return one


def kinds(found: PerformanceAnalysis) -> set[str]:
    """Of the findings."""
    return {one.kind for one in found.findings}


def check(found: PerformanceAnalysis, subject: str, metric: str) -> SlaCheck:
    assert found.sla is not None
    [one] = [one for one in found.sla.checks if (one.subject, one.metric) == (subject, metric)]
    return one


def compared(folder: Path, baseline: str, candidate: str, **more: Any) -> PairComparison:
    """Two runs that are there."""
    found = compare_test_runs(runs_in(folder), Asked((baseline, candidate), baseline, **more))
    [pair] = found.pairs
    return pair


def change(pair: PairComparison, label: str, metric: str) -> Compared:
    [one] = [one for one in pair.changes if (one.label, one.metric) == (label, metric)]
    return one
