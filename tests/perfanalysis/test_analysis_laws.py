"""What holds for every run: order, engines, units and names do not change what is found."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtl
from perfsuite.artifacts.analyses import LabelNumbers, Numbers, PerformanceAnalysis
from perfsuite.workflow.importing import ImportRequest, import_results
from perfsuite_perfanalysis.core.blocks import Blocks, needed_samples, percentiles_of
from perfsuite_perfanalysis.core.series import correlation_time, trend

from .analysing import again, runs_in

Row = dict[str, Any]


def row(number: int, elapsed: int, name: str, success: bool) -> Row:
    return jtl.sample(
        timeStamp=jtl.START_MS + 700 * number, elapsed=elapsed, label=name, success=str(success).lower(),
        responseCode="200" if success else "500",
    )  # fmt: skip


tests_run = st.lists(
    st.tuples(st.integers(1, 5_000), st.sampled_from(["GET /a", "GET /b", "POST\n|c"]), st.booleans()),
    min_size=40,
    max_size=300,
)


def found_in(*files: list[Row]) -> PerformanceAnalysis:
    """The analysis of these result files, imported together."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = tuple(jtl.put(folder, jtl.text(rows), f"{number}.jtl") for number, rows in enumerate(files))
        import_results(runs_in(folder), "run-1", ImportRequest(paths))
        return again(folder)


def numbers(found: PerformanceAnalysis) -> Any:
    """What the run is, without what the order of the rows tells about the clock, and without the inputs."""
    kept = {"overall", "labels", "over_time", "peak", "errors", "response_codes", "phases"}
    return found.model_dump(mode="json", include=kept)


def rows_of(run: list[tuple[int, str, bool]]) -> list[Row]:
    return [row(number, *one) for number, one in enumerate(run)]


@given(tests_run, st.randoms(use_true_random=False))
@settings(max_examples=5)
def test_the_order_of_the_rows_does_not_matter(run: list[tuple[int, str, bool]], random: Any) -> None:
    rows = rows_of(run)
    shuffled = random.sample(rows, len(rows))
    assert numbers(found_in(rows)) == numbers(found_in(shuffled))


@given(tests_run, st.randoms(use_true_random=False))
@settings(max_examples=5)
def test_two_engines_are_what_one_file_of_both_is(run: list[tuple[int, str, bool]], random: Any) -> None:
    hosts = [one | {"Hostname": random.choice(["one", "two"])} for one in rows_of(run)]
    parts = [[one for one in hosts if one["Hostname"] == host] for host in ("one", "two")]
    apart = found_in(*([{k: v for k, v in one.items() if k != "Hostname"} for one in part] for part in parts if part))
    whole = found_in(rows_of(run))
    assert statistics(apart) == statistics(whole)


def statistics(found: PerformanceAnalysis) -> Any:
    """Users are added up over engines, so what hangs on them is left out."""
    return [one.whole.model_dump() for one in (*found.labels, found.overall) if one]


@given(tests_run, st.integers(2, 9))
@settings(max_examples=5)
def test_times_that_are_longer_by_a_factor_give_numbers_longer_by_it(
    run: list[tuple[int, str, bool]], factor: int
) -> None:
    before = found_in(rows_of(run))
    after = found_in([one | {"elapsed": one["elapsed"] * factor} for one in rows_of(run)])
    for first, second in zip(every(before), every(after), strict=True):
        assert second.samples == first.samples
        assert second.mean_ms == pytest.approx((first.mean_ms or 0) * factor)
        for key, value in first.percentiles_ms.items():
            assert second.percentiles_ms[key] == (None if value is None else pytest.approx(value * factor))


@given(tests_run)
@settings(max_examples=5)
def test_swapping_two_labels_swaps_their_results(run: list[tuple[int, str, bool]]) -> None:
    other = {"GET /a": "GET /b", "GET /b": "GET /a"}
    before = found_in(rows_of(run))
    after = found_in([one | {"label": other.get(str(one["label"]), one["label"])} for one in rows_of(run)])
    assert named(after) == {other.get(name, name): one for name, one in named(before).items()}


@given(tests_run)
@settings(max_examples=5)
def test_percentiles_rise_and_lie_between_the_extremes(run: list[tuple[int, str, bool]]) -> None:
    for one in every(found_in(rows_of(run))):
        known = [value for value in one.percentiles_ms.values() if value is not None]
        assert known == sorted(known)
        assert all((one.min_ms or 0) <= value <= (one.max_ms or 0) for value in known)


def every(found: PerformanceAnalysis) -> list[Numbers]:
    return [one.whole for one in (found.overall, *found.labels) if one is not None]


def named(found: PerformanceAnalysis) -> dict[str, Any]:
    return {one.label: without_name(one) for one in found.labels}


def without_name(one: LabelNumbers) -> Any:
    return one.model_dump(exclude={"label"})


@given(st.lists(st.floats(1, 1e6), min_size=30, max_size=400), st.floats(1, 99))
def test_percentiles_of_a_histogram_are_within_its_resolution(times: list[float], percentile: float) -> None:
    places = np.floor(np.log(np.array(times) * 1000) / np.log(1.005)).astype(int)
    bins, counts = np.unique(places, return_counts=True)
    [found] = percentiles_of(counts.astype(float), bins, [percentile])
    ends = np.percentile(times, percentile, method="lower"), np.percentile(times, percentile, method="higher")
    assert ends[0] / 1.0051 <= found <= ends[1] * 1.0051


@given(st.integers(2, 80), st.integers(1, 30))
def test_wider_blocks_hold_the_same_samples(blocks: int, together: int) -> None:
    counts = np.arange(blocks * 3, dtype=float).reshape(blocks, 3)
    narrow = Blocks(10.0, np.array([1, 2, 3]), counts, counts * 2)
    wide = narrow.of_width(10.0 * together)
    assert wide.samples == narrow.samples
    assert wide.errors == narrow.errors


@pytest.mark.parametrize(("percentile", "needed"), [(50, 30), (90, 100), (95, 200), (99, 1000), (99.9, 10_000)])
def test_a_percentile_needs_ten_samples_beyond_it(percentile: float, needed: int) -> None:
    assert needed_samples(percentile) == needed


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8, 0.9])
def test_the_time_of_correlation_is_that_of_the_process(phi: float) -> None:
    from .synthetic import ar1

    found = np.mean([correlation_time(ar1(np.random.default_rng(seed), 2_000, phi)) for seed in range(20)])
    assert found == pytest.approx((1 + phi) / (1 - phi), rel=0.25)


def test_a_constant_series_has_no_trend_and_no_memory() -> None:
    found = trend(np.full(50, 7.0))
    assert found is not None
    assert (found.change, found.p_value) == (0, 1)


def test_gaps_in_a_series_do_not_bend_its_trend() -> None:
    values = np.arange(100, dtype=float)
    values[20:60] = np.nan
    found = trend(values)
    assert found is not None
    assert found.change == pytest.approx(99)
    assert found.p_value < 0.001
