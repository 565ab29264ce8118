"""What the analysis of samples says: numbers, errors, the course of the run, and how good the data are."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jtl
from perfsuite.artifacts import layout
from perfsuite.artifacts.analyses import PerformanceAnalysis
from perfsuite.workflow.importing import ImportRequest, import_results
from perfsuite.workflow.ledger import Ledger

from . import synthetic
from .analysing import HEALTH_HEADER, again, analysed, imported_rows, kinds, label, runs_in, whole
from .conftest import START_MS, jtl_row


def quality(found: PerformanceAnalysis) -> dict[str, str]:
    return {one.kind: one.text for one in found.quality}


def test_percentiles_are_those_of_numpy(tmp_path: Path) -> None:
    scenario = synthetic.steady()
    found = whole(analysed(tmp_path, scenario))
    for percentile in (50, 90, 95, 99):
        assert found.percentiles_ms[f"p{percentile}_ms"] == pytest.approx(
            np.percentile(scenario.samples["elapsed"], percentile)
        )
    assert found.mean_ms == pytest.approx(scenario.samples["elapsed"].mean())


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    analysed(tmp_path, synthetic.error_storm())
    path = runs_in(tmp_path).open("run-1").path(layout.PERFORMANCE_ANALYSIS)
    first = path.read_bytes()
    again(tmp_path)
    assert path.read_bytes() == first
    assert b"NaN" not in first


def test_the_file_is_what_the_model_says_and_the_ledger_knows_it(tmp_path: Path) -> None:
    found = analysed(tmp_path, synthetic.steady())
    run = runs_in(tmp_path).open("run-1")
    assert run.load(layout.PERFORMANCE_ANALYSIS) == found
    assert Ledger(run).files(layout.PERFORMANCE_ANALYSIS) == [run.path(layout.PERFORMANCE_ANALYSIS)]
    assert [one.path for one in found.inputs] == ["samples.parquet"]
    assert found.percentile_method == "linear"
    assert all(one.name and one.parameters for one in found.methods)


def test_percentiles_without_enough_samples_are_withheld(tmp_path: Path) -> None:
    found = analysed(tmp_path, [jtl_row(i, 100 + i, "GET /") for i in range(150)])
    numbers = whole(found)
    assert numbers.percentiles_ms["p90_ms"] is not None
    assert numbers.percentiles_ms["p99_ms"] is None
    assert numbers.withheld == ("p95_ms", "p99_ms")
    assert "few_samples" in quality(found)


def test_errors_are_grouped_by_cause_with_first_and_last_seen_and_the_labels_hit(tmp_path: Path) -> None:
    rows = [jtl_row(i, 10, "GET /a" if i % 2 else "GET /b", responseMessage=f"No route to 10.0.0.{i}", success=False)
            for i in range(10, 20)]  # fmt: skip
    found = analysed(tmp_path, [*(jtl_row(i, 10, "GET /a") for i in range(10)), *rows])
    [cause] = found.errors
    assert (cause.message, cause.count, cause.labels) == ("No route to <ip>", 10, {"GET /a": 5, "GET /b": 5})
    assert cause.first_seen == datetime.fromtimestamp(START_MS / 1000 + 10, UTC)
    assert cause.last_seen == cause.first_seen + timedelta(seconds=9)
    assert cause.id in [one.id for one in found.findings]


def test_ids_of_findings_stay_when_the_run_changes_a_little(tmp_path: Path) -> None:
    first = analysed(tmp_path, synthetic.error_storm(1), run_id="a")
    second = analysed(tmp_path, synthetic.error_storm(2), run_id="b")
    assert [one.id for one in first.errors] == [one.id for one in second.errors]


def test_quick_failures_do_not_make_a_run_look_fast(tmp_path: Path) -> None:
    rows = [jtl_row(i, 5 if i % 3 else 900, "GET /", success=not i % 3) for i in range(600)]
    found = analysed(tmp_path, rows)
    numbers = whole(found)
    assert numbers.percentiles_ms["p50_ms"] == 5
    assert numbers.success_percentiles_ms["p50_ms"] == pytest.approx(900, rel=0.005)
    assert "quick_failures" in kinds(found)


def test_the_peak_is_that_of_ten_seconds_and_not_the_average(tmp_path: Path) -> None:
    rows = [jtl_row(i, 10, "GET /") for i in range(100)] + [jtl_row(40 + i / 20, 10, "GET /") for i in range(190)]
    found = analysed(tmp_path, sorted(rows, key=lambda row: int(row["timeStamp"])))
    assert found.peak is not None
    assert (found.peak.completed_per_s, found.peak.from_s, found.peak.width_s) == (pytest.approx(20, abs=0.2), 40, 10)


def test_over_time_everything_is_counted_once(tmp_path: Path) -> None:
    scenario = synthetic.error_storm()
    found = analysed(tmp_path, scenario)
    assert found.over_time is not None
    buckets, labels = found.over_time.buckets, found.over_time.labels
    assert sum(one.completed for one in buckets) == len(scenario.samples)
    assert sum(sum(one.completed) for one in labels) == len(scenario.samples)
    assert sum(sum(one.errors) for one in labels) == whole(found).errors
    assert len(buckets) <= 121


def test_a_distribution_holds_every_sample(tmp_path: Path) -> None:
    found = analysed(tmp_path, synthetic.steady())
    for one in (found.overall, *found.labels):
        assert one is not None
        assert sum(part.samples for part in one.distribution) == one.whole.samples
        assert all(first.to_ms == second.from_ms or first.to_ms < second.from_ms
                   for first, second in zip(one.distribution, one.distribution[1:], strict=False))  # fmt: skip


def test_apdex_of_few_samples_is_called_a_small_group(tmp_path: Path) -> None:
    found = analysed(tmp_path, [jtl_row(i, 100, "GET /") for i in range(50)])
    assert whole(found).apdex_rating == "excellent (small group)"


def test_transactions_are_listed_and_left_out_of_the_total(tmp_path: Path) -> None:
    message = "Number of samples in transaction : 1, number of failing samples : 0"
    rows = [jtl_row(i, 100, "GET /") for i in range(30)]
    rows += [jtl_row(i, 300, "Buy", responseMessage=message) for i in range(30)]
    found = analysed(tmp_path, rows)
    assert whole(found).samples == 30
    assert label(found, "Buy").kind == "transaction"


def test_a_run_of_transactions_alone_is_counted_by_them(tmp_path: Path) -> None:
    message = "Number of samples in transaction : 1, number of failing samples : 0"
    found = analysed(tmp_path, [jtl_row(i, 300, "Buy", responseMessage=message) for i in range(30)])
    assert whole(found).samples == 30
    assert "only_transactions" in kinds(found)


def test_a_gap_is_said_with_its_moment(tmp_path: Path) -> None:
    found = analysed(tmp_path, synthetic.with_gap())
    [gap] = [one for one in found.quality if one.kind == "gap"]
    assert gap.details["from_s"] == pytest.approx(400, abs=2)
    assert gap.details["to_s"] == pytest.approx(460, abs=2)


@pytest.mark.parametrize("name", ["steady", "step", "two_engines", "error_storm"])
def test_a_run_without_gaps_has_none(tmp_path: Path, name: str) -> None:
    assert quality(analysed(tmp_path, synthetic.SCENARIOS[name]())).keys() & {"gap", "clock"} == set()


def test_rows_that_could_not_be_read_are_said(tmp_path: Path) -> None:
    rows = [jtl_row(i, 100, "GET /") for i in range(90)] + [{**jtl_row(95, 100, "GET /"), "elapsed": "soon"}] * 10
    assert "10 rows (10.00%)" in quality(analysed(tmp_path, rows))["rejected_rows"]


def test_an_engine_whose_clock_is_ahead_is_said(tmp_path: Path) -> None:
    rows = [{**jtl_row(i, 100, "GET /"), "threadName": "10.0.0.1:1099-Users 1-1"} for i in range(300)]
    rows += [{**jtl_row(i + 3600, 100, "GET /"), "threadName": "10.0.0.2:1099-Users 1-1"} for i in range(300)]
    assert "3600 s after" in quality(analysed(tmp_path, rows))["clock"]


def test_a_clock_that_was_set_back_is_said(tmp_path: Path) -> None:
    rows = [jtl_row(i / 5 - (7200 if i > 2500 else 0), 100, "GET /") for i in range(5000)]
    assert "Times go back by" in quality(analysed(tmp_path, rows))["clock"]


def test_a_saturated_generator_comes_first(tmp_path: Path) -> None:
    write_health(imported_rows(tmp_path, [jtl_row(i, 100, "GET /") for i in range(600)]), [95.0] * 30)
    found = again(tmp_path)
    assert found.generator is not None
    assert found.generator.verdict == "saturated"
    assert found.findings[0].kind == "generator_saturated"
    assert "jmeter/generator_health.csv" in [one.path for one in found.inputs]


def test_a_hiccup_of_the_generator_is_none(tmp_path: Path) -> None:
    run = imported_rows(tmp_path, [jtl_row(i, 100, "GET /") for i in range(600)])
    write_health(run, [95.0, 95.0, 20.0] * 10)
    found = again(tmp_path).generator
    assert found is not None
    assert found.verdict == "healthy"
    assert found.worst["machine_cpu_pct"] == 95


@pytest.mark.parametrize("content", ["", "nonsense\n\0\n", HEALTH_HEADER + "yesterday,1,2,3\n,,,\n" + "x" * 10_000])
def test_readings_of_the_generator_that_make_no_sense_are_unknown(tmp_path: Path, content: str) -> None:
    run = imported_rows(tmp_path, [jtl_row(i, 100, "GET /") for i in range(60)])
    (run.root / "jmeter").mkdir()
    run.path(layout.JMETER_HEALTH).write_text(content)
    found = again(tmp_path).generator
    assert found is not None
    assert found.verdict == "unknown"


@pytest.mark.parametrize(
    ("java", "machine", "collecting", "said", "advised"),
    [
        (1.2, 97, 0, "JMeter took 1.2 % of them (median): something else used", "what else ran"),
        (85, 97, 1, "JMeter took 85 % of them (median): response times hold its own", "second generator"),
        (20, 30, 25, "Garbage collections took 10 % of the time or more in 20 of 20", "larger heap"),
        ("", 97, "", "Its processors were at 80 % or more in 20 of 20", "second generator"),
    ],
)
def test_a_saturated_generator_says_of_what_it_was_short_and_who_took_it(
    tmp_path: Path, java: object, machine: object, collecting: object, said: str, advised: str
) -> None:
    run = imported_rows(tmp_path, [jtl_row(i, 100, "GET /") for i in range(600)])
    write_readings(run, [f"{java},{machine},500,10,1,{collecting},200"] * 20)
    found = again(tmp_path)
    assert found.generator is not None
    assert said in found.generator.reason
    assert advised in found.generator.advice
    assert found.findings[0].evidence["typical_machine_cpu_pct"] == machine


def test_the_worst_reading_of_the_generator_is_one_reading(tmp_path: Path) -> None:
    run = imported_rows(tmp_path, [jtl_row(i, 100, "GET /") for i in range(600)])
    write_readings(run, ["70,71,500,10,1,0.5,200", "10,96,600,10,1,0.1,100", "5,20,900,90,9,0.2,300"])
    found = again(tmp_path).generator
    assert found is not None
    assert (found.worst_at_s, found.worst["machine_cpu_pct"], found.worst["rss_mb"]) == (20, 96, 600)
    assert "but for 1 of 3 readings" in found.reason


def write_health(run: Any, busy: list[float]) -> None:
    write_readings(run, [f"10,{cpu},500,10,1,0.5,200" for cpu in busy])


def write_readings(run: Any, readings: list[str]) -> None:
    (run.root / "jmeter").mkdir()
    start = datetime.fromtimestamp(START_MS / 1000, UTC)
    lines = [
        f"{(start + timedelta(seconds=20 * i)).isoformat().replace('+00:00', 'Z')},{one}\n"
        for i, one in enumerate(readings)
    ]
    run.path(layout.JMETER_HEALTH).write_text(HEALTH_HEADER + "".join(lines))


def test_rare_labels_are_folded_and_said(tmp_path: Path) -> None:
    rows = [jtl_row(i / 10, 100, f"GET /order/{i}") for i in range(1500)] + [jtl_row(i, 50, "GET /") for i in range(90)]
    found = analysed(tmp_path, rows)
    assert len(found.labels) == 501
    assert found.labels_folded == 1001
    assert label(found, "GET /").whole.samples == 90
    assert label(found, "(other labels)").whole.samples == 1001
    assert whole(found).samples == 1590
    assert "labels_folded" in quality(found)


def test_labels_are_shown_on_one_line(tmp_path: Path) -> None:
    found = analysed(tmp_path, [jtl_row(i, 100, "GET\n/cart\x07|<b>" + "x" * 999) for i in range(40)])
    [one] = found.labels
    assert "\n" not in one.label
    assert "\x07" not in one.label
    assert len(one.label) <= 300


def test_one_sample_is_analysed(tmp_path: Path) -> None:
    found = analysed(tmp_path, [jtl_row(0, 100, "GET /")])
    assert whole(found).samples == 1
    assert whole(found).percentiles_ms == dict.fromkeys(("p50_ms", "p90_ms", "p95_ms", "p99_ms"))
    assert found.status == "partial"


def test_a_run_in_which_everything_failed_is_analysed(tmp_path: Path) -> None:
    found = analysed(tmp_path, [jtl_row(i, 100, "GET /", success=False) for i in range(400)])
    assert whole(found).error_rate == 1
    assert whole(found).success_percentiles_ms == {"p50_ms": None, "p95_ms": None}
    assert found.findings[0].severity == "critical"


def test_samples_that_took_no_time_are_analysed(tmp_path: Path) -> None:
    found = analysed(tmp_path, [jtl_row(0, 0, "GET /") for _ in range(50)])
    assert whole(found).mean_ms == 0
    assert whole(found).throughput_per_s is None


def test_runs_years_apart_in_one_file_are_analysed(tmp_path: Path) -> None:
    rows = [jtl_row(i, 100, "GET /") for i in range(100)] + [jtl_row(3e8 + i, 100, "GET /") for i in range(100)]
    found = analysed(tmp_path, rows)
    assert whole(found).samples == 200
    assert "gap" in quality(found)


def test_a_file_without_users_and_codes_says_so(tmp_path: Path) -> None:
    rows = [jtl_row(i, 100, "GET /") for i in range(400)]
    file = jtl.put(tmp_path, jtl.text(rows, ("timeStamp", "elapsed", "label", "success")))
    import_results(runs_in(tmp_path), "run-1", ImportRequest((file,)))
    found = again(tmp_path)
    assert "all_threads, bytes, response_code, thread" in quality(found)["absent_columns"]
    assert found.phases is not None
    assert found.phases.has_steady_state


def test_the_json_holds_no_number_that_json_does_not_have(tmp_path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    analysed(tmp_path, [jtl_row(i, 100, "GET /") for i in range(3)])
    text = runs_in(tmp_path).open("run-1").path(layout.PERFORMANCE_ANALYSIS).read_text()
    json.loads(text, parse_constant=refuse)
