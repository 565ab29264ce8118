"""How often a comparison of two runs finds what is there, and finds what is not.

python tests/benchmarks/comparison_power.py [pairs]

Each run has 15 minutes at 40 requests per second, lognormal times, noise that all requests share and that remembers
(a tenth, phi 0.95), and differs from the other one by an effect of 3 %, as two runs of the same thing do.
"""

import sys
import time
from collections.abc import Callable
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

Floats = NDArray[np.float64]
Altered = Callable[[Floats], Floats]


def level_of(rng: np.random.Generator) -> Floats:
    """The logarithm of what all requests of a run share, second by second."""
    shared = np.empty(SECONDS)
    level = rng.normal(0, 0.1)
    for second, push in enumerate(rng.normal(0, 0.1 * np.sqrt(1 - 0.95**2), SECONDS)):
        level = 0.95 * level + push
        shared[second] = level
    return shared + rng.normal(0, 0.03 / np.sqrt(2))


def side(rng: np.random.Generator, run_id: str, label: str, per_s: float, level: Floats, altered: Altered) -> Side:
    """A label of a run as the server counts it from its samples."""
    second = np.repeat(np.arange(SECONDS), rng.poisson(per_s, SECONDS))
    times = altered(rng.lognormal(np.log(200) + level[second], 0.5))
    place = np.floor(np.log(np.maximum(1, times * 1000)) / np.log(1.005)).astype(int)
    bins, column = np.unique(place, return_inverse=True)
    counts = np.zeros((SECONDS // BLOCK_S, len(bins)))
    np.add.at(counts, (second // BLOCK_S, column), 1)
    return Side(run_id, label, "sample", Blocks(float(BLOCK_S), bins, counts, np.zeros_like(counts)))


def slower(times: Floats) -> Floats:
    return times * 1.25


def slower_tail(times: Floats) -> Floats:
    return np.where(times >= np.quantile(times, 0.9), times * 1.4, times)


def unchanged(times: Floats) -> Floats:
    return times


def flagged(seed: int, altered: Altered, labels: int) -> set[str]:
    """The metrics of any label that a comparison of two runs calls a regression or an improvement."""
    rng = np.random.default_rng(seed)
    levels = level_of(rng), level_of(rng)
    changes = []
    for number in range(labels):
        before = side(rng, f"a-{seed}", str(number), PER_S / labels, levels[0], unchanged)
        after = side(rng, f"b-{seed}", str(number), PER_S / labels, levels[1], altered)
        changes += list(label_changes(before, after))
    return {one.metric for one in judged(changes, Floors()) if one.verdict in ("regression", "improvement")}


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    for name, altered, labels, wanted in (
        ("the same twice (A/A)", unchanged, 1, "at most 3 %"),
        ("the same twice, 5 labels", unchanged, 5, "at most 3 %"),
        ("everything 25 % slower", slower, 1, "at least 95 %"),
        ("the slowest tenth 40 % slower", slower_tail, 1, "at least 90 %"),
    ):
        began = time.perf_counter()
        found = [flagged(seed, altered, labels) for seed in range(pairs)]
        share = sum(map(bool, found)) / pairs
        by_metric = {metric: sum(metric in one for one in found) / pairs for metric in sorted(set().union(*found))}
        told = ", ".join(f"{metric} {part:.1%}" for metric, part in by_metric.items())
        took = time.perf_counter() - began
        print(f"{name:32} flagged {share:6.1%} of {pairs} pairs ({wanted}; {took:.0f} s)  {told}")


if __name__ == "__main__":
    main()
