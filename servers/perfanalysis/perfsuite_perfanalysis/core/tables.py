"""Histograms of all labels, cut into what single labels need."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from perfsuite.artifacts.analyses import Bin, LabelOverTime
from perfsuite_perfanalysis.core.blocks import Blocks, needed_samples, percentiles_of
from perfsuite_perfanalysis.core.identity import shown
from perfsuite_perfanalysis.core.series import Floats

if TYPE_CHECKING:
    from perfsuite.samples.course import Histograms

MOST_POINTS = 120
_LOG_BIN = math.log(1.005)
_INSTANT_S = 0.001
_BINS_TOGETHER = 46
"""Bins of half a percent, so that one of a distribution is a quarter wide."""


def block_width_for(span_s: float) -> float:
    """The width in which a run of this length is cut into blocks."""
    return 1.0 if span_s < 200 else max(10.0, math.ceil(span_s / MOST_POINTS))


def blocks_of(table: "Histograms", labels: Iterable[int], from_s: float = 0.0, to_s: float | None = None) -> Blocks:
    """These labels together, in the blocks that lie wholly within a window."""
    first = math.ceil(from_s / table.block_s - 1e-9)
    last = table.blocks if to_s is None else min(table.blocks, math.floor(to_s / table.block_s + 1e-9))
    count = max(1, last - first)
    parts = [_places(table, label) for label in labels]
    place = np.concatenate([np.arange(part.start, part.stop) for part in parts]) if parts else np.zeros(0, dtype=int)
    place = place[(table.block[place] >= first) & (table.block[place] < first + count)]
    bins, column = np.unique(table.bin[place], return_inverse=True)
    bins = bins if len(bins) else np.zeros(1, dtype=np.int64)
    outcome = np.zeros((2, count, len(bins)))
    np.add.at(outcome, (table.failed[place].astype(int), table.block[place] - first, column), table.n[place])
    last_s = min(table.block_s, max(table.span_s - (first + count - 1) * table.block_s, _INSTANT_S))
    return Blocks(table.block_s, bins.astype(np.int64), outcome[0], outcome[1], last_s)


def distribution(blocks: Blocks) -> tuple[Bin, ...]:
    """All samples by time, in bins that are a quarter wide."""
    counts = blocks.everything.sum(axis=0)
    wide = blocks.bins // _BINS_TOGETHER
    return tuple(
        Bin(from_ms=_edge_ms(one), to_ms=_edge_ms(one + 1), samples=int(counts[wide == one].sum()))
        for one in np.unique(wide)
        if counts[wide == one].sum()
    )


def label_over_time(label: str, kind: str, blocks: Blocks) -> LabelOverTime:
    """A label in at most 120 stretches of time."""
    wide = blocks.of_width(point_width_s(blocks))
    everything = wide.everything
    totals = everything.sum(axis=1)
    found = percentiles_of(everything, wide.bins, [50, 95])
    return LabelOverTime(
        label=shown(label),
        kind=kind,
        completed=tuple(totals.astype(int).tolist()),
        errors=tuple(wide.failed.sum(axis=1).astype(int).tolist()),
        p50_ms=_where(found[:, 0], totals, needed_samples(50)),
        p95_ms=_where(found[:, 1], totals, needed_samples(95)),
    )


def point_width_s(blocks: Blocks) -> float:
    """The width of those stretches."""
    return blocks.block_s * math.ceil(len(blocks.succeeded) / MOST_POINTS)


def _places(table: "Histograms", label: int) -> slice:
    return slice(*np.searchsorted(table.label, [label, label + 1]).tolist())


def _edge_ms(wide: int) -> float:
    return round(math.exp(float(wide) * _BINS_TOGETHER * _LOG_BIN) / 1000, 4)


def _where(values: Floats, totals: Floats, least: int) -> tuple[float | None, ...]:
    enough = totals >= least
    return tuple(round(float(value), 3) if ok else None for value, ok in zip(values, enough, strict=True))
