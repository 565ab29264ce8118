"""Pairs of series: what moves together beyond the load, and what only seems to."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from perfsuite.artifacts.correlations import Pair
from perfsuite_perfanalysis.core.alignment import Edges, load_on_grid, on_grid
from perfsuite_perfanalysis.core.association import associate, is_constant, kendall, partial_correlation
from perfsuite_perfanalysis.core.confounders import check_clock, load_given
from perfsuite_perfanalysis.core.readings import MetricSeries, Subject, interval_of
from perfsuite_perfanalysis.core.screening import Candidate, Response, Scene, screen

from .synthetic import ar1

N = 60
HOST = Subject("host", "shop", "", "web-1", "web-1")

Floats = NDArray[np.float64]


def scene(response: Floats, metrics: Sequence[Floats], load: Sequence[Floats] = ()) -> Scene:
    candidates = tuple(Candidate(HOST, f"metric-{number}", row) for number, row in enumerate(metrics))
    names = tuple(f"load-{number}" for number in range(len(load)))
    return Scene(20.0, (Response("GET /", "mean_ms", response),), candidates, tuple(load), names)


def screened(response: Floats, metrics: Sequence[Floats], load: Sequence[Floats] = ()) -> tuple[Pair, ...]:
    pairs, _ = screen([scene(response, metrics, load)])
    return pairs


def series(
    values: Sequence[float], *, interval_s: float = 20.0, first_s: float = 0.0, metric: str = "m"
) -> MetricSeries:
    at_s = first_s + np.arange(len(values)) * interval_s
    return MetricSeries(HOST, metric, "", at_s, np.asarray(values, dtype=float), interval_s)


def test_without_load_and_memory_the_correlation_is_scipys() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=N)
    y = x + rng.normal(size=N)
    [found] = associate(y, x[None], ())
    assert found is not None
    assert found.raw == pytest.approx(stats.spearmanr(x, y).statistic)
    assert partial_correlation(y, x, ())[0] == pytest.approx(stats.spearmanr(x, y).statistic)
    assert kendall(y, x, (), 0) == pytest.approx(stats.kendalltau(x, y).statistic)


def test_a_metric_that_only_follows_the_load_is_no_finding() -> None:
    rng = np.random.default_rng(2)
    load = 20 + 10 * np.sin(np.arange(N) / 6)
    response, follower = load + rng.normal(0, 1, N), load + rng.normal(0, 1, N)
    assert screened(response, [follower])[0].verdict == "moves_with"
    [pair] = screened(response, [follower], [load])
    assert pair.verdict == "insufficient_evidence"
    assert pair.raw is not None
    assert pair.raw > 0.9
    assert "The load explains why they look alike" in pair.text


def test_a_true_connection_is_found_in_words_that_claim_no_cause() -> None:
    rng = np.random.default_rng(3)
    cause = ar1(rng, N, 0.9)
    pairs = screened(0.8 * cause + 0.6 * ar1(rng, N, 0.9), [cause, *(ar1(rng, N, 0.9) for _ in range(39))])
    assert [one.metric for one in pairs if one.verdict == "moves_with"] == ["metric-0"]
    assert "moves with" in pairs[0].text
    assert "cause" not in pairs[0].text
    assert (pairs[0].n <= N, pairs[0].n_effective is not None) == (True, True)


def test_of_series_that_remember_and_have_nothing_in_common_none_is_found() -> None:
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        pairs = screened(ar1(rng, N, 0.9), [ar1(rng, N, 0.9) for _ in range(40)])
        hits += any(one.verdict == "moves_with" for one in pairs)
    assert hits <= 3


def test_a_lag_is_told_when_it_is_plain() -> None:
    rng = np.random.default_rng(4)
    cause = rng.normal(size=120)
    late = np.concatenate([rng.normal(size=3), cause[:-3]]) + rng.normal(0, 0.3, 120)
    [pair] = screened(late, [cause])
    assert (pair.verdict, pair.lag_s, pair.lag_is_certain) == ("moves_with", 60.0, True)
    assert "60 s before the response" in pair.text
    [mirrored] = screened(cause, [late])
    assert mirrored.lag_s == -60.0


def test_a_lag_within_a_slow_series_is_not_told() -> None:
    rng = np.random.default_rng(5)
    cause = ar1(rng, 120, 0.95)
    [pair] = screened(cause + rng.normal(0, 0.05, 120), [cause])
    assert (pair.verdict, pair.lag_s) == ("moves_with", None)


def test_opposite_directions_are_told() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=N)
    [pair] = screened(-x + rng.normal(0, 0.1, N), [x])
    assert "in the opposite direction" in pair.text


def test_constant_and_unknown_metrics_are_not_testable_and_said() -> None:
    y = np.random.default_rng(7).normal(size=N)
    short = np.where(np.arange(N) < 20, y, np.nan)
    pairs, untestable = screen([scene(y, [np.full(N, 3.0), np.full(N, np.nan), short])])
    assert pairs == ()
    assert list(untestable.values()) == [
        "it hardly ever changes",
        "only 0 buckets are known, and 30 are needed",
        "only 20 buckets are known, and 30 are needed",
    ]


def test_a_response_that_the_load_explains_wholly_leaves_nothing_to_find() -> None:
    rng = np.random.default_rng(8)
    load = rng.normal(size=N)
    [pair] = screened(load, [rng.normal(size=N)], [load])
    assert (pair.verdict, pair.partial) == ("insufficient_evidence", 0.0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 1000), st.booleans())
def test_units_and_direction_of_a_metric_do_not_matter(seed: int, scale: float, turned: bool) -> None:
    rng = np.random.default_rng(seed)
    x, load = ar1(rng, N, 0.7), rng.normal(size=N)
    y = x + load + ar1(rng, N, 0.5)
    sign = -1.0 if turned else 1.0
    [one] = associate(y, x[None], [load])
    [other] = associate(y, sign * scale * x[None] + 5, [load])
    assert one is not None
    assert other is not None
    assert other.partial == pytest.approx(sign * one.partial, abs=1e-6)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_metrics_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, metrics = ar1(rng, N, 0.5), [ar1(rng, N, 0.5) for _ in range(5)]
    metrics[2][7] = np.nan
    forward = associate(y, np.stack(metrics), ())
    backward = associate(y, np.stack(metrics[::-1]), ())
    for one, other in zip(forward, backward[::-1], strict=True):
        assert one is not None
        assert other is not None
        assert other.p_value == pytest.approx(one.p_value)


def test_arrivals_that_fall_with_slow_responses_are_a_consequence() -> None:
    rng = np.random.default_rng(9)
    times = 1 + np.abs(ar1(rng, 90, 0.5))
    given_load, names, notes = load_given(times, 20 / times, np.full(90, 20.0))
    assert (given_load, names) == ((), ())
    assert "consequence" in notes[0]


def test_time_is_taken_out_where_the_load_is_ramped() -> None:
    rng = np.random.default_rng(10)
    users = np.linspace(1, 50, 90).round()
    _, names, _ = load_given(rng.normal(size=90), rng.poisson(users * 10).astype(float), users)
    assert names == ("arrivals", "users", "time")


def test_readings_fall_into_the_buckets_of_the_grid_by_time() -> None:
    found = on_grid(series([1, 3, 5], interval_s=20), Edges(0.0, 20.0, 4))
    np.testing.assert_array_equal(found, [1, 3, 5, np.nan])
    # Buckets of ten seconds hold the reading that lies over them; shifted ones hold a share of two.
    np.testing.assert_array_equal(on_grid(series([1, 3], interval_s=20), Edges(0.0, 10.0, 4)), [1, 1, 3, 3])
    np.testing.assert_allclose(on_grid(series([1, 3], interval_s=20, first_s=-5), Edges(0.0, 20.0, 1)), [1.5])


def test_one_missing_reading_is_bridged_and_two_are_not() -> None:
    one_gap = on_grid(series([1, np.nan, 3]), Edges(0.0, 20.0, 3))
    two_gaps = on_grid(series([1, np.nan, np.nan, 4]), Edges(0.0, 20.0, 4))
    np.testing.assert_array_equal(one_gap, [1, 2, 3])
    np.testing.assert_array_equal(two_gaps, [1, np.nan, np.nan, 4])


def test_the_interval_is_the_step_that_occurs_most() -> None:
    assert interval_of(np.array([0.0, 20, 40, 100, 120])) == 20
    assert interval_of(np.array([0.0]), 15.0) == 15
    assert interval_of(np.array([0.0])) == 60


def test_users_are_the_mean_of_their_bucket() -> None:
    users = np.array([1.0, 3.0, np.nan, 5.0])
    np.testing.assert_array_equal(load_on_grid(users, 1.0, Edges(0.0, 2.0, 3)), [2, 5, np.nan])


def test_clocks_that_are_apart_are_told_and_not_corrected() -> None:
    rng = np.random.default_rng(11)
    arrivals = rng.poisson(300, 80).astype(float)
    counted = Candidate(HOST, "trace.http.request.hits", np.concatenate([arrivals[:2], arrivals[:-2]]))
    apart = check_clock(arrivals, [counted], 20.0)
    assert (apart.verdict, apart.skew_s) == ("apart", 40.0)
    agree = check_clock(arrivals, [Candidate(HOST, "trace.http.request.hits", arrivals * 0.9)], 20.0)
    assert (agree.verdict, agree.skew_s) == ("agree", 0.0)
    other = Candidate(HOST, "request.count", rng.normal(size=80))
    assert check_clock(arrivals, [other], 20.0).verdict == "not_evaluable"
    assert check_clock(arrivals, [Candidate(HOST, "cpu_util_pct", arrivals)], 20.0).verdict == "not_evaluable"


def test_series_without_spread_are_constant() -> None:
    assert is_constant(np.full(10, np.nan))
    assert is_constant(np.array([1.0] * 9 + [2.0]))
    assert not is_constant(np.arange(10.0))
