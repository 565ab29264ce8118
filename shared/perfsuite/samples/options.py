"""What a person may say about a result file that the file does not say itself."""

from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from perfsuite.errors import BadInput


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


DEFAULT_READ: Final = ReadOptions()
