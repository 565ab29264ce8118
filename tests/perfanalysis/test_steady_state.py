"""Ramps, warm-ups, steady states and drifts are found where they are, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perfsuite.artifacts.analyses import Phases
from perfsuite_perfanalysis.core.phases import Timeline, find_drift, find_phases
from perfsuite_perfanalysis.service.digests import results_digest

from . import synthetic
from .analysing import analysed, kinds, label, whole
from .conftest import jtl_row


def phases(folder: Path, scenario: synthetic.Scenario) -> Phases:
    found = analysed(folder, scenario).phases
    assert found is not None
    return found


def timeline(mean_ms: np.ndarray, users: float | np.ndarray = 10.0, per_s: float = 20.0) -> Timeline:  # type: ignore[type-arg]
    n = len(mean_ms)
    completed = np.full(n, per_s)
    return Timeline(1.0, float(n), completed, mean_ms * completed, np.broadcast_to(users, n).astype(float))


def test_a_steady_run_is_steady_from_its_first_sample_to_its_last(tmp_path: Path) -> None:
    found = phases(tmp_path, synthetic.steady())
    assert found.has_steady_state
    assert found.steady_from_s == pytest.approx(0, abs=2)
    assert found.steady_to_s == pytest.approx(900, abs=2)
    assert found.drift.verdict == "steady"


def test_the_ramp_is_left_out_and_said(tmp_path: Path) -> None:
    found = phases(tmp_path, synthetic.steady(users=40, ramp_s=200))
    assert found.steady_from_s == pytest.approx(190, abs=15)
    assert [one.name for one in found.phases] == ["ramp_up", "steady"]
    assert found.excluded_s == pytest.approx(190, abs=15)


def test_the_whole_run_stands_beside_its_steady_state(tmp_path: Path) -> None:
    found = analysed(tmp_path, synthetic.steady(users=40, ramp_s=200))
    cart = label(found, "GET /cart")
    assert cart.steady is not None
    assert cart.steady.samples < cart.whole.samples
    assert sum(one.whole.samples for one in found.labels) == whole(found).samples


def test_users_who_leave_end_the_steady_state(tmp_path: Path) -> None:
    scenario = synthetic.steady(users=20)
    second = (scenario.samples["timeStamp"] - synthetic.START_MS) / 1000
    leaving = np.where(second < 700, 20, np.maximum(1, 20 - (second - 700) / 10)).astype(int)
    found = phases(tmp_path, replace(scenario, samples=scenario.samples.assign(allThreads=leaving)))
    assert found.steady_to_s == pytest.approx(715, abs=15)
    assert found.phases[-1].name == "ramp_down"


@pytest.mark.parametrize("name", ["saturation", "paced_load", "cause_and_follower", "unsaturated"])
def test_a_load_that_never_holds_its_level_has_no_steady_state(tmp_path: Path, name: str) -> None:
    found = analysed(tmp_path, synthetic.SCENARIOS[name]())
    assert found.phases is not None
    assert not found.phases.has_steady_state
    assert found.status == "partial"
    assert "There is no steady state." in found.reasons[0]
    assert all(one.steady is None for one in found.labels)


@pytest.mark.parametrize("name", ["step", "slow_drift", "leak"])
def test_a_run_that_gets_slower_under_constant_load_is_said_to_drift(tmp_path: Path, name: str) -> None:
    found = analysed(tmp_path, synthetic.SCENARIOS[name]())
    assert found.phases is not None
    assert found.phases.drift.verdict == "drift"
    assert (found.phases.drift.change or 0) > 0.1
    assert "drift" in kinds(found)


def test_a_step_is_told_with_its_moment(tmp_path: Path) -> None:
    drift = phases(tmp_path, synthetic.with_step(at_s=300)).drift
    assert drift.step_at_s == pytest.approx(300, abs=30)


def test_a_drift_is_told_by_what_responses_took_before_and_after(tmp_path: Path) -> None:
    found = analysed(tmp_path, synthetic.with_step(at_s=450, factor=3.0))
    assert found.phases is not None
    drift = found.phases.drift
    assert drift.start_ms is not None
    assert drift.end_ms == pytest.approx(3 * drift.start_ms, rel=0.1)
    assert f"from {drift.start_ms:.4g} to {drift.end_ms:.4g} ms (+" in drift.reason
    [told] = [one for one in found.findings if one.kind == "drift"]
    assert told.evidence["end_ms"] == drift.end_ms
    digest = results_digest(found)
    assert digest.summary["numbers_are_of"] == "constant load, which is not steady: see drift"


def test_what_does_not_move_is_not_said_to_fall_by_nothing() -> None:
    found = find_drift(timeline(np.full(900, 100.0)), 0, 900)
    assert found.reason == "Response times neither rise nor fall over the window."


def test_reasons_are_whole_sentences(tmp_path: Path) -> None:
    short = analysed(tmp_path, [jtl_row(i / 10, 100, "GET /") for i in range(2_999)])
    [note] = [one.text for one in short.quality if one.kind == "short_steady_state"]
    assert note.startswith("The steady state lasts 299.9 s; below 300 s")
    unsteady = analysed(tmp_path, synthetic.SCENARIOS["unsaturated"](), run_id="b")
    assert ".." not in " ".join(results_digest(unsteady).notes)


@pytest.mark.parametrize("name", ["steady", "constant_load", "error_storm", "two_engines", "gap"])
def test_nothing_is_said_to_drift_that_does_not(tmp_path: Path, name: str) -> None:
    found = phases(tmp_path, synthetic.SCENARIOS[name]())
    assert found.has_steady_state
    assert found.drift.verdict == "steady"


def test_two_engines_have_twice_the_users(tmp_path: Path) -> None:
    found = analysed(tmp_path, synthetic.two_engines(users=10))
    assert found.over_time is not None
    assert found.over_time.buckets[-2].users == 20
    assert found.phases is not None
    assert found.phases.steady_from_s == pytest.approx(55, abs=8)


@pytest.mark.parametrize("seed", range(5))
def test_a_slower_start_is_a_warm_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    slow = np.where(np.arange(900) < 120, 1.6, 1.0)
    found = find_phases(timeline(100 * slow * rng.lognormal(0, 0.05, 900)))
    assert found.steady_from_s == pytest.approx(120, abs=10)
    assert "warm_up" in [one.name for one in found.phases]
    assert found.drift.verdict == "steady"


def test_a_quicker_start_is_not_cut_off_because_that_would_hide_what_came_after() -> None:
    quick = np.where(np.arange(900) < 300, 0.5, 1.0)
    found = find_phases(timeline(100 * quick * np.random.default_rng(1).lognormal(0, 0.05, 900)))
    assert found.steady_from_s == 0
    assert found.drift.verdict == "drift"


def test_without_users_the_throughput_tells_the_ramp() -> None:
    n = 600
    completed = np.minimum(20.0, np.arange(n) / 10)
    run = Timeline(1.0, float(n), completed, completed * 100, np.full(n, np.nan))
    found = find_phases(run)
    assert found.steady_from_s == pytest.approx(145, abs=15)
    assert "users are unknown" in found.reason


def test_false_alarms_of_drift_are_rare() -> None:
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        noise = np.exp(synthetic.ar1(rng, 900, 0.97, 0.08))
        alarms += find_drift(timeline(100 * noise), 0, 900).verdict == "drift"
    assert alarms <= 10


def test_a_drift_of_a_fifth_is_found() -> None:
    found = 0
    for seed in range(100):
        noise = np.exp(synthetic.ar1(np.random.default_rng(seed), 1800, 0.9, 0.05))
        rise = 1 + 0.2 * np.arange(1800) / 1800
        found += find_drift(timeline(100 * noise * rise), 0, 1800).verdict == "drift"
    assert found >= 95


def test_a_run_of_a_few_seconds_is_not_tested() -> None:
    found = find_phases(timeline(np.full(5, 100.0)))
    assert not found.has_steady_state
    assert found.drift.verdict == "not_tested"
