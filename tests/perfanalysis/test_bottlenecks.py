"""identify_bottlenecks: what is named in runs whose bottleneck is known, and what must not be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perfsuite.artifacts import layout
from perfsuite.artifacts.bottlenecks import Bottleneck, BottleneckAnalysis
from perfsuite_perfanalysis.service.bottlenecks import identify_bottlenecks
from perfsuite_perfanalysis.service.cause_digests import bottleneck_digest
from perfsuite_perfanalysis.service.correlating import correlate_test_results

from .analysing import imported_rows, runs_in
from .bottleneck_runs import RUNS, write_health, written
from .conftest import jtl_row
from .synthetic import Scenario, cause_and_follower, one_saturated_host, saturation, steady, unsaturated, write_run


def looked_at(folder: Path, what: str | Scenario, seed: int = 1) -> BottleneckAnalysis:
    if isinstance(what, str):
        written(runs_in(folder), what, seed, "run-1")
    else:
        write_run(runs_in(folder), what, "run-1")
    return identify_bottlenecks(runs_in(folder), "run-1")


def verdicts(found: BottleneckAnalysis) -> dict[str, str]:
    return {one.kind: one.verdict for one in found.classes}


def of_kind(found: BottleneckAnalysis, kind: str) -> Bottleneck:
    [one] = [one for one in found.bottlenecks if one.kind == kind]
    return one


@pytest.mark.parametrize("name", RUNS)
def test_what_is_known_comes_first(tmp_path: Path, name: str) -> None:
    _, wanted = RUNS[name]
    found = looked_at(tmp_path, name, seed=3).bottlenecks
    assert (found[0].kind if found else "none") == wanted


def test_a_saturated_host_is_named_with_evidence_onset_and_next_check(tmp_path: Path) -> None:
    scenario = saturation()
    found = looked_at(tmp_path, scenario)
    cpu, plateau = of_kind(found, "cpu"), of_kind(found, "throughput_plateau")
    assert (cpu.subject, cpu.confidence) == (scenario.truth.saturated_host, "high")
    assert {one.source for one in cpu.evidence} == {
        "analysis/infrastructure_analysis.json",
        "samples.parquet",
        "analysis/correlation_analysis.json",
    }
    assert cpu.counter_evidence
    assert cpu.onset is not None
    assert cpu.onset.users == pytest.approx(22, abs=5)
    assert cpu.next_check
    assert plateau.evidence[0].numbers["users"] == pytest.approx(scenario.truth.saturates_at_users, rel=0.2)


def test_below_saturation_nothing_is_named(tmp_path: Path) -> None:
    assert looked_at(tmp_path, unsaturated()).bottlenecks == ()


def test_one_saturated_host_of_ten_is_not_hidden_by_the_others(tmp_path: Path) -> None:
    scenario = one_saturated_host()
    found = looked_at(tmp_path, scenario)
    assert [one.subject for one in found.bottlenecks if one.kind == "cpu"] == [scenario.truth.saturated_host]


def test_a_class_whose_metrics_are_absent_is_not_evaluable(tmp_path: Path) -> None:
    scenario = steady(seconds=600)
    found = looked_at(tmp_path, Scenario(scenario.samples, 600, scenario.truth))
    told = verdicts(found)
    assert {kind for kind, verdict in told.items() if verdict == "not_evaluable"} == {
        "load_generator", "cpu", "memory", "pool", "throughput_plateau", "queueing",
    }  # fmt: skip
    assert found.status == "partial"
    assert "get_host_metrics" in found.reasons[0]


def test_the_load_generator_comes_before_all(tmp_path: Path) -> None:
    write_health(write_run(runs_in(tmp_path), saturation(), "run-1"), 99.0)
    found = identify_bottlenecks(runs_in(tmp_path), "run-1")
    assert found.bottlenecks[0].kind == "load_generator"
    assert found.bottlenecks[0].counter_evidence
    assert any("load generator" in one.text for one in of_kind(found, "cpu").counter_evidence)


def test_every_finding_has_an_id_that_stays(tmp_path: Path) -> None:
    first = looked_at(tmp_path, "saturated host")
    file = runs_in(tmp_path).open("run-1").path(layout.BOTTLENECK_ANALYSIS)
    before = file.read_bytes()
    again = identify_bottlenecks(runs_in(tmp_path), "run-1")
    assert file.read_bytes() == before
    assert [one.id for one in again.findings] == [one.id for one in first.bottlenecks]
    assert len({one.id for one in first.bottlenecks}) == len(first.bottlenecks)


@pytest.mark.parametrize("rows", [1, 2, 12])
def test_a_few_samples_are_no_bottleneck(tmp_path: Path, rows: int) -> None:
    imported_rows(tmp_path, [jtl_row(number, 100, "GET /") for number in range(rows)])
    found = identify_bottlenecks(runs_in(tmp_path), "run-1")
    assert found.bottlenecks == ()
    assert correlate_test_results(runs_in(tmp_path), "run-1").answer == "not_evaluable"


def test_a_run_in_which_everything_fails_begins_to_fail_at_its_start(tmp_path: Path) -> None:
    imported_rows(tmp_path, [jtl_row(number / 4, 100, "GET /", success=False) for number in range(1_200)])
    found = identify_bottlenecks(runs_in(tmp_path), "run-1")
    assert of_kind(found, "error_onset").text == "100.0% of the requests fail from the start on."
    onset = of_kind(found, "error_onset").onset
    assert onset is not None
    assert onset.at_s == pytest.approx(0, abs=15)


def test_labels_with_newlines_are_told_on_one_line(tmp_path: Path) -> None:
    rows = [jtl_row(number / 4, 100 if number < 1_200 else 900, "GET\n/slow") for number in range(2_400)]
    rows += [jtl_row(number / 4, 100, "GET /calm") for number in range(2_400)]
    imported_rows(tmp_path, rows)
    found = identify_bottlenecks(runs_in(tmp_path), "run-1")
    assert "\n" not in of_kind(found, "downstream").subject
    assert "slow" in of_kind(found, "downstream").subject


def test_a_cause_is_found_and_what_follows_the_load_is_not(tmp_path: Path) -> None:
    scenario = cause_and_follower(lag_s=20)
    write_run(runs_in(tmp_path), scenario, "run-1")
    found = correlate_test_results(runs_in(tmp_path), "run-1")
    moving = {(one.resource, one.metric) for one in found.pairs if one.verdict == "moves_with"}
    assert moving == set(scenario.truth.causes)
    [grid] = found.grids
    assert (grid.interval_s, grid.given) == (20, ("arrivals", "users"))
    assert found.clock is not None
    assert found.clock.verdict == "not_evaluable"


def test_without_metrics_the_capacity_is_still_told(tmp_path: Path) -> None:
    scenario = saturation()
    write_run(runs_in(tmp_path), Scenario(scenario.samples, scenario.seconds, scenario.truth), "run-1")
    found = correlate_test_results(runs_in(tmp_path), "run-1")
    assert (found.status, found.answer) == ("partial", "not_evaluable")
    assert found.capacity is not None
    assert found.capacity.knee is not None
    assert found.capacity.knee.verdict == "plateau"
    assert "get_host_metrics" in found.reasons[0]


def test_a_few_readings_rule_nothing_out_and_the_answer_says_why(tmp_path: Path) -> None:
    scenario = steady(seconds=600)
    few = {"web-1": {"cpu_util_pct": np.full(5, 20.0), "mem_util_pct": np.full(5, 20.0)}}
    found = looked_at(tmp_path, replace(scenario, metrics=few))
    assert (verdicts(found)["cpu"], verdicts(found)["memory"]) == ("not_evaluable", "not_evaluable")
    assert any("'web-1' 17% (100 of 600 s)" in reason for reason in found.reasons)
    assert any("web-1" in reason for reason in bottleneck_digest(found).reasons)
