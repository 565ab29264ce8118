"""How two distributions differ, for people to see: nothing here judges."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

import numpy as np

from perfsuite.artifacts.comparisons import LabelShift, Renamed
from perfsuite_perfanalysis.core.blocks import Blocks, needed_samples, percentiles_of
from perfsuite_perfanalysis.core.changes import Side
from perfsuite_perfanalysis.core.identity import shown
from perfsuite_perfanalysis.core.series import Floats

_POINTS: Final = 400
_DECILES: Final = tuple(range(10, 100, 10))
_SIMILAR: Final = 0.75
_MOST_NAMES: Final = 200


def label_shift(baseline: Side, candidate: Side) -> LabelShift | None:
    """Cliff's delta, Hodges and Lehmann's shift and the differences of the deciles, of successes."""
    if min(baseline.blocks.successes, candidate.blocks.successes) < needed_samples(50):
        return None
    before, after = (_quantiles(side.blocks, np.linspace(0.5, 99.5, _POINTS)) for side in (baseline, candidate))
    deciles = _quantiles(candidate.blocks, _DECILES) - _quantiles(baseline.blocks, _DECILES)
    return LabelShift(
        label=shown(baseline.label),
        kind=baseline.kind,
        cliffs_delta=round(cliffs_delta(baseline.blocks, candidate.blocks), 6),
        median_shift_ms=round(float(np.median(after[:, None] - before[None, :])), 4),
        deciles_ms=tuple(round(float(one), 4) for one in deciles),
    )


def cliffs_delta(baseline: Blocks, candidate: Blocks) -> float:
    """How much more often a sample of the candidate is slower than one of the baseline; bins tie with themselves."""
    bins = np.union1d(baseline.bins, candidate.bins)
    before, after = (_on(blocks, bins) for blocks in (baseline, candidate))
    below = np.cumsum(before) - before
    above = before.sum() - below - before
    return float((after * (below - above)).sum() / (before.sum() * after.sum()))


def renamed(gone: Sequence[str], new: Sequence[str]) -> tuple[Renamed, ...]:
    """Pairs of a label that is gone and one that is new with much in common, the most alike first, by whole names."""
    pairs = sorted(
        ((_alike(old, other), old, other) for old in gone[:_MOST_NAMES] for other in new[:_MOST_NAMES]),
        key=lambda one: (-one[0], one[1], one[2]),
    )
    found: list[Renamed] = []
    taken: set[tuple[str, str]] = set()
    for similarity, old, other in pairs:
        if similarity >= _SIMILAR and not taken & {("gone", old), ("new", other)}:
            taken |= {("gone", old), ("new", other)}
            found.append(Renamed(baseline=old, candidate=other, similarity=round(similarity, 3)))
    return tuple(found)


def _alike(one: str, other: str) -> float:
    # The ratio depends on the order of its arguments, and swapping the runs must change nothing.
    first, second = sorted((one[:_MOST_NAMES], other[:_MOST_NAMES]))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _quantiles(blocks: Blocks, wanted: Sequence[float] | Floats) -> Floats:
    return percentiles_of(blocks.succeeded.sum(axis=0), blocks.bins, [float(one) for one in wanted])


def _on(blocks: Blocks, bins: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Floats:
    found = np.zeros(len(bins))
    found[np.searchsorted(bins, blocks.bins)] = blocks.succeeded.sum(axis=0)
    return found
