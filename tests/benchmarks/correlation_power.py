"""How often a run without any connection reports one, and how often a connection that is there is found.

python tests/benchmarks/correlation_power.py [runs]

Each run has 60 buckets of 20 seconds, one response and 40 metrics. Where something is to be found, the response is 0.8
of one of the metrics and 0.6 of noise.
"""

import sys
import time
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from perfsuite.artifacts.correlations import Pair
from perfsuite_perfanalysis.core.confounders import load_given
from perfsuite_perfanalysis.core.readings import Subject
from perfsuite_perfanalysis.core.screening import Candidate, Response, Scene, screen

BUCKETS: Final = 60
METRICS: Final = 40
RUNS: Final = 500
BETA: Final = 0.8
WIDTH_S: Final = 20.0

Floats = NDArray[np.float64]
Made = tuple[Floats, Floats, Floats]
"""The response, the metrics, the users."""


def noise(rng: np.random.Generator, rows: int, phi: float) -> Floats:
    """Series with this memory and a standard deviation of one."""
    found = np.empty((rows, BUCKETS))
    level = rng.normal(0, 1, rows)
    for bucket in range(BUCKETS):
        level = phi * level + rng.normal(0, np.sqrt(1 - phi**2), rows)
        found[:, bucket] = level
    return found


def independent(phi: float, ramp: float = 0.0) -> Callable[[np.random.Generator], Made]:
    """Nothing moves with anything, but for the load that all may follow."""

    def make(rng: np.random.Generator) -> Made:
        load = ramp * np.linspace(0, 1, BUCKETS)
        return noise(rng, 1, phi)[0] + load, noise(rng, METRICS, phi) + load, 20 + 20 * load

    return make


def stepping(rng: np.random.Generator) -> Made:
    """Everything jumps once, each at a moment of its own."""
    response, metrics = noise(rng, 1, 0.0)[0], noise(rng, METRICS, 0.0)
    for row in (response, *metrics):
        row[rng.integers(5, BUCKETS - 5) :] += 6
    return response, metrics, np.full(BUCKETS, 20.0)


def connected(phi: float, noise_phi: float, ramp: float = 0.0, lag: int = 0) -> Callable[[np.random.Generator], Made]:
    """The response follows the first metric, after so many buckets."""

    def make(rng: np.random.Generator) -> Made:
        load = ramp * np.linspace(0, 1, BUCKETS)
        metrics = noise(rng, METRICS, phi)
        cause = np.concatenate([noise(rng, 1, phi)[0][:lag], metrics[0][: BUCKETS - lag]])
        response = BETA * cause + np.sqrt(1 - BETA**2) * noise(rng, 1, noise_phi)[0]
        return response + load, metrics + load, 20 + 20 * load

    return make


NULL: Final = {
    "independent, no memory": independent(0.0),
    "independent, phi 0.9": independent(0.9),
    "ramped together, no memory": independent(0.0, ramp=4.0),
    "ramped together, phi 0.9": independent(0.9, ramp=4.0),
    "each jumps once by 6 sd": stepping,
}
TRUE: Final = {
    "metric and noise phi 0.9": connected(0.9, 0.9),
    "metric and noise phi 0.9, ramped": connected(0.9, 0.9, ramp=4.0),
    "metric and noise phi 0.9, lag 2": connected(0.9, 0.9, lag=2),
    "metric and noise phi 0.6": connected(0.6, 0.6),
    "metric phi 0.6, noise without": connected(0.6, 0.0),
    "metric and noise without memory": connected(0.0, 0.0),
    "metric phi 0.9, noise without": connected(0.9, 0.0),
}


def screened(rng: np.random.Generator, made: Made) -> tuple[Pair, ...]:
    """What the server says of a run."""
    response, metrics, users = made
    arrivals = rng.poisson(np.maximum(users, 1) * 12).astype(float)
    given, names, _ = load_given(response, arrivals, users)
    candidates = [
        Candidate(Subject("host", "shop", "", f"h{number}", f"h{number}"), "m", row)
        for number, row in enumerate(metrics)
    ]
    scene = Scene(WIDTH_S, (Response("GET /", "mean_ms", response),), tuple(candidates), given, names)
    pairs, _ = screen([scene])
    return tuple(one for one in pairs if one.verdict == "moves_with")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    began = time.perf_counter()
    print(f"{runs} runs of {BUCKETS} buckets and {METRICS} metrics\n\nnothing is there; runs that report anything")
    for name, make in NULL.items():
        wrong = sum(bool(screened(rng, make(rng))) for rng in map(np.random.default_rng, range(runs)))
        print(f"  {name:36} {wrong / runs:6.1%}", flush=True)
    print("one metric is (beta 0.8); runs that find it, and runs that report another one")
    for name, make in TRUE.items():
        found = [screened(rng, make(rng)) for rng in map(np.random.default_rng, range(runs))]
        right = sum(any(one.resource == "h0" for one in pairs) for pairs in found)
        others = sum(any(one.resource != "h0" for one in pairs) for pairs in found)
        print(f"  {name:36} {right / runs:6.1%} {others / runs:6.1%}", flush=True)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
