"""Exact statistics from counted values."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from perfsuite.samples import grouping
from perfsuite.samples.definitions import Choice, percentile_key
from perfsuite.samples.engine import Engine
from perfsuite.samples.grouping import LabelFacts
from perfsuite.samples.percentiles import Values, percentiles
from perfsuite.samples.rows import Kind

COUNTED_IN_TOTAL: Final[Kind] = "sample"
"""As JMeter's summariser counts: neither transaction controllers nor sub-results."""


@dataclass(frozen=True)
class Statistics:
    """The numbers of one label, or of all. None stands where the file does not tell or nothing was counted."""

    label: str
    kind: str
    samples: int
    errors: int
    error_rate: float | None
    mean_ms: float | None
    min_ms: float | None
    max_ms: float | None
    percentiles_ms: dict[str, float | None]
    """By name: p50_ms, p99.9_ms."""
    stdev_ms: float | None
    throughput_per_s: float | None
    received_kb_per_s: float | None
    sent_kb_per_s: float | None
    apdex: float | None
    first_us: int | None
    last_us: int | None

    def flat(self) -> dict[str, Any]:
        """As `perfsuite stats --json` shows it."""
        return {
            "label": self.label,
            "kind": self.kind,
            "samples": self.samples,
            "errors": self.errors,
            "error_rate": self.error_rate,
            "mean_ms": self.mean_ms,
            "min_ms": self.min_ms,
            "max_ms": self.max_ms,
            **self.percentiles_ms,
            "stdev_ms": self.stdev_ms,
            "throughput_per_s": self.throughput_per_s,
            "received_kb_per_s": self.received_kb_per_s,
            "sent_kb_per_s": self.sent_kb_per_s,
            "apdex": self.apdex,
        }


def all_statistics(
    engine: Engine, choice: Choice, total_of: Kind | None = COUNTED_IN_TOTAL
) -> tuple[list[Statistics], Statistics]:
    """The statistics of every label, and the total over a kind or (None) all rows, from what `grouping` grouped."""
    facts = grouping.label_facts(engine, choice.apdex)
    found = grouping.label_values(engine)
    bounds = np.searchsorted(found["id"], np.arange(len(facts) + 1))
    labels = [
        _statistics(fact, found["value_us"][bounds[i] : bounds[i + 1]], found["n"][bounds[i] : bounds[i + 1]], choice)
        for i, fact in enumerate(facts)
    ]
    del found
    return labels, _total(engine, facts, choice, total_of)


def nothing(label: str, kind: str, choice: Choice) -> Statistics:
    """The statistics of a label without samples."""
    unknown = dict.fromkeys(percentile_key(p) for p in choice.percentiles)
    return Statistics(label, kind, 0, 0, None, None, None, None, {**unknown}, None, None, None, None, None, None, None)


def _total(engine: Engine, facts: list[LabelFacts], choice: Choice, total_of: Kind | None) -> Statistics:
    kind = total_of or "any"
    counted = [fact for fact in facts if total_of in (None, fact.kind)]
    if not counted:
        return nothing("TOTAL", kind, choice)
    together = LabelFacts(
        kind=kind,
        label="TOTAL",
        errors=sum(fact.errors for fact in counted),
        first_us=min(fact.first_us for fact in counted),
        last_us=max(fact.last_us for fact in counted),
        bytes=_sum_of_known(fact.bytes for fact in counted),
        sent_bytes=_sum_of_known(fact.sent_bytes for fact in counted),
        satisfied=sum(fact.satisfied for fact in counted),
        within=sum(fact.within for fact in counted),
    )
    found = grouping.values_together(engine, total_of)
    return _statistics(together, found["value_us"], found["n"], choice)


def _statistics(fact: LabelFacts, values: Values, n: Values, choice: Choice) -> Statistics:
    samples = int(n.sum())
    span_s = (fact.last_us - fact.first_us) / 1e6
    mean = float((values.astype(np.float64) * n).sum()) / samples
    found = percentiles(values, n, list(choice.percentiles), choice.method)
    return Statistics(
        label=fact.label,
        kind=fact.kind,
        samples=samples,
        errors=fact.errors,
        error_rate=fact.errors / samples,
        mean_ms=mean / 1e3,
        min_ms=float(values[0]) / 1e3,
        max_ms=float(values[-1]) / 1e3,
        percentiles_ms={percentile_key(p): v / 1e3 for p, v in zip(choice.percentiles, found, strict=True)},
        stdev_ms=float(np.sqrt((((values - mean) ** 2) * n).sum() / samples)) / 1e3,
        throughput_per_s=samples / span_s if span_s > 0 else None,
        received_kb_per_s=_kilobytes_per_s(fact.bytes, span_s),
        sent_kb_per_s=_kilobytes_per_s(fact.sent_bytes, span_s),
        apdex=(fact.satisfied + fact.within) / 2 / samples,
        first_us=fact.first_us,
        last_us=fact.last_us,
    )


def _sum_of_known(sizes: Iterable[float | None]) -> float | None:
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None


def _kilobytes_per_s(size: float | None, span_s: float) -> float | None:
    return None if size is None or span_s <= 0 else size / 1024 / span_s
