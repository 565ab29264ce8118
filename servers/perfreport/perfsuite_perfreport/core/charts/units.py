"""The units that charts.yaml may choose."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Times:
    """The unit of response times; they come in milliseconds."""

    unit: str
    factor: float

    def of(self, values: Floats) -> Floats:
        """Milliseconds in this unit."""
        found: Floats = values * self.factor
        return found

    def limit(self, value_ms: float | None) -> float | None:
        """A limit in this unit."""
        return None if value_ms is None else value_ms * self.factor


def times_of(unit: str | None) -> Times:
    """The unit of times; one of rates says nothing about it."""
    return Times("s", 1e-3) if unit == "s" else Times("ms", 1.0)


def rate_of(unit: str | None) -> tuple[float, str]:
    """The factor and the name of the unit of rates; they come per second."""
    return (60.0, "per minute") if unit == "per_min" else (1.0, "per second")
