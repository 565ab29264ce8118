"""Percentiles over counted values, against NumPy over the values themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jtl
from perfsuite.samples.definitions import METHODS, Choice, PercentileMethod, percentile_key
from perfsuite.samples.percentiles import percentiles

NUMPY: dict[PercentileMethod, Any] = {
    "linear": "linear",
    "nearest-rank": "inverted_cdf",
    "jmeter-dashboard": "weibull",
}
values_of_a_label = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=200)
wanted_percentiles = st.lists(st.sampled_from([0.0, 1.0, 12.5, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0]))
methods = st.sampled_from(METHODS)


def counted(values: list[int], wanted: list[float], method: PercentileMethod) -> list[float]:
    distinct, counts = np.unique(np.asarray(values, dtype=np.int64), return_counts=True)
    return percentiles(distinct, counts, wanted, method)


def by_cumulated_count(values: list[int], percentile: float) -> float:
    """JMeter's StatCalculator: the first value at which the counts reach Math.round(n * p)."""
    needed = int(np.floor(len(values) * percentile / 100 + 0.5))
    ordered = sorted(values)
    return float(next((value for i, value in enumerate(ordered, start=1) if i >= needed), ordered[-1]))


@given(values=values_of_a_label, wanted=wanted_percentiles, method=st.sampled_from(list(NUMPY)))
def test_counted_percentiles_are_those_that_numpy_finds_in_all_values(
    values: list[int], wanted: list[float], method: PercentileMethod
) -> None:
    expected = [float(np.percentile(values, p, method=NUMPY[method])) for p in wanted]
    assert counted(values, wanted, method) == pytest.approx(expected, rel=1e-12, abs=1e-6)


@given(values=values_of_a_label, wanted=wanted_percentiles)
def test_the_aggregate_reports_percentile_is_the_value_that_reaches_the_rounded_rank(
    values: list[int], wanted: list[float]
) -> None:
    assert counted(values, wanted, "jmeter-aggregate") == [by_cumulated_count(values, p) for p in wanted]


@given(values=values_of_a_label, method=methods)
def test_a_higher_percentile_is_never_a_smaller_value_and_the_ends_are_the_extremes(
    values: list[int], method: PercentileMethod
) -> None:
    found = counted(values, [float(p) for p in range(101)], method)
    assert found == sorted(found)
    assert (found[0], found[-1]) == (min(values), max(values))


@given(values=values_of_a_label, method=methods, factor=st.integers(2, 50), shift=st.integers(0, 1000))
def test_scaled_and_shifted_values_have_scaled_and_shifted_percentiles(
    values: list[int], method: PercentileMethod, factor: int, shift: int
) -> None:
    wanted = [50.0, 90.0, 95.0, 99.0]
    moved = counted([value * factor + shift for value in values], wanted, method)
    assert moved == pytest.approx([p * factor + shift for p in counted(values, wanted, method)], rel=1e-12)


def test_a_rank_that_binary_fractions_would_miss_is_the_exact_one() -> None:
    assert counted(list(range(1, 21)), [95.0], "nearest-rank") == [19.0]
    assert counted(list(range(1, 101)), [99.0, 7.0], "nearest-rank") == [99.0, 7.0]


@pytest.mark.parametrize(
    ("method", "expected"),
    # Ten samples, as in a test of the Jenkins plugin: the definitions differ on few samples.
    [("linear", 9.55), ("nearest-rank", 10), ("jmeter-aggregate", 10), ("jmeter-dashboard", 10)],
)
def test_the_methods_differ_on_few_samples_and_every_output_names_its_own(
    tmp_path: Path, method: PercentileMethod, expected: float
) -> None:
    content = jtl.text(jtl.samples(*range(1, 11)))
    found = jtl.stats(tmp_path, content, choice=Choice(percentiles=(95.0,), method=method))
    assert found.percentile_method == method
    assert found.total.percentiles_ms == {"p95_ms": pytest.approx(expected)}


def test_a_percentile_is_named_by_all_its_digits() -> None:
    assert [percentile_key(p) for p in (50.0, 99.9, 99.99999)] == ["p50_ms", "p99.9_ms", "p99.99999_ms"]
