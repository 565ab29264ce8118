"""What JMeter's summariser printed: the count of samples that it kept for itself."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NAME: Final = "summary"
# Numbers are written as the JVM's locale has it, and a rate that cannot be is written in stars.
_LINE: Final = re.compile(
    r"(?:^|: )(?P<name>[^:]+?) =\s+(?P<samples>\d{1,18}) in\s+"
    r"(?:\d+:\d\d:\d\d|[\d.,]+s) =\s*(?:[\d.,\u00a0\u202f']+|\*+)/s "
    r"Avg:\s*\d+ Min:\s*-?\d+ Max:\s*-?\d+ Err:\s*(?P<errors>\d{1,18}) \([\d.,\u00a0\u202f']+\s?%\)\s*$"
)


@dataclass(frozen=True)
class SummaryTotal:
    """The samplers of the whole test, as of the last line that told."""

    samples: int
    errors: int


def last_total(lines: Iterable[str]) -> SummaryTotal | None:
    """The last total that stands in a console or a log; one under another name only if there is no other."""
    ours = others = None
    for line in lines:
        # Looking for two words costs a tenth of matching the whole line.
        if "Avg:" in line and "Err:" in line and (match := _LINE.search(line)):
            total = SummaryTotal(int(match["samples"]), int(match["errors"]))
            if match["name"] == NAME:
                ours = total
            else:
                others = total
    return ours or others
