"""What is told of a comparison: rates, inputs, runs that are the same, and runs that cannot be compared."""

from dataclasses import replace
from pathlib import Path

import pytest

from perfsuite.artifacts import layout
from perfsuite.artifacts.comparisons import Comparison
from perfsuite_perfanalysis.service.comparing import Asked, compare_test_runs
from perfsuite_perfanalysis.service.digests import comparison_digest

from . import synthetic
from .analysing import again, change, compared, imported_rows, runs_in, whole
from .conftest import jtl_row
from .test_results_analysis import write_health


def wrote(folder: Path, **scenarios: synthetic.Scenario) -> None:
    for name, scenario in scenarios.items():
        synthetic.write_run(runs_in(folder), scenario, name)


def found_of(folder: Path, *run_ids: str) -> Comparison:
    return compare_test_runs(runs_in(folder), Asked(run_ids, run_ids[0]))


@pytest.mark.parametrize("seconds", [401, 405.5, 409])
def test_a_last_block_that_the_run_does_not_fill_does_not_lower_the_rate(tmp_path: Path, seconds: float) -> None:
    for name in ("a", "b"):
        imported_rows(tmp_path, [jtl_row(i / 5, 100 + i % 7, "GET /") for i in range(round(seconds * 5))], name)
    exact = whole(again(tmp_path, "a")).throughput_per_s
    assert exact == pytest.approx(5, rel=0.001)
    one = change(compared(tmp_path, "a", "b"), "ALL", "throughput_per_s")
    assert one.baseline == pytest.approx(exact, rel=0.003)


def test_without_a_steady_state_the_rate_is_that_of_the_whole_run(tmp_path: Path) -> None:
    users = [{**jtl_row(i / 5, 100, "GET /"), "allThreads": str(1 + i // 50)} for i in range(2_005)]
    imported_rows(tmp_path, users, "a")
    imported_rows(tmp_path, users[:-1], "b")
    found = found_of(tmp_path, "a", "b")
    assert [one.throughput_per_s for one in found.trend] == pytest.approx([5, 5], rel=0.003)


def test_the_readings_of_the_generator_are_inputs(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1, seconds=60), b=synthetic.steady(2, seconds=60))
    write_health(runs_in(tmp_path).open("b"), [10.0] * 5)
    assert [one.path for one in found_of(tmp_path, "a", "b").inputs] == [
        "a/samples.parquet", "b/samples.parquet", f"b/{layout.JMETER_HEALTH.place}",
    ]  # fmt: skip


def test_one_result_under_two_names_is_the_same_and_said(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.error_storm(1), b=synthetic.error_storm(1))
    found = found_of(tmp_path, "a", "b")
    [pair] = found.pairs
    assert (pair.verdict, pair.findings) == ("within_noise", ())
    assert {one.verdict for one in pair.changes} == {"within_noise"}
    assert "imported twice" in pair.reason
    assert any("imported twice" in note for note in comparison_digest(found, "file").notes)


def test_runs_that_cannot_be_compared_say_why_once_to_the_end_and_what_to_repair(tmp_path: Path) -> None:
    first, second = "before-" + "x" * 40, "after-" + "y" * 40
    wrote(tmp_path, **{first: synthetic.steady(1, users=20, seconds=200), second: synthetic.steady(2, users=30)})
    write_health(runs_in(tmp_path).open(second), [99.0] * 40)
    found = found_of(tmp_path, first, second)
    answer = comparison_digest(found, "file")
    [pair] = answer.findings
    assert pair["reason"] == found.pairs[0].reason
    assert len(answer.reasons) == 1
    assert "steady state" not in answer.reasons[0]
    assert not answer.has_more
    assert all(word in answer.next_step for word in ("5 minutes", "same users", "generator"))
    assert "create_comparison_report" not in answer.next_step


def test_a_label_that_may_have_another_name_is_a_guess(tmp_path: Path) -> None:
    second = synthetic.steady(2)
    labels = second.samples.label.replace({"GET /cart": "GET /v2/cart"})
    wrote(tmp_path, a=synthetic.steady(1), b=replace(second, samples=second.samples.assign(label=labels)))
    [pair] = comparison_digest(found_of(tmp_path, "a", "b"), "file").findings
    assert pair["perhaps_renamed"] == "GET /cart > GET /v2/cart"
