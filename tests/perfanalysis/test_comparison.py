"""Two runs: what is slower, what is noise, what cannot be told, and that it does not matter which comes first."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfsuite.artifacts.comparisons import Compared, PairComparison, load_comparison
from perfsuite.errors import BadInput, NotFound, NotReady
from perfsuite_perfanalysis.core.blocks import Blocks
from perfsuite_perfanalysis.core.changes import Side, label_changes
from perfsuite_perfanalysis.core.describing import cliffs_delta, renamed
from perfsuite_perfanalysis.core.verdicts import Floors, judged
from perfsuite_perfanalysis.service.comparing import Asked, compare_test_runs

from . import synthetic
from .analysing import change, compared, imported_rows, runs_in
from .conftest import jtl_row
from .test_results_analysis import write_health

MIRRORED = {"regression": "improvement", "improvement": "regression"}


def wrote(folder: Path, **scenarios: synthetic.Scenario) -> None:
    for name, scenario in scenarios.items():
        synthetic.write_run(runs_in(folder), scenario, name)


def verdicts(pair: PairComparison) -> dict[tuple[str, str], Any]:
    return {(one.label, one.metric): (one.verdict, one.tier, one.at_least) for one in pair.changes}


def mirrored(found: dict[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    return {key: (MIRRORED.get(verdict, verdict), *tiers) for key, (verdict, *tiers) in found.items()}


def gate(pair: PairComparison, name: str) -> list[bool | None]:
    return [one.holds for one in pair.gates if one.name == name]


def test_two_runs_of_the_same_thing_are_within_noise(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1), b=synthetic.steady(2))
    pair = compared(tmp_path, "a", "b")
    assert not {one.verdict for one in pair.changes} & {"regression", "improvement"}
    assert change(pair, "GET /cart", "p50_ms").verdict == "within_noise"
    assert pair.findings == ()
    assert pair.confidence.startswith("single-run")


def test_a_quarter_slower_is_a_major_regression_and_the_other_way_round_a_major_improvement(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1), b=synthetic.steady(2, factor=1.28))
    there, back = compared(tmp_path, "a", "b"), compared(tmp_path, "b", "a")
    one = change(there, "POST /order", "p95_ms")
    assert (one.verdict, one.tier) == ("regression", "major")
    assert one.change == pytest.approx(0.28, abs=0.08)
    assert (there.verdict, back.verdict) == ("regression", "improvement")
    assert verdicts(back) == mirrored(verdicts(there))
    assert {finding.severity for finding in there.findings} >= {"major"}


def test_the_headline_mirrors_although_some_changes_cannot_be_told(tmp_path: Path) -> None:
    rare = synthetic.steady(2, factor=1.28)
    wrote(tmp_path, a=synthetic.steady(1, seconds=400), b=replace(rare, samples=rare.samples.head(5_000)))
    there, back = compared(tmp_path, "a", "b"), compared(tmp_path, "b", "a")
    assert "inconclusive" in {one.verdict for one in back.changes}
    assert (there.verdict, back.verdict) == ("regression", "improvement")
    assert there.tier == back.tier


def test_where_some_became_slower_and_others_faster_both_ways_round_say_so(tmp_path: Path) -> None:
    second = synthetic.steady(2)
    scale = second.samples.label.map({"GET /cart": 2.0, "POST /order": 0.75}).fillna(1.0)
    elapsed = (second.samples["elapsed"] * scale).round().astype(int)
    wrote(tmp_path, a=synthetic.steady(1), b=replace(second, samples=second.samples.assign(elapsed=elapsed)))
    there, back = compared(tmp_path, "a", "b"), compared(tmp_path, "b", "a")
    assert (there.verdict, there.tier, there.is_mixed, there.better_tier) == ("regression", "critical", True, "major")
    assert (back.verdict, back.tier, back.is_mixed, back.better_tier) == ("regression", "major", True, "critical")
    assert there.reason.startswith("Some became worse and others better: ")
    assert verdicts(back) == mirrored(verdicts(there))


def test_failures_are_compared_by_their_difference(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1), b=synthetic.error_storm(2))
    pair = compared(tmp_path, "a", "b")
    one = change(pair, "GET /cart", "error_rate")
    assert (one.verdict, one.tier, one.baseline) == ("regression", "critical", 0)
    assert one.change == pytest.approx(0.1, abs=0.03)
    assert change(compared(tmp_path, "b", "a"), "GET /cart", "error_rate").verdict == "improvement"


def test_what_failed_quickly_does_not_count_as_fast(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1))
    storm = synthetic.error_storm(2)
    quick = storm.samples.assign(elapsed=np.where(storm.samples["success"] == "false", 1, storm.samples["elapsed"]))
    wrote(tmp_path, b=replace(storm, samples=quick))
    assert change(compared(tmp_path, "a", "b"), "GET /cart", "p50_ms").verdict == "within_noise"


def test_a_run_that_gets_slower_half_way_is_not_hidden_by_its_restlessness(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1), b=synthetic.with_step(2, at_s=300, factor=2.0))
    pair = compared(tmp_path, "a", "b")
    assert change(pair, "GET /cart", "p95_ms").verdict == "regression"
    assert any("drifts" in one.text for one in pair.gates)


def test_another_load_cannot_be_compared(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1, users=20), b=synthetic.steady(2, users=30))
    pair = compared(tmp_path, "a", "b")
    assert pair.verdict == "incomparable"
    assert gate(pair, "load") == [False]
    assert {one.verdict for one in pair.changes} == {"incomparable"}
    assert "by 20 users" in pair.reason


def test_users_who_wait_for_slower_answers_are_the_same_load(tmp_path: Path) -> None:
    def closed(seed: int, served_ms: float, users: int = 20, think_s: float = 0.2) -> synthetic.Scenario:
        rng = np.random.default_rng(seed)
        level = synthetic.ramp(600, users, 0)
        per_s = level / (think_s + served_ms / 1000)
        samples = synthetic.traffic(rng, level, per_s, np.full(600, served_ms / 1.25 / 1.046))
        return synthetic.Scenario(samples, 600, synthetic.Truth())

    wrote(tmp_path, a=closed(1, 150), b=closed(2, 250))
    pair = compared(tmp_path, "a", "b")
    assert gate(pair, "load") == [True]
    assert change(pair, "GET /cart", "p95_ms").verdict == "regression"
    assert change(pair, "ALL", "throughput_per_s").verdict == "regression"
    assert change(compared(tmp_path, "b", "a"), "ALL", "throughput_per_s").verdict == "improvement"


def test_a_short_run_cannot_be_compared(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1), b=synthetic.steady(2, seconds=200))
    pair = compared(tmp_path, "a", "b")
    assert pair.verdict == "incomparable"
    assert False in gate(pair, "steady_window")


def test_a_run_by_a_saturated_generator_cannot_be_compared(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1), b=synthetic.steady(2))
    write_health(runs_in(tmp_path).open("b"), [99.0] * 40)
    assert gate(compared(tmp_path, "a", "b"), "generator") == [None, False]
    assert compared(tmp_path, "a", "b").verdict == "incomparable"


def test_labels_that_came_went_and_changed_their_name_are_listed(tmp_path: Path) -> None:
    first = synthetic.steady(1)
    names = {"GET /cart": "GET /v2/cart", "POST /order": "PUT something else"}
    second = synthetic.steady(2)
    wrote(
        tmp_path, a=first, b=replace(second, samples=second.samples.assign(label=second.samples.label.replace(names)))
    )
    pair = compared(tmp_path, "a", "b")
    # What perhaps has another name now is neither gone nor new.
    assert pair.gone_labels == ("POST /order",)
    assert pair.new_labels == ("PUT something else",)
    assert [(one.baseline, one.candidate) for one in pair.renamed_labels] == [("GET /cart", "GET /v2/cart")]
    assert {one.label for one in pair.changes} == {"GET /search", "ALL"}


def test_too_few_samples_are_insufficient_data(tmp_path: Path) -> None:
    for name in ("a", "b"):
        imported_rows(tmp_path, [jtl_row(i * 2, 100 + i % 7, "GET /") for i in range(200)], name)
    found = {one.metric: one.verdict for one in compared(tmp_path, "a", "b").changes if one.label == "GET /"}
    assert found["p99_ms"] == "insufficient_data"
    assert found["p50_ms"] == "within_noise"


def test_a_small_change_in_milliseconds_does_not_matter_unless_it_is_asked_for(tmp_path: Path) -> None:
    def rows(elapsed: int) -> list[dict[str, Any]]:
        return [jtl_row(i / 5, elapsed + i % 2, "GET /") for i in range(2000)]

    imported_rows(tmp_path, rows(4), "a")
    imported_rows(tmp_path, rows(8), "b")
    assert change(compared(tmp_path, "a", "b"), "GET /", "p50_ms").verdict == "within_noise"
    assert change(compared(tmp_path, "a", "b", floor_ms=1), "GET /", "p50_ms").verdict == "regression"


def test_several_runs_are_each_compared_with_the_baseline_and_make_a_trend(tmp_path: Path) -> None:
    def later(scenario: synthetic.Scenario, hours: int) -> synthetic.Scenario:
        samples = scenario.samples.assign(timeStamp=scenario.samples["timeStamp"] + hours * 3_600_000)
        return replace(scenario, samples=samples)

    wrote(tmp_path, c=later(synthetic.steady(3, factor=1.6), 2), b=later(synthetic.steady(2), 1), a=synthetic.steady(1))
    found = compare_test_runs(runs_in(tmp_path), Asked(("a", "b", "c"), "a"))
    assert [(one.baseline, one.candidate, one.tier) for one in found.pairs][1] == ("a", "c", "critical")
    assert [one.run_id for one in found.trend] == ["a", "b", "c"]
    assert load_comparison(runs_in(tmp_path), found.comparison_id) == found


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1), b=synthetic.steady(2))
    found = compare_test_runs(runs_in(tmp_path), Asked(("b",), "a"))
    path = tmp_path / "artifacts" / "comparisons" / found.comparison_id / "comparison.json"
    first = path.read_bytes()
    compare_test_runs(runs_in(tmp_path), Asked(("b",), "a"))
    assert path.read_bytes() == first
    assert [run.run_id for run in runs_in(tmp_path).runs()] == ["a", "b"]


@pytest.mark.parametrize(
    ("run_ids", "said"), [((), "No run"), (("a",), "nothing to compare"), (("b", "b"), "twice")]
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(tmp_path: Path, run_ids: tuple[str, ...], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        compare_test_runs(runs_in(tmp_path), Asked(run_ids, "a"))


def test_runs_that_are_not_there_or_have_no_samples_are_named(tmp_path: Path) -> None:
    wrote(tmp_path, a=synthetic.steady(1, seconds=60))
    with pytest.raises(NotFound, match="'b'"):
        compared(tmp_path, "a", "b")
    runs_in(tmp_path).create("b")
    with pytest.raises(NotReady, match="no samples"):
        compared(tmp_path, "a", "b")


def drawn(seed: int, scale: float, per_block: int, blocks: int, failing: float) -> Blocks:
    rng = np.random.default_rng(seed)
    place = np.repeat(np.arange(blocks), per_block)
    times = rng.lognormal(np.log(200 * scale), 0.5, len(place)) * np.exp(synthetic.ar1(rng, blocks, 0.5, 0.05))[place]
    bins, column = np.unique(np.floor(np.log(times * 1000) / np.log(1.005)).astype(int), return_inverse=True)
    counts = np.zeros((2, blocks, len(bins)))
    np.add.at(counts, ((rng.random(len(place)) < failing).astype(int), place, column), 1)
    return Blocks(10.0, bins, counts[0], counts[1])


sides = st.builds(
    drawn,
    st.integers(0, 10_000),
    st.sampled_from([0.5, 0.8, 0.9, 1.0, 1.05, 1.12, 1.3, 2.0]),
    st.sampled_from([1, 5, 40]),
    st.sampled_from([5, 30, 60]),
    st.sampled_from([0.0, 0.001, 0.02, 0.2]),
)


@given(sides, sides)
@settings(max_examples=40)
def test_swapping_the_runs_mirrors_every_verdict(first: Blocks, second: Blocks) -> None:
    a, b = Side("a", "GET /", "sample", first), Side("b", "GET /", "sample", second)
    there, back = (judged(list(label_changes(*pair)), Floors()) for pair in ((a, b), (b, a)))
    for one, other in zip(there, back, strict=True):
        assert other.verdict == MIRRORED.get(one.verdict, one.verdict)
        assert (other.tier, other.at_least) == (one.tier, one.at_least)
        assert (other.baseline, other.candidate) == (one.candidate, one.baseline)
        assert_mirrored(one, other)


def assert_mirrored(one: Compared, other: Compared) -> None:
    if one.change is None or one.change_low is None or one.change_high is None:
        assert other.change is None
    elif one.metric == "error_rate":
        assert other.change == pytest.approx(-one.change)
        assert other.change_low == pytest.approx(-one.change_high)
    else:
        assert 1 + (other.change or 0) == pytest.approx(1 / (1 + one.change))
        assert 1 + (other.change_low or 0) == pytest.approx(1 / (1 + one.change_high), rel=1e-6)
    assert other.p_adjusted == pytest.approx(one.p_adjusted)


@pytest.mark.parametrize(("metric", "is_better_when_higher"), [("p95_ms", False), ("throughput_per_s", True)])
def test_every_metric_has_its_polarity(metric: str, is_better_when_higher: bool) -> None:
    less, more = drawn(1, 1.0, 40, 60, 0.0), drawn(2, 1.6, 80, 60, 0.0)
    pair = Side("a", "GET /", "sample", less), Side("b", "GET /", "sample", more)
    [one] = [each for each in judged(list(label_changes(*pair)), Floors()) if each.metric == metric]
    assert one.verdict == ("improvement" if is_better_when_higher else "regression")


def test_cliffs_delta_is_that_of_all_pairs() -> None:
    first, second = drawn(1, 1.0, 5, 20, 0.0), drawn(2, 1.2, 5, 20, 0.0)
    before, after = (np.repeat(one.bins, one.succeeded.sum(axis=0).astype(int)) for one in (first, second))
    expected = np.sign(after[:, None] - before[None, :]).mean()
    assert cliffs_delta(first, second) == pytest.approx(expected)


@given(st.lists(st.text("abc/", min_size=1, max_size=6), unique=True, max_size=5),
       st.lists(st.text("abc/", min_size=1, max_size=6), unique=True, max_size=5))  # fmt: skip
def test_renamed_labels_are_the_same_both_ways_round(gone: list[str], new: list[str]) -> None:
    there = {(one.baseline, one.candidate, one.similarity) for one in renamed(sorted(gone), sorted(new))}
    back = {(one.candidate, one.baseline, one.similarity) for one in renamed(sorted(new), sorted(gone))}
    assert {one[2] for one in there} == {one[2] for one in back}
    assert len(there) == len(back)
