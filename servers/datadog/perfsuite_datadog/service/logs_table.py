"""The CSV files of logs and spans: one row an event, written page by page."""

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from perfsuite.samples.rows import printable
from perfsuite_datadog.core.logs import COLUMNS, row
from perfsuite_datadog.models.logs import Event, EventKind
from perfsuite_datadog.models.metrics import Row

_EXAMPLES: Final = 5
_SHOWN: Final = 200
# Events come in the order of their times, so one that comes twice comes soon after.
_PAGES_REMEMBERED: Final = 3


@dataclass
class EventTable:
    """Takes pages of events. Without a file it only counts them and keeps the first few."""

    kind: EventKind
    env_name: str
    env_tag: str
    writer: Any = None
    rows: int = 0
    duplicates: int = 0
    examples: list[Row] = field(default_factory=list)
    _recent: deque[set[str]] = field(default_factory=lambda: deque(maxlen=_PAGES_REMEMBERED))

    def take(self, events: tuple[Event, ...]) -> None:
        """Write those of a page that were not there yet."""
        fresh = self._fresh(events)
        cells = [row(self.kind, one, self.env_name, self.env_tag) for one in fresh]
        if self.writer is not None:
            self.writer.writerows(cells)
        for one in cells[: _EXAMPLES - len(self.examples)]:
            self.examples.append(self._example(dict(zip(COLUMNS[self.kind], one, strict=True))))
        self.rows += len(fresh)

    def _fresh(self, events: tuple[Event, ...]) -> list[Event]:
        seen: set[str] = set()
        self._recent.append(seen)
        fresh = []
        for event in events:
            if event.id and any(event.id in page for page in self._recent):
                self.duplicates += 1
                continue
            seen.add(event.id)
            fresh.append(event)
        return fresh

    def _example(self, cells: dict[str, str]) -> Row:
        text = cells["message"] if self.kind == "logs" else f"{cells['resource']} {cells['error_message']}".strip()
        return {
            "at": cells["timestamp_utc"],
            "service": printable(cells["service"], 80),
            "status": printable(cells["status"], 20),
            "text": printable(text, _SHOWN),
        }


@contextmanager
def event_table(path: Path | None, kind: EventKind, env_name: str, env_tag: str) -> Iterator[EventTable]:
    """A table in this file, which has its header even where no event comes."""
    if path is None:
        yield EventTable(kind, env_name, env_tag)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS[kind])
        yield EventTable(kind, env_name, env_tag, writer)
