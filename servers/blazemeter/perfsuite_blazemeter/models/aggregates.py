"""BlazeMeter's request statistics beside our own."""

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from perfsuite_blazemeter.models.answers import Answer, Part


@dataclass(frozen=True)
class Ours:
    """What the samples of a run say about one label, or about all samplers together."""

    label: str
    kind: str
    samples: int
    errors: int
    min_ms: float | None
    max_ms: float | None
    percentiles_ms: dict[str, float | None]


@dataclass(frozen=True)
class Circumstances:
    """What is known of our samples that explains why others count otherwise."""

    rows_rejected: int = 0
    incomplete_because: str | None = None


class Difference(Part):
    """A number that BlazeMeter and the samples do not agree on."""

    label: str
    field: str
    blazemeter: float | None
    samples: float | None
    likely_reason: str


class PercentilePair(Part):
    """Percentiles of both. BlazeMeter does not say how it computes its own, so they are not comparable."""

    label: str
    comparable: bool = False
    blazemeter_ms: dict[str, float | None]
    samples_ms: dict[str, float | None]


class AggregateReport(Answer):
    """BlazeMeter's statistics by label, compared with the samples."""

    run_id: str
    master_id: int
    file: str
    labels: int
    overall: dict[str, Any] = Field(description="BlazeMeter's row ALL; errorsRate in percent")
    compared: bool = Field(description="false without samples")
    labels_that_agree: int
    differences: list[Difference]
    total: int
    has_more: bool
    percentiles: list[PercentilePair] = Field(description="not comparable: other methods")
    window: str | None = Field(description="first to last sample, for metrics and logs")
    notes: list[str]
    next_step: str
