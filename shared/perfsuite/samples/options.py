"""What a person may say about a result file that the file does not say itself."""

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from perfsuite.errors import BadInput

PercentileMethod = Literal["linear", "nearest-rank", "jmeter-aggregate", "jmeter-dashboard"]
METHODS: Final[tuple[PercentileMethod, ...]] = get_args(PercentileMethod)


@dataclass(frozen=True)
class ReadOptions:
    """How to read result files."""

    columns: tuple[str, ...] = ()
    """The column names of a CSV file without a header row."""
    timezone: str = "UTC"
    """The zone of times that are written as local dates."""
    timestamp: Literal["start", "end"] = "start"
    """Whether JMeter's `timeStamp` is the start of a sample, as by default, or its end."""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadInput(
                f"The time zone {self.timezone!r} is not known.",
                next_step="Give a name of the IANA data base, such as 'Europe/Berlin' or 'UTC'.",
            ) from None


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


DEFAULT_READ: Final = ReadOptions()
DEFAULT_APDEX: Final = Apdex()
