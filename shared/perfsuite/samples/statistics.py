"""Exact statistics from counted values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perfsuite.samples import grouping
from perfsuite.samples.engine import Engine
from perfsuite.samples.options import DEFAULT_APDEX, Apdex
from perfsuite.samples.options import PercentileMethod
from perfsuite.samples.percentiles import percentiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Groups = dict[str, NDArray[Any]]

DEFAULT_PERCENTILES: Final = (50.0, 90.0, 95.0, 99.0)
THROUGHPUT_DEFINITION: Final = "samples / (end of the last - start of the first), over each label's own span"
COUNTED_IN_TOTAL: Final = "sample"
"""As JMeter's summariser counts: neither transaction controllers nor sub-results."""


@dataclass(frozen=True)
class Choice:
    """What is computed of each label."""

    percentiles: tuple[float, ...] = DEFAULT_PERCENTILES
    method: PercentileMethod = "linear"
    apdex: Apdex = DEFAULT_APDEX


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


def percentile_key(percentile: float) -> str:
    return f"p{percentile:.15g}_ms"


def all_statistics(engine: Engine, choice: Choice) -> tuple[list[Statistics], Statistics]:
    """The statistics of every label, and the total over samplers, from the table that `grouping.group` filled."""
    groups = grouping.label_groups(engine)
    names = grouping.labels(engine)
    bounds = np.searchsorted(groups["id"], np.arange(len(names) + 1))
    by_label = [
        statistics_of(label, kind, _slice(groups, slice(bounds[i], bounds[i + 1])), choice)
        for i, (kind, label) in enumerate(names)
    ]
    counted = [i for i, (kind, _) in enumerate(names) if kind == COUNTED_IN_TOTAL]
    total = _sorted(_slice(groups, np.isin(groups["id"], counted)))
    return by_label, statistics_of("TOTAL", COUNTED_IN_TOTAL, total, choice)


def statistics_of(label: str, kind: str, groups: "Groups", choice: Choice) -> Statistics:
    """The statistics of groups that are sorted by value."""
    n, values = groups["n"], groups["value_us"]
    samples = int(n.sum())
    if samples == 0:
        return nothing(label, kind, choice)
    failed = ~groups["success"].astype(bool)
    errors = int(groups["errors"].sum())
    first, last = int(groups["first_us"].min()), int(groups["last_us"].max())
    span_s = (last - first) / 1e6
    mean = float((values.astype(np.float64) * n).sum()) / samples
    return Statistics(
        label=label,
        kind=kind,
        samples=samples,
        errors=errors,
        error_rate=errors / samples,
        mean_ms=mean / 1e3,
        min_ms=float(values[0]) / 1e3,
        max_ms=float(values[-1]) / 1e3,
        percentiles_ms={
            percentile_key(p): value / 1e3
            for p, value in zip(
                choice.percentiles, percentiles(values, n, list(choice.percentiles), choice.method), strict=True
            )
        },
        stdev_ms=float(np.sqrt((((values - mean) ** 2) * n).sum() / samples)) / 1e3,
        throughput_per_s=samples / span_s if span_s > 0 else None,
        received_kb_per_s=_kilobytes(groups["bytes"], span_s),
        sent_kb_per_s=_kilobytes(groups["sent_bytes"], span_s),
        apdex=_apdex(values, n, ~failed, choice.apdex) / samples,
        first_us=first,
        last_us=last,
    )


def nothing(label: str, kind: str, choice: Choice) -> Statistics:
    unknown = dict.fromkeys(percentile_key(p) for p in choice.percentiles)
    return Statistics(label, kind, 0, 0, None, None, None, None, {**unknown}, None, None, None, None, None, None, None)


def _kilobytes(sizes: "NDArray[Any]", span_s: float) -> float | None:
    known = sizes[~np.ma.getmaskarray(sizes)]
    known = np.asarray(known, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.sum()) / 1024 / span_s if len(known) and span_s > 0 else None


def _apdex(values: "NDArray[Any]", n: "NDArray[Any]", success: "NDArray[Any]", limits: Apdex) -> float:
    satisfied = n[success & (values <= limits.satisfied_ms * 1e3)].sum()
    within = n[success & (values <= limits.tolerated_ms * 1e3)].sum()
    return float(satisfied + within) / 2


def _slice(groups: "Groups", where: Any) -> "Groups":
    return {name: column[where] for name, column in groups.items()}


def _sorted(groups: "Groups") -> "Groups":
    return _slice(groups, np.argsort(groups["value_us"], kind="stable"))
