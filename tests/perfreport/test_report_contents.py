"""What a report says, and that each of its numbers stands in the file that it names."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from perfanalysis.analysing import slas_of
from perfsuite.artifacts import RunStore, layout
from perfsuite.artifacts.analyses import PerformanceAnalysis
from perfsuite.artifacts.schemas import RunRecord
from perfsuite.errors import BadFile, NotReady
from perfsuite_perfanalysis.service.results import analyze_test_results
from perfsuite_perfreport.core.reporting.rules import RULES
from perfsuite_perfreport.models.report import Report, Table

from .reported import SLAS, changed, reported, text_of

SECTIONS = [
    "Scope and data quality", "SLA", "Findings", "Bottlenecks", "Transactions", "Charts", "Errors and logs",
    "Infrastructure", "Correlation and capacity", "Recommendations", "Methods and sources",
]  # fmt: skip


def table(report: Report, table_id: str) -> Table:
    [found] = [one for one in report.tables if one.id == table_id]
    return found


def resolved(runs: RunStore, run_id: str, source: str) -> Any:
    """What stands where a source says."""
    file, _, place = source.partition(": ")
    found = json.loads((runs.open(run_id).root / file).read_text(encoding="utf-8"))
    for key in place.split(".") if place else []:
        found = found[key] if isinstance(found, dict) else found[0][key]
    return found


def test_the_sections_stand_in_the_order_of_a_report(runs: RunStore) -> None:
    for run_id in ("calm", "storm", "bare"):
        reported(runs, run_id, formats=("md",))
        assert re.findall(r"^## (.+)$", text_of(runs, run_id), re.MULTILINE) == SECTIONS


def test_a_run_that_keeps_its_limits_passes(runs: RunStore) -> None:
    report = reported(runs, "calm", formats=("md",))
    assert report.verdict == "PASS"
    assert text_of(runs, "calm").partition("<!-- end: verdict -->")[0].count("**[PASS]**") == 1
    assert not report.advice


def test_a_broken_limit_fails_and_stands_first_in_the_table(runs: RunStore) -> None:
    report = reported(runs, "storm", formats=("md",))
    assert report.verdict == "FAIL"
    rows = table(report, "sla").rows
    assert rows[0][0] == "FAIL"
    assert rows[-1][0] == "PASS"
    analysis = runs.open("storm").load(layout.PERFORMANCE_ANALYSIS)
    assert analysis.sla is not None
    worst = next(one for one in analysis.sla.checks if one.verdict == "fail" and one.subject == rows[0][1])
    assert rows[0][3:8] == (worst.limit, worst.actual, worst.low, worst.high, worst.margin)


@pytest.mark.parametrize("run_id", ["calm", "storm", "bare"])
def test_every_number_of_the_verdict_stands_where_its_source_says(runs: RunStore, run_id: str) -> None:
    report = reported(runs, run_id, formats=("md",))
    assert {fact.name for fact in report.key_numbers} >= {
        "Samples",
        "Success",
        "Average",
        "P90",
        "P95",
        "Peak throughput",
    }
    for fact in report.key_numbers:
        value = resolved(runs, run_id, fact.source)
        if fact.name == "Samples":
            assert fact.value == f"{value:,}"
        if fact.name in ("Average", "P90", "P95"):
            assert fact.value == f"{value:,.0f} ms"
        if fact.name == "Errors":
            assert fact.value == f"{value * 100:.2f} %"


@pytest.mark.parametrize("run_id", ["calm", "storm", "bare"])
def test_every_source_that_is_named_exists(runs: RunStore, run_id: str) -> None:
    report = reported(runs, run_id, formats=("md",))
    facts = [*report.key_numbers, *report.scope]
    for source in [one.source for one in facts] + [one.source for one in report.tables if one.rows]:
        resolved(runs, run_id, source)
    for one in (*report.findings, *report.bottlenecks):
        assert (runs.open(run_id).root / one.source.partition(": ")[0]).is_file()


def test_a_table_of_transactions_holds_the_numbers_of_the_analysis(runs: RunStore) -> None:
    report = reported(runs, "storm", formats=("md",))
    analysis: PerformanceAnalysis = runs.open("storm").load(layout.PERFORMANCE_ANALYSIS)
    found = {row[0]: row for row in table(report, "transactions").rows}
    assert set(found) == {"ALL", *(one.label for one in analysis.labels)}
    for one in analysis.labels:
        numbers = one.steady or one.whole
        assert found[one.label][2:5] == (numbers.samples, numbers.error_rate, numbers.mean_ms)


def test_a_run_with_nothing_but_samples_gets_a_report_that_says_what_is_missing(runs: RunStore) -> None:
    report = reported(runs, "bare")
    assert report.verdict == "INCONCLUSIVE"
    told = " ".join(f"{one.what} {one.why} {one.next_step}" for one in report.missing)
    for tool in ("analyze_environment_metrics", "correlate_test_results", "identify_bottlenecks", "analyze_logs"):
        assert f"`{tool}`" in told
    assert "slas.yaml" in told
    text = text_of(runs, "bare")
    assert "Bottlenecks were not looked for." in text
    assert "Nothing was correlated." in text
    assert "No limit was evaluated." in text


def test_nothing_is_recommended_without_a_finding(runs: RunStore) -> None:
    assert reported(runs, "bare", formats=("md",)).advice == ()
    assert "There is no finding, so there is no recommendation." in text_of(runs, "bare")


def test_every_recommendation_names_its_findings_and_how_to_check_it(runs: RunStore) -> None:
    report = reported(runs, "storm", formats=("md",))
    known = {one.id for one in (*report.findings, *report.bottlenecks)}
    assert report.advice
    for one in report.advice:
        assert set(one.finding_ids) <= known
        assert one.evidence
        assert one.what
        assert one.check


def test_each_class_of_findings_belongs_to_one_rule() -> None:
    kinds = [kind for rule in RULES for kind in rule.kinds]
    assert len(kinds) == len(set(kinds))


def test_a_bottleneck_stands_with_what_speaks_against_it(runs: RunStore) -> None:
    report = reported(runs, "storm", formats=("md",))
    text = text_of(runs, "storm")
    [onset] = [one for one in report.bottlenecks if one.kind == "error onset"]
    assert onset.confidence == "high"
    assert "What speaks for it:" in text
    assert "What speaks against it:" in text or "Nothing that speaks against it was found" in text


def test_a_correlation_that_was_not_found_is_not_denied_either(runs: RunStore) -> None:
    reported(runs, "calm", formats=("md",))
    text = text_of(runs, "calm")
    assert "That is not a proof that none does." in text
    assert "caused by" not in text


def test_a_generator_that_was_short_makes_the_verdict_inconclusive(runs: RunStore) -> None:
    run = runs.open("storm")
    health = {"verdict": "saturated", "reason": "It was at 97 %.", "readings": 9, "saturated_readings": 9}
    changed(run, layout.PERFORMANCE_ANALYSIS, lambda content: content.update(generator=health))
    report = reported(runs, "storm", formats=("md",))
    assert (report.verdict, report.confidence) == ("INCONCLUSIVE", "low")
    assert "It was at 97 %." in text_of(runs, "storm")


def test_an_analysis_that_is_out_of_date_lowers_the_confidence(runs: RunStore) -> None:
    path = runs.open("calm").root / "datadog/host_metrics_web-1.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("web-1", "web-2"), encoding="utf-8")
    report = reported(runs, "calm", formats=("md",))
    assert report.confidence == "low"
    assert any(one.is_stale and "analyze_environment_metrics" in one.next_step for one in report.missing)


def test_a_run_without_its_analysis_names_the_tool_to_call_first(runs: RunStore) -> None:
    (runs.open("bare").root / layout.PERFORMANCE_ANALYSIS.place).unlink()
    with pytest.raises(NotReady, match="`analyze_test_results`"):
        reported(runs, "bare")


def test_a_torn_analysis_of_the_samples_is_an_error(runs: RunStore) -> None:
    path = runs.open("bare").root / layout.PERFORMANCE_ANALYSIS.place
    path.write_text(path.read_text(encoding="utf-8")[:500], encoding="utf-8")
    with pytest.raises(BadFile, match="`analyze_test_results`"):
        reported(runs, "bare")


def test_another_torn_analysis_is_told_as_missing(runs: RunStore) -> None:
    path = runs.open("calm").root / layout.CORRELATION_ANALYSIS.place
    path.write_text("{", encoding="utf-8")
    report = reported(runs, "calm", formats=("md",))
    [told] = [one for one in report.missing if "response times" in one.what]
    assert "cannot be used" in told.why
    assert "`correlate_test_results`" in told.next_step


def test_an_analysis_of_another_run_is_refused(runs: RunStore) -> None:
    changed(runs.open("bare"), layout.PERFORMANCE_ANALYSIS, lambda content: content.update(run_id="storm"))
    with pytest.raises(BadFile, match="is about run 'storm'"):
        reported(runs, "bare")


def test_every_input_stands_in_the_appendix_with_its_hash(runs: RunStore) -> None:
    report = reported(runs, "calm", formats=("md",))
    text = text_of(runs, "calm")
    kinds = [one.path.partition("/")[0] for one in report.inputs]
    assert {kind: kinds.count(kind) for kind in kinds} == {"analysis": 5, "charts": 6, "datadog": 1}
    assert all(f"| `{one.path}` | `{one.sha256}` |" in text for one in report.inputs)
    assert f"perfsuite {report.perfsuite_version}" in text


@pytest.mark.parametrize("ending", ["md", "html", "docx"])
def test_the_same_files_give_the_same_bytes(runs: RunStore, ending: str) -> None:
    from .reported import report_file

    def made() -> list[bytes]:
        reported(runs, "calm")
        names = (report_file(runs, "calm", ending), runs.open("calm").root / "reports/report_metadata_calm.json")
        return [name.read_bytes() for name in names]

    assert made() == made()


def test_formats_that_are_not_asked_for_are_not_left_over(runs: RunStore) -> None:
    reported(runs, "bare")
    reported(runs, "bare", formats=("md",))
    left = sorted(path.name for path in (runs.open("bare").root / "reports").iterdir() if path.is_file())
    assert left == ["performance_report_bare.md", "report_metadata_bare.json"]


def test_one_page_is_enough_to_know_what_stands_out(runs: RunStore) -> None:
    report = reported(runs, "storm", formats=("md",))
    assert any("of the requests fail" in one.text for one in report.highlights)
    assert len({one.text for one in report.highlights}) == len(report.highlights) <= 4
    verdict = text_of(runs, "storm").partition("<!-- end: verdict -->")[0]
    assert all(one.source in verdict for one in report.highlights)
    assert reported(runs, "bare", formats=("md",)).highlights == ()


def test_charts_of_an_analysis_that_is_out_of_date_are_shown_and_that_is_said_once(runs: RunStore) -> None:
    def limits_changed(record: RunRecord) -> RunRecord:
        ledger = []
        for step in record.ledger:
            if step.tool == "analyze_test_results":
                older = tuple(one.model_copy(update={"size": 1, "mtime_ns": 1}) for one in step.inputs)
                step = step.model_copy(update={"inputs": older})
            ledger.append(step)
        return record.model_copy(update={"ledger": tuple(ledger)})

    runs.open("calm").update(limits_changed)
    report = reported(runs, "calm", formats=("md",))
    assert len(report.pictures) == 6
    assert [one.what for one in report.missing if "Chart" in one.what] == []
    [stale] = [one for one in report.missing if one.what == "Test results, as it is now"]
    assert "'slas.yaml'" in stale.why
    assert "/slas.yaml" not in stale.why
    assert report.confidence == "low"


def test_metrics_as_they_came_do_not_bury_those_that_are_rated(runs: RunStore) -> None:
    def with_raw(content: dict[str, Any]) -> None:
        for resource in content["resources"]:
            raw = {**resource["metrics"][0], "metric": "kubernetes.memory.usage", "unit": "byte", "headroom": None}
            raw["whole"] = {**raw["whole"], "above_threshold_s": None}
            resource["metrics"].append({**raw, "steady": None})

    before = table(reported(runs, "calm", formats=("md",)), "infrastructure")
    changed(runs.open("calm"), layout.INFRASTRUCTURE_ANALYSIS, with_raw)
    after = table(reported(runs, "calm", formats=("md",)), "infrastructure")
    assert after.rows == before.rows
    assert after.left_out == before.left_out + len({row[0] for row in before.rows})
    assert {row[1] for row in after.rows} >= {"cpu util, %", "mem util, %"}


def test_limits_that_came_after_the_analysis_are_not_denied(runs: RunStore, tmp_path: Path) -> None:
    analyze_test_results(runs, "calm", slas_of(tmp_path, None))
    assert "There is no slas.yaml" in " ".join(one.why for one in reported(runs, "calm", formats=("md",)).missing)
    (tmp_path / "slas.yaml").write_text(SLAS, encoding="utf-8")
    report = reported(runs, "calm", formats=("md",))
    [told] = [one for one in report.missing if one.what == "SLA verdicts"]
    assert told.why == "The analysis was made before slas.yaml was written"
    assert told.next_step == "Call `analyze_test_results` again."
    assert "There is no slas.yaml" not in text_of(runs, "calm")


def test_hosts_have_no_limit_and_tables_name_their_window(runs: RunStore) -> None:
    found = table(reported(runs, "calm", formats=("md",)), "infrastructure")
    assert found.title == "Hosts and containers (steady state)"
    assert {row[6] for row in found.rows if row[5] is not None} == {"whole host"}
