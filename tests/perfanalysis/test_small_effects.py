"""What moves too little to matter, what follows from users that wait, and processors that are at their end."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from perfsuite.artifacts.correlations import Pair
from perfsuite_perfanalysis.core.association import is_constant
from perfsuite_perfanalysis.core.readings import Subject
from perfsuite_perfanalysis.core.screening import Candidate, Response, Scene, screen
from perfsuite_perfanalysis.service.bottlenecks import identify_bottlenecks
from perfsuite_perfanalysis.service.correlating import correlate_test_results

from .analysing import runs_in
from .synthetic import ar1, saturation, steady, write_run

N = 60
HOST = Subject("host", "shop", "", "web-1", "web-1")

Floats = NDArray[np.float64]


def screened(
    response: Floats, metric: Floats, arrivals: Floats | None = None, name: str = "cpu_util_pct"
) -> tuple[tuple[Pair, ...], dict[str, str]]:
    candidate = Candidate(HOST, name, metric)
    return screen([Scene(20.0, (Response("GET /", "mean_ms", response),), (candidate,), (), (), arrivals)])


def test_a_processor_at_its_end_for_most_of_the_run_is_tested() -> None:
    rng = np.random.default_rng(1)
    cpu = np.minimum(100.0, 110 + 40 * ar1(rng, N, 0.3))
    assert (cpu == 100).mean() > 0.5
    assert not is_constant(cpu)
    [pair], untestable = screened(100 + 5 * cpu + rng.normal(0, 5, N), cpu)
    assert (pair.verdict, untestable) == ("moves_with", {})


def test_a_metric_that_leaves_its_value_a_few_times_is_constant() -> None:
    assert is_constant(np.array([1.0] * 50 + [2.0] * 10))
    assert not is_constant(np.array([1.0] * 45 + [2.0] * 15))


@pytest.mark.parametrize(("points", "tested"), [(0.8, 0), (8.0, 1)])
def test_a_metric_in_percent_must_move_by_points(points: float, tested: int) -> None:
    wave = np.sin(np.arange(N) / 3)
    pairs, untestable = screened(200 + 50 * wave, 33 + points / 2 * wave)
    assert len(pairs) == tested
    assert list(untestable.values()) == ([] if tested else ["it moves by less than 2 points"])


@pytest.mark.parametrize(("share", "tested"), [(0.05, 0), (0.5, 1)])
def test_responses_must_move_by_a_tenth(share: float, tested: int) -> None:
    wave = np.sin(np.arange(N) / 3)
    pairs, untestable = screened(105 * (1 + share / 2 * wave), 50 + 10 * wave)
    assert len(pairs) == tested
    assert ("mean_ms of GET /" in untestable) is not tested


def test_what_falls_because_users_wait_and_send_less_is_no_finding() -> None:
    rng = np.random.default_rng(2)
    times = 200 + 60 * ar1(rng, N, 0.5)
    arrivals = 400 - times + rng.normal(0, 5, N)
    cpu = arrivals / 5 + rng.normal(0, 1, N)
    [alone], _ = screened(times, cpu)
    assert alone.verdict == "moves_with"
    [pair], _ = screened(times, cpu, arrivals)
    assert pair.verdict == "insufficient_evidence"
    assert "users who wait send less" in pair.text


def test_what_goes_against_responses_by_itself_is_still_found() -> None:
    rng = np.random.default_rng(3)
    times = 200 + 60 * ar1(rng, N, 0.5)
    [pair], _ = screened(times, 500 - times + rng.normal(0, 5, N), rng.poisson(300, N).astype(float), "cache.hits")
    assert (pair.verdict, "in the opposite direction" in pair.text) == ("moves_with", True)


def test_a_calm_run_says_that_nothing_moves(tmp_path: Path) -> None:
    write_run(runs_in(tmp_path), steady(seconds=900), "run-1")
    found = correlate_test_results(runs_in(tmp_path), "run-1")
    assert found.findings == ()
    assert not any(one.verdict == "moves_with" for one in found.pairs)
    assert (found.answer, found.status) == ("insufficient_evidence", "complete")


def test_a_metric_has_one_finding_however_many_responses_move_with_it(tmp_path: Path) -> None:
    write_run(runs_in(tmp_path), saturation(), "run-1")
    found = [one for one in correlate_test_results(runs_in(tmp_path), "run-1").findings if one.kind == "moves_with"]
    said = [(one.subject, one.text.partition(" moves with ")[2].partition(":")[0]) for one in found]
    assert len(said) == len(set(said))


def test_what_was_not_tested_is_not_told_as_tested(tmp_path: Path) -> None:
    """The run is too short for thirty readings of the processor, and long enough for it to be hot."""
    scenario = saturation(level_s=40)
    write_run(runs_in(tmp_path), scenario, "run-1")
    assert correlate_test_results(runs_in(tmp_path), "run-1").pairs_tested == 0
    found = identify_bottlenecks(runs_in(tmp_path), "run-1")
    told = [one.text for cpu in found.bottlenecks if cpu.kind == "cpu" for one in cpu.counter_evidence]
    assert any("was not tested" in one for one in told)


def test_times_and_throughput_are_told_as_they_went(tmp_path: Path) -> None:
    write_run(runs_in(tmp_path), saturation(), "run-1")
    [cpu] = [one for one in identify_bottlenecks(runs_in(tmp_path), "run-1").bottlenecks if one.kind == "cpu"]
    assert "stood still" not in cpu.text
    [rise] = [one for one in cpu.evidence if "then_ms" in one.numbers]
    assert "Responses begin to take longer at" in rise.text
    assert float(rise.numbers["by_s"] or 0) > float(rise.numbers["at_s"] or 0)


def test_of_processors_at_their_end_by_chance_none_is_found() -> None:
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = [np.minimum(100.0, 105 + 10 * ar1(rng, N, 0.5)) for _ in range(20)]
        candidates = tuple(Candidate(HOST, f"{number}_pct", row) for number, row in enumerate(rows))
        response = Response("GET /", "mean_ms", 300 + 60 * ar1(rng, N, 0.5))
        pairs, _ = screen([Scene(20.0, (response,), candidates, (), ())])
        hits += any(one.verdict == "moves_with" for one in pairs)
    assert hits <= 3


def test_of_metrics_that_follow_arrivals_hardly_any_is_found() -> None:
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        times = 300 + 60 * ar1(rng, N, 0.5)
        arrivals = 400 - times + rng.normal(0, 15, N)
        rows = [arrivals / 8 + rng.normal(0, 2, N) for _ in range(10)]
        candidates = tuple(Candidate(HOST, f"{number}_pct", row) for number, row in enumerate(rows))
        pairs, _ = screen([Scene(20.0, (Response("GET /", "mean_ms", times),), candidates, (), (), arrivals)])
        hits += any(one.verdict == "moves_with" for one in pairs)
    assert hits <= 1
