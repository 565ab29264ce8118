"""What is asked of samples, and how the numbers are defined. Light: servers import it before NumPy and DuckDB."""

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

from perfsuite.errors import BadInput
from perfsuite.samples.rows import Kind

PercentileMethod = Literal["linear", "nearest-rank", "jmeter-aggregate", "jmeter-dashboard"]
METHODS: Final[tuple[PercentileMethod, ...]] = get_args(PercentileMethod)

DEFAULT_PERCENTILES: Final = (50.0, 90.0, 95.0, 99.0)
THROUGHPUT_DEFINITION: Final = "samples / (end of the last - start of the first), over each label's own span"
FURTHEST_S: Final = 10 * 365 * 86_400
OTHER_LABELS: Final = "(other labels)"
"""What rare labels are called together where there are too many."""


@dataclass(frozen=True)
class Apdex:
    """The two limits of APDEX in milliseconds; JMeter's defaults."""

    satisfied_ms: float = 500.0
    tolerated_ms: float = 1500.0

    def __post_init__(self) -> None:
        if not 0 < self.satisfied_ms <= self.tolerated_ms < math.inf:
            raise BadInput(
                f"The APDEX limits are {self.satisfied_ms} and {self.tolerated_ms} ms.",
                next_step="Give two positive numbers of milliseconds, the smaller one first.",
            )


DEFAULT_APDEX: Final = Apdex()


@dataclass(frozen=True)
class Choice:
    """What is computed of each label."""

    percentiles: tuple[float, ...] = DEFAULT_PERCENTILES
    method: PercentileMethod = "linear"
    apdex: Apdex = DEFAULT_APDEX


@dataclass(frozen=True)
class Selection:
    """Which samples a question is about."""

    labels: tuple[str, ...] = ()
    """Exact labels, or glob patterns with * and ?; none means all."""
    kind: Kind | None = "sample"
    from_s: float | None = None
    """Seconds after the start of the first sample; a sample belongs to the moment it started."""
    to_s: float | None = None

    def __post_init__(self) -> None:
        for name, limit in (("from_s", self.from_s), ("to_s", self.to_s)):
            if limit is not None and not abs(limit) <= FURTHEST_S:
                raise BadInput(
                    f"`{name}` is {limit}, which is no moment of a run.",
                    next_step=f"Give `{name}` in seconds after the first sample.",
                )
        if self.from_s is not None and self.to_s is not None and self.from_s >= self.to_s:
            raise BadInput(
                f"The window from {self.from_s} s to {self.to_s} s is empty.",
                next_step="Give `from_s` below `to_s`, in seconds after the first sample.",
            )


def percentile_key(percentile: float) -> str:
    return f"p{percentile:.15g}_ms"
