"""What is named first in runs whose bottleneck is known: a confusion matrix.

python tests/benchmarks/bottleneck_confusion.py [seeds]
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from perfanalysis.bottleneck_runs import RUNS, written
from perfsuite.artifacts import RunStore
from perfsuite_perfanalysis.service.bottlenecks import identify_bottlenecks

SEEDS: Final = 20


def named_first(runs: RunStore, name: str, seed: int) -> str:
    """The class of the first bottleneck of a run."""
    run_id = f"{name.replace(' ', '-')}-{seed}"
    written(runs, name, seed, run_id)
    found = identify_bottlenecks(runs, run_id).bottlenecks
    return found[0].kind if found else "none"


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    began, right = time.perf_counter(), 0
    print(f"{seeds} seeds of each; what comes first, and how often\n")
    for name, (_, wanted) in RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            runs = RunStore(Path(folder))
            counts = Counter(named_first(runs, name, seed) for seed in range(1, seeds + 1))
        right += counts[wanted]
        told = ", ".join(f"{kind} {count}" for kind, count in counts.most_common())
        print(f"{name:20} wanted {wanted:15} found {told}", flush=True)
    print(f"\n{right} of {seeds * len(RUNS)} right, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
