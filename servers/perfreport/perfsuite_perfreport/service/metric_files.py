"""Reads one kind of metric out of the files of collected metrics, which hold many."""

import csv
import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from perfsuite.artifacts import RunFolder, layout
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger

if TYPE_CHECKING:
    from perfsuite_perfreport.core.charts.resources import MetricLine

_NEEDED: Final = ("timestamp_utc", "metric", "value")
_LARGEST: Final = 1_000_000_000
_MOST_READINGS: Final = 3_000_000
_LONGEST_LINE: Final = 10_000
_LONGEST_NAME: Final = 300


class Subject(NamedTuple):
    """What was measured: a host, or a container that was asked for by `service`."""

    name: str
    host: str
    service: str

    @property
    def shown(self) -> str:
        return f"{self.service}/{self.name}" if self.service and self.service != self.name else self.name


class Readings(NamedTuple):
    """A metric of a subject, by seconds after the first sample; not a number where nothing was reported."""

    subject: Subject
    metric: str
    values: dict[float, float]

    def line(self, name: str | None = None) -> "MetricLine":
        """The same to be drawn, with gaps where readings are missing."""
        import numpy as np

        from perfsuite_perfreport.core.charts.resources import MetricLine

        at_s = np.array(sorted(self.values))
        values = np.array([self.values[at] for at in sorted(self.values)])
        steps = np.diff(at_s)
        if len(steps):
            wide = np.flatnonzero(steps > 2.5 * np.median(steps))
            at_s = np.insert(at_s, wide + 1, at_s[wide] + 1e-3)
            values = np.insert(values, wide + 1, np.nan)
        return MetricLine(name or self.subject.shown, self.metric, at_s, values)


def metric_files(run: RunFolder) -> list[Path]:
    """The files of metrics that finished steps left."""
    ledger = Ledger(run)
    return [path for artifact in (layout.HOST_METRICS, layout.K8S_METRICS) for path in ledger.files(artifact)]


def readings_of(paths: list[Path], metrics: tuple[str, ...], start: datetime, span_s: float) -> list[Readings]:
    """These metrics of all subjects, where they have at least one reading within the run."""
    found: dict[tuple[Subject, str], Readings] = {}
    left = _MOST_READINGS
    for path in paths:
        if path.stat().st_size > _LARGEST:
            continue
        for row in _rows(path, metrics):
            left -= 1
            if left < 0:
                break
            _take(row, start.timestamp(), span_s, found)
    known = [one for one in found.values() if any(map(math.isfinite, one.values.values()))]
    return sorted(known, key=lambda one: (one.subject, one.metric))


def _rows(path: Path, metrics: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """The rows of these metrics: only lines that hold the name of one are taken apart, which is most of the work."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        columns = next(csv.reader([lines.readline(_LONGEST_LINE)]), [])
        if not set(_NEEDED) <= set(columns):
            return
        marked = (
            line
            for line in lines
            if any(metric in line for metric in metrics) and len(line) < _LONGEST_LINE and "\0" not in line
        )
        for cells in csv.reader(marked):
            row = dict(zip(columns, cells, strict=False))
            if len(cells) == len(columns) and row["metric"] in metrics:
                yield row


def _take(row: dict[str, str], start: float, span_s: float, found: dict[tuple[Subject, str], Readings]) -> None:
    try:
        moment = datetime.fromisoformat(row["timestamp_utc"][:40])
    except ValueError:
        return
    if moment.tzinfo is None:
        return
    at_s = round(moment.timestamp() - start, 3)
    if not -600 <= at_s <= span_s:
        return
    who = _subject(row)
    one = found.setdefault((who, row["metric"]), Readings(who, row["metric"], {}))
    one.values[at_s] = _number(row["value"])


def _subject(row: dict[str, str]) -> Subject:
    host, service, container = (
        printable(row.get(name, ""), _LONGEST_NAME) for name in ("hostname", "filter", "container_or_pod")
    )
    if container or (service and not host):
        return Subject(container or service, host, service)
    return Subject(host or "(no name)", host, "")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
