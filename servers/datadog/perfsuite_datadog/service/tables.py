"""The CSV files of metrics, in long form: one row a value."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from perfsuite_datadog.core.windows import utc_text

COLUMNS: Final = (
    "env_name",
    "env_tag",
    "scope",
    "hostname",
    "filter",
    "container_or_pod",
    "timestamp_utc",
    "metric",
    "value",
    "unit",
    "note",
)


@dataclass(frozen=True)
class Subject:
    """What the rows of a block are about, in the order of the first columns."""

    env_name: str
    env_tag: str
    scope: str
    hostname: str = ""
    filter: str = ""
    container_or_pod: str = ""


@dataclass(frozen=True)
class Block:
    """One metric of one subject over time. `note` says why values are missing, where that is known."""

    subject: Subject
    metric: str
    unit: str
    times: Sequence[str]
    values: Sequence[float | None]
    note: str = ""


def time_texts(times_ms: Iterable[int]) -> list[str]:
    """The times as the files write them."""
    return [utc_text(datetime.fromtimestamp(time / 1000, UTC)) for time in times_ms]


def write_table(path: Path, blocks: Iterable[Block]) -> int:
    """Write the blocks and say how many rows that were. What is unknown stays empty, and is never a number."""
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for block in blocks:
            one = block.subject
            head = (one.env_name, one.env_tag, one.scope, one.hostname, one.filter, one.container_or_pod)
            writer.writerows(
                (*head, time, block.metric, *_cells(value), block.unit, block.note if value is None else "")
                for time, value in zip(block.times, block.values, strict=True)
            )
            rows += len(block.times)
    return rows


def _cells(value: float | None) -> tuple[str]:
    return ("" if value is None else f"{value:.12g}",)
