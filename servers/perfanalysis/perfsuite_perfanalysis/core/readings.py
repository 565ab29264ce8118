"""What was measured of hosts and containers: a series for each metric, at even moments."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from perfsuite_perfanalysis.core.series import Floats

SHORTEST_GRID_S: Final = 10.0
_FEWEST: Final = 3


@dataclass(frozen=True, order=True)
class Subject:
    """A host, or a container of a service."""

    scope: Literal["host", "container"]
    environment: str
    service: str
    host: str
    name: str

    @property
    def shown(self) -> str:
        return f"{self.service}/{self.name}" if self.service and self.service != self.name else self.name


@dataclass(frozen=True)
class MetricSeries:
    """One metric of one subject. A reading stands for the interval that begins at its moment."""

    subject: Subject
    metric: str
    unit: str
    at_s: Floats
    """Seconds after the first sample, in order and without repetition; not a number where nothing was reported."""
    values: Floats
    interval_s: float
    note: str = ""

    def within(self, from_s: float, to_s: float) -> "MetricSeries":
        """The readings whose interval has its middle within a window."""
        middle = self.at_s + self.interval_s / 2
        kept = (middle >= from_s) & (middle < to_s)
        return MetricSeries(
            self.subject, self.metric, self.unit, self.at_s[kept], self.values[kept], self.interval_s, self.note
        )

    @property
    def known(self) -> Floats:
        found: Floats = self.values[np.isfinite(self.values)]
        return found

    def evenly(self) -> Floats:
        """The values at every moment from the first reading to the last; those in between are not numbers."""
        if not len(self.at_s):
            return np.zeros(0)
        places = np.round((self.at_s - self.at_s[0]) / self.interval_s).astype(np.int64)
        found = np.full(int(places[-1]) + 1, np.nan)
        found[places] = self.values
        return found


def interval_of(at_s: Floats, otherwise: float | None = None) -> float:
    """The step between readings that occurs most often; a shorter one, should several."""
    steps = np.diff(at_s)
    steps = steps[steps > 0]
    if len(steps) < _FEWEST - 1:
        return otherwise or (float(steps[0]) if len(steps) else 60.0)
    found, counts = np.unique(np.round(steps, 3), return_counts=True)
    return max(0.001, float(found[int(np.argmax(counts))]))


def of_subjects(found: Iterable[MetricSeries]) -> Iterator[tuple[Subject, dict[str, MetricSeries]]]:
    """The series of each subject by the name of the metric, in an order that does not change."""
    together: dict[Subject, dict[str, MetricSeries]] = {}
    for one in found:
        together.setdefault(one.subject, {})[one.metric] = one
    for subject in sorted(together):
        yield subject, dict(sorted(together[subject].items()))
