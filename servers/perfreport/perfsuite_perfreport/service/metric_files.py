"""Reads one kind of metric out of the files of collected metrics, which hold many."""

import csv
import math
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from perfsuite.artifacts import RunFolder, layout, sha256_of
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger

if TYPE_CHECKING:
    from perfsuite_perfreport.core.charts.resources import MetricLine

_NEEDED: Final = ("metric", "timestamp_utc", "value")
_NAMES: Final = ("hostname", "filter", "container_or_pod")
_BEFORE_S: Final = 600
_LARGEST: Final = 1_000_000_000
_LARGEST_KEPT: Final = 10_000_000
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
    if sum(path.stat().st_size for path in paths) > _LARGEST_KEPT:
        return _read(paths, metrics, start, span_s)
    return list(_kept(tuple((path, sha256_of(path)) for path in paths), metrics, start, span_s))


@lru_cache(maxsize=6)
def _kept(
    files: tuple[tuple[Path, str], ...], metrics: tuple[str, ...], start: datetime, span_s: float
) -> list[Readings]:
    """Understood once for as long as the files stay the same: several charts are made of one metric."""
    return _read([path for path, _ in files], metrics, start, span_s)


def _read(paths: list[Path], metrics: tuple[str, ...], start: datetime, span_s: float) -> list[Readings]:
    found: dict[tuple[Subject, str], Readings] = {}
    # Hosts report at the same moments, and few names stand in many rows: each is understood once.
    moment, subject = lru_cache(100_000)(_moment), lru_cache(10_000)(_subject)
    begin = start.timestamp()
    rows = (row for path in paths if path.stat().st_size <= _LARGEST for row in _rows(path, metrics))
    for row in islice(rows, _MOST_READINGS):
        at = moment(row.moment)
        if at is None or not -_BEFORE_S <= at - begin <= span_s:
            continue
        key = subject(row.host, row.service, row.container), row.metric
        one = found.get(key) or found.setdefault(key, Readings(*key, {}))
        one.values[round(at - begin, 3)] = _number(row.value)
    known = [one for one in found.values() if any(map(math.isfinite, one.values.values()))]
    return sorted(known, key=lambda one: (one.subject, one.metric))


class _Row(NamedTuple):
    metric: str
    moment: str
    value: str
    host: str
    service: str
    container: str


def _rows(path: Path, metrics: tuple[str, ...]) -> Iterator[_Row]:
    """The rows of these metrics: only lines that hold the name of one are taken apart, which is most of the work."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        columns = next(csv.reader([lines.readline(_LONGEST_LINE)]), [])
        if not set(_NEEDED) <= set(columns):
            return
        # A column that is not there is read from an empty cell behind the last one.
        places = [columns.index(name) if name in columns else len(columns) for name in (*_NEEDED, *_NAMES)]
        marked = (
            line
            for line in lines
            if any(metric in line for metric in metrics) and len(line) < _LONGEST_LINE and "\0" not in line
        )
        for cells in csv.reader(marked):
            if len(cells) == len(columns):
                cells.append("")
                row = _Row(*[cells[place] for place in places])
                if row.metric in metrics:
                    yield row


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


def _subject(host: str, service: str, container: str) -> Subject:
    host, service, container = (printable(name, _LONGEST_NAME) for name in (host, service, container))
    if container or (service and not host):
        return Subject(container or service, host, service)
    return Subject(host or "(no name)", host, "")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
