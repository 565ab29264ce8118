"""identify_bottlenecks and correlate_test_results where there is too little, or what there is cannot be used."""

from pathlib import Path

import pytest

from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.bottlenecks import BottleneckAnalysis, ClassVerdict
from perfsuite_perfanalysis.service.bottlenecks import identify_bottlenecks
from perfsuite_perfanalysis.service.correlating import correlate_test_results

from .analysing import imported_rows, runs_in
from .bottleneck_runs import HEALTH_HEADER, write_health
from .collecting import moment, write_text
from .conftest import jtl_row
from .synthetic import Scenario, saturation, steady, write_run


def classes(found: BottleneckAnalysis) -> dict[str, ClassVerdict]:
    return {one.kind: one for one in found.classes}


def looked_at(folder: Path) -> BottleneckAnalysis:
    return identify_bottlenecks(runs_in(folder), "run-1")


def without_metrics(folder: Path) -> RunFolder:
    scenario = steady(seconds=300)
    return write_run(runs_in(folder), Scenario(scenario.samples, 300, scenario.truth), "run-1")


def short_generator(folder: Path, java_pct: float, scenario: Scenario) -> BottleneckAnalysis:
    """Every second minute something takes all processors of the generator."""
    run = write_run(runs_in(folder), scenario, "run-1")
    rows = [
        f"{moment(at_s)},{java_pct},{97 if at_s // 60 % 2 else 30},500,40,1.5,1.0,300\n" for at_s in range(0, 900, 5)
    ]
    write_text(run, layout.JMETER_HEALTH, HEALTH_HEADER + "".join(rows))
    return looked_at(folder)


def test_one_request_is_no_all_clear(tmp_path: Path) -> None:
    imported_rows(tmp_path, [jtl_row(0, 123, "GET /")])
    told = classes(looked_at(tmp_path))
    for kind in ("network", "error_onset", "fast_failures", "downstream", "queueing"):
        assert told[kind].verdict == "not_evaluable", kind
    assert "1 requests" in told["error_onset"].reason


def test_where_all_requests_fail_users_and_times_are_not_told_as_missing(tmp_path: Path) -> None:
    imported_rows(tmp_path, [jtl_row(number / 4, 100, "GET /", success=False) for number in range(1_200)])
    network = classes(looked_at(tmp_path))["network"]
    assert (network.verdict, "Requests succeeded in 0 intervals" in network.reason) == ("not_evaluable", True)
    capacity = correlate_test_results(runs_in(tmp_path), "run-1").capacity
    assert capacity is not None
    assert "did a request succeed" in capacity.reason


def test_metrics_that_cannot_be_used_are_not_told_as_never_collected(tmp_path: Path) -> None:
    write_text(without_metrics(tmp_path), layout.K8S_METRICS, "time,host,cpu\n1,a,2\n", filter="cart")
    told = classes(looked_at(tmp_path))
    for kind in ("cpu", "memory"):
        assert told[kind].verdict == "not_evaluable"
        assert "k8s_metrics_cart.csv" in told[kind].reason


@pytest.mark.parametrize(("text", "reason"), [(None, "Nobody watched"), ("\0\1no readings\n", "holds no reading")])
def test_a_generator_that_was_watched_in_vain_was_watched(tmp_path: Path, text: str | None, reason: str) -> None:
    run = without_metrics(tmp_path)
    if text is not None:
        write_text(run, layout.JMETER_HEALTH, text)
    assert reason in classes(looked_at(tmp_path))["load_generator"].reason


def test_a_generator_that_others_kept_busy_is_doubted_where_times_say_so(tmp_path: Path) -> None:
    [found] = [one for one in short_generator(tmp_path, 1.2, steady()).bottlenecks if one.kind == "load_generator"]
    assert "something else used this machine" in found.text
    assert "larger" not in found.next_check
    assert any("p95 did not begin to rise" in one.text for one in found.counter_evidence)
    assert found.confidence == "medium"


def test_a_generator_that_sent_as_it_should_says_so(tmp_path: Path) -> None:
    found = short_generator(tmp_path, 90, saturation()).bottlenecks[0]
    assert found.kind == "load_generator"
    assert "It sent as it should at every level" in found.counter_evidence[0].text


def test_a_generator_that_was_short_all_the_time_has_nothing_in_its_favour(tmp_path: Path) -> None:
    write_health(write_run(runs_in(tmp_path), steady(), "run-1"), 97.0)
    found = looked_at(tmp_path).bottlenecks[0]
    assert (found.kind, found.confidence, found.counter_evidence) == ("load_generator", "high", ())
