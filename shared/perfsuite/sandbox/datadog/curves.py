"""How much load there is over time: by a plan, by the samples of a run, or by what a shop publishes.

Every curve answers for any time, always the same. Noise is made from the time itself, so two questions about the same
second agree, whatever window they ask for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Floats = NDArray[np.float64]


class Curve(Protocol):
    """The load over time; times are seconds since the epoch."""

    def users(self, times: Floats) -> Floats: ...

    def requests_per_s(self, times: Floats) -> Floats: ...

    def error_rate(self, times: Floats) -> Floats: ...


class Corner(BaseModel):
    """So many users at a time; between two corners the number goes in a straight line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: float = Field(description="seconds since the epoch")
    users: float = Field(ge=0, le=1e6)


@dataclass(frozen=True)
class PlannedCurve:
    """Users by corners, who ask at a rate until the service can do no more, and then fail more often."""

    corners: Sequence[Corner]
    requests_per_user_s: float = 1.0
    capacity_per_s: float = 1e9
    base_error_rate: float = 0.002

    def users(self, times: Floats) -> Floats:
        if not self.corners:
            return np.zeros_like(times)
        ats, counts = [one.at for one in self.corners], [one.users for one in self.corners]
        return np.interp(times, ats, counts, left=0.0, right=0.0)

    def requests_per_s(self, times: Floats) -> Floats:
        return np.minimum(self.users(times) * self.requests_per_user_s, self.capacity_per_s)

    def error_rate(self, times: Floats) -> Floats:
        wanted = self.users(times) * self.requests_per_user_s
        lost = np.maximum(0.0, wanted - self.capacity_per_s) / np.maximum(wanted, 1e-9)
        return np.minimum(1.0, self.base_error_rate + lost)


@dataclass(frozen=True)
class MeasuredCurve:
    """What was measured, in buckets of equal width."""

    start: float
    width_s: float
    user_counts: Floats
    request_rates: Floats
    error_rates: Floats

    def users(self, times: Floats) -> Floats:
        return self._looked_up(self.user_counts, times)

    def requests_per_s(self, times: Floats) -> Floats:
        return self._looked_up(self.request_rates, times)

    def error_rate(self, times: Floats) -> Floats:
        return self._looked_up(self.error_rates, times)

    def _looked_up(self, values: Floats, times: Floats) -> Floats:
        if not len(values):
            return np.zeros_like(times)
        places = np.floor((times - self.start) / self.width_s).astype(np.int64)
        inside = (places >= 0) & (places < len(values))
        return np.where(inside, values[np.clip(places, 0, len(values) - 1)], 0.0)


def noise(times: Floats, seed: int) -> Floats:
    """Numbers between -1 and 1 that follow from the time and a seed alone."""
    turned = np.sin(np.floor(times) * 12.9898 + (seed % 10_007) * 78.233) * 43_758.5453
    return 2.0 * (turned - np.floor(turned)) - 1.0
