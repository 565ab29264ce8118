"""How often a comparison of two runs finds what is there, and finds what is not.

python tests/benchmarks/comparison_power.py [pairs] [first seed]

Each run has 15 minutes at 40 requests per second, lognormal times, noise that all requests share and that remembers
(a tenth, phi 0.95), and differs from the other one by an effect of 3 %, as two runs of the same thing do. Failures come
each for itself, or in bursts: then a request fails while a state that remembers (20 s) is bad.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from perfsuite_perfanalysis.core.blocks import Blocks
from perfsuite_perfanalysis.core.changes import Side, label_changes
from perfsuite_perfanalysis.core.verdicts import Floors, judged

SECONDS: Final = 900
PER_S: Final = 40
BLOCK_S: Final = 10
PAIRS: Final = 500

BURST_S: Final = 20

Floats = NDArray[np.float64]
Altered = Callable[[Floats], Floats]
Fails = Callable[[NDArray[np.int64]], NDArray[np.bool_]]


@dataclass(frozen=True)
class Failing:
    """The share of requests that fail before and after, and whether they do so in bursts."""

    before: float = 0.0
    after: float = 0.0
    in_bursts: bool = False

    def drawn(self, rng: np.random.Generator, share: float, second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which requests fail."""
        if not self.in_bursts:
            found: NDArray[np.bool_] = rng.random(len(second)) < share
            return found
        # Half of what arrives while it is bad fails, so it is bad for twice the share of the time.
        is_bad, state = np.zeros(SECONDS, dtype=bool), False
        for at in range(SECONDS):
            ends = 1 / BURST_S
            begins = ends * 2 * share / (1 - 2 * share)
            state = rng.random() >= ends if state else rng.random() < begins
            is_bad[at] = state
        return is_bad[second] & (rng.random(len(second)) < 0.5)


def level_of(rng: np.random.Generator) -> Floats:
    """The logarithm of what all requests of a run share, second by second."""
    shared = np.empty(SECONDS)
    level = rng.normal(0, 0.1)
    for second, push in enumerate(rng.normal(0, 0.1 * np.sqrt(1 - 0.95**2), SECONDS)):
        level = 0.95 * level + push
        shared[second] = level
    return shared + rng.normal(0, 0.03 / np.sqrt(2))


def side(
    rng: np.random.Generator, name: tuple[str, str], per_s: float, level: Floats, altered: Altered, fails: Fails
) -> Side:
    """A label of a run as the server counts it from its samples."""
    second = np.repeat(np.arange(SECONDS), rng.poisson(per_s, SECONDS))
    times = altered(rng.lognormal(np.log(200) + level[second], 0.5))
    place = np.floor(np.log(np.maximum(1, times * 1000)) / np.log(1.005)).astype(int)
    bins, column = np.unique(place, return_inverse=True)
    counts = np.zeros((2, SECONDS // BLOCK_S, len(bins)))
    np.add.at(counts, (fails(second).astype(int), second // BLOCK_S, column), 1)
    return Side(*name, "sample", Blocks(float(BLOCK_S), bins, counts[0], counts[1]))


def slower(times: Floats) -> Floats:
    return times * 1.25


def slower_tail(times: Floats) -> Floats:
    return np.where(times >= np.quantile(times, 0.9), times * 1.4, times)


def unchanged(times: Floats) -> Floats:
    return times


def flagged(seed: int, altered: Altered, labels: int, failing: Failing) -> set[str]:
    """The metrics of any label that a comparison of two runs calls a regression or an improvement."""
    rng = np.random.default_rng(seed)
    levels = level_of(rng), level_of(rng)
    fails = [partial(failing.drawn, rng, share) for share in (failing.before, failing.after)]
    changes = []
    for number in range(labels):
        before = side(rng, (f"a-{seed}", str(number)), PER_S / labels, levels[0], unchanged, fails[0])
        after = side(rng, (f"b-{seed}", str(number)), PER_S / labels, levels[1], altered, fails[1])
        changes += list(label_changes(before, after))
    return {one.metric for one in judged(changes, Floors()) if one.verdict in ("regression", "improvement")}


def main() -> None:
    pairs, first = (int(text) for text in (*sys.argv[1:], *(str(PAIRS), "0")[len(sys.argv) - 1 :]))
    none, rare, some = Failing(), Failing(0.002, 0.002), Failing(0.02, 0.02)
    for name, altered, labels, failing, wanted in (
        ("the same twice (A/A)", unchanged, 1, none, "at most 3 %"),
        ("the same twice, 5 labels", unchanged, 5, none, "at most 3 %"),
        ("the same twice, 0.2 % fail", unchanged, 1, rare, "at most 3 %"),
        ("the same twice, 2 % fail", unchanged, 1, some, "at most 3 %"),
        ("the same twice, 2 % fail in bursts", unchanged, 1, Failing(0.02, 0.02, in_bursts=True), "at most 3 %"),
        ("everything 25 % slower", slower, 1, none, "at least 95 %"),
        ("the slowest tenth 40 % slower", slower_tail, 1, none, "at least 90 %"),
        ("0.2 % fail, then 2 %", unchanged, 1, Failing(0.002, 0.02), "at least 95 %"),
    ):
        began = time.perf_counter()
        found = [flagged(seed, altered, labels, failing) for seed in range(first, first + pairs)]
        share = sum(map(bool, found)) / pairs
        by_metric = {metric: sum(metric in one for one in found) / pairs for metric in sorted(set().union(*found))}
        told = ", ".join(f"{metric} {part:.1%}" for metric, part in by_metric.items())
        took = time.perf_counter() - began
        print(f"{name:36} flagged {share:6.1%} of {pairs} pairs ({wanted}; {took:.0f} s)  {told}", flush=True)


if __name__ == "__main__":
    main()
