"""Throughput against concurrency: plateaus, knees, the Universal Scalability Law, Little's law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from perfsuite.artifacts.correlations import Capacity
from perfsuite_perfanalysis.core.capacity import Points, find_capacity
from perfsuite_perfanalysis.core.scalability import fitted, peak_of, throughput

Floats = NDArray[np.float64]
THINK_S, SERVED_S = 1.0, 0.1


def points(users: Floats, per_s: Floats, mean_s: Floats, *, seed: int = 1, noise: float = 0.01) -> Points:
    """Six buckets of ten seconds at each level."""
    rng = np.random.default_rng(seed)
    n = np.repeat(users, 6)
    x = np.repeat(per_s, 6) * (1 + noise * rng.normal(size=len(n)))
    ms = 1000 * np.repeat(mean_s, 6)
    at_s = np.arange(len(n)) * 10.0
    return Points(at_s, 10.0, n, x, ms, 2 * ms, np.zeros(len(n)))


def served(most_users: int, capacity_per_s: float, *, levels: int = 12, **other: float) -> Capacity:
    """A service that takes so much and no more, and users that think for a second."""
    users = np.linspace(most_users / levels, most_users, levels).round()
    per_s = np.minimum(users / (THINK_S + SERVED_S), capacity_per_s)
    return find_capacity(points(users, per_s, users / per_s - THINK_S, **other))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(5))
def test_a_plateau_is_found_at_the_right_users(seed: int) -> None:
    found = served(60, 20.0, seed=seed)
    assert found.knee is not None
    assert found.knee.verdict == "plateau"
    assert found.knee.users == pytest.approx(22, rel=0.2)
    assert found.knee.reached_at_s is not None


@pytest.mark.parametrize("seed", range(20))
def test_even_scaling_has_no_knee(seed: int) -> None:
    found = served(60, 1_000.0, seed=seed, noise=0.05)
    assert found.knee is not None
    assert found.knee.verdict == "none"


def test_load_paced_by_the_script_is_no_plateau() -> None:
    users = np.linspace(5, 60, 12).round()
    found = find_capacity(points(users, np.full(12, 12.0), np.full(12, SERVED_S)))
    assert found.knee is not None
    assert found.little is not None
    assert (found.knee.verdict, found.little.verdict) == ("paced", "paced")
    assert "timer" in found.little.reason


def test_a_timer_that_begins_to_hold_later_is_no_plateau_either() -> None:
    users = np.linspace(5, 60, 12).round()
    found = find_capacity(points(users, np.minimum(users / 1.1, 20.0), np.full(12, SERVED_S)))
    assert found.knee is not None
    assert found.knee.verdict == "paced"


def test_constant_load_says_nothing_of_capacity() -> None:
    found = find_capacity(points(np.full(5, 20.0), np.full(5, 18.0), np.full(5, SERVED_S)))
    assert (found.verdict, found.knee, len(found.levels)) == ("not_evaluable", None, 1)
    assert "shows only where the load varies" in found.reason


def test_unknown_users_say_nothing_of_capacity() -> None:
    found = find_capacity(points(np.full(5, np.nan), np.full(5, 18.0), np.full(5, SERVED_S)))
    assert found.verdict == "not_evaluable"
    assert "how many users" in found.reason


def test_users_throughput_and_times_of_a_closed_loop_are_consistent() -> None:
    found = served(60, 20.0)
    assert found.little is not None
    assert (found.little.verdict, found.little.think_time_s) == ("consistent", pytest.approx(THINK_S, rel=0.1))


def test_more_requests_under_way_than_users_are_inconsistent() -> None:
    users = np.linspace(5, 60, 12).round()
    found = find_capacity(points(users, users * 2, np.full(12, 1.0)))
    assert found.little is not None
    assert found.little.verdict == "inconsistent"


@settings(max_examples=20, deadline=None)
@given(st.floats(0.5, 50), st.floats(0.001, 0.2), st.floats(1e-5, 5e-3))
def test_the_law_is_recovered_and_its_peak_is_that_of_the_closed_form(scale: float, alpha: float, beta: float) -> None:
    truth = np.array([scale, alpha, beta])
    users = np.linspace(1, 100, 15)
    found = fitted(users, throughput(users, truth))
    np.testing.assert_allclose(found, truth, rtol=0.02, atol=1e-5)
    assert peak_of(found) == pytest.approx(np.sqrt((1 - alpha) / beta), rel=0.02)


def test_a_law_without_crosstalk_has_no_peak() -> None:
    assert peak_of(np.array([1.0, 0.1, 0.0])) == np.inf


def test_a_fit_says_how_sure_it_is() -> None:
    truth = np.array([2.0, 0.02, 0.0005])
    users = np.linspace(5, 80, 14).round()
    per_s = throughput(users, truth)
    found = find_capacity(points(users, per_s, users / per_s - 0.1, noise=0.02)).fit
    assert found is not None
    assert found.verdict == "valid"
    assert found.peak_users == pytest.approx(np.sqrt(0.98 / 0.0005), rel=0.1)
    assert found.peak_users_low is not None
    assert found.peak_users_high is not None
    assert found.peak_users_low <= found.peak_users <= found.peak_users_high


def test_no_peak_is_told_beyond_twice_what_was_tested() -> None:
    found = served(18, 1_000.0).fit
    assert found is not None
    assert found.peak_users is None
    assert "twice what was tested" in found.reason


def test_too_few_levels_are_no_fit() -> None:
    found = served(20, 1_000.0, levels=4).fit
    assert found is not None
    assert (found.verdict, "6 levels" in found.reason) == ("not_valid", True)


def test_a_flat_top_is_told_once_and_not_as_a_peak_too() -> None:
    found = served(60, 20.0)
    assert found.fit is not None
    assert found.knee is not None
    assert (found.knee.verdict, found.fit.verdict, found.fit.peak_users) == ("plateau", "not_valid", None)
    assert "flat beyond 22 users" in found.fit.reason


def test_a_knee_is_not_known_better_than_the_levels_beside_it() -> None:
    knee = served(60, 20.0, noise=0.0).knee
    assert knee is not None
    assert (knee.users_low, knee.users_high) == (20, 25)


def test_users_that_are_known_are_not_told_as_unknown() -> None:
    nothing = np.full(5, np.nan)
    failed = find_capacity(
        Points(np.arange(5) * 10.0, 10.0, np.full(5, 8.0), np.full(5, 3.0), nothing, nothing, np.ones(5))
    )
    assert "did a request succeed" in failed.reason
    short = find_capacity(points(np.zeros(0), np.zeros(0), np.zeros(0)))
    assert "one whole interval of 10 s" in short.reason
