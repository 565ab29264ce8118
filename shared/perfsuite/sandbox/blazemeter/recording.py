"""The samples behind the runs: read from result files, split between engines, and counted."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perfsuite.errors import BadFile
from perfsuite.samples import parquet
from perfsuite.samples.definitions import Choice, Selection
from perfsuite.samples.engine import Engine, quoted, quoted_path
from perfsuite.samples.options import DEFAULT_READ
from perfsuite.samples.queries import Samples
from perfsuite.samples.sources import Sources
from perfsuite.samples.statistics import Statistics
from perfsuite.samples.summary import trusted
from perfsuite.sandbox.blazemeter import kpi_files

STEPS: Final = 20
"""A run that goes on has one twentieth of its samples after the other."""
_CHOICE: Final = Choice(method="nearest-rank")
"""Which method BlazeMeter has is not known; it is not our default."""
_RESULTS: Final = ("samples.parquet", "jmeter/test-results.csv", "blazemeter/test-results.csv", "test-results.csv")


@dataclass(frozen=True)
class LabelNumbers:
    """A label's statistics, and what they leave out."""

    statistics: Statistics
    latency_ms: float | None
    bytes: float | None
    users: int | None


@dataclass(frozen=True)
class Failure:
    """Failed samples that are alike. The label is None for all samplers together."""

    label: str | None
    code: str
    message: str
    assertion: str | None
    url: str | None
    count: int


@dataclass(frozen=True)
class Numbers:
    """What reports tell of samples."""

    total: LabelNumbers
    labels: tuple[LabelNumbers, ...]
    failures: tuple[Failure, ...]


class Recording:
    """The samples of a run, or of its beginning."""

    def __init__(self, rows: Path, engines: int) -> None:
        self.rows = rows
        self.engines = engines
        self._lock = threading.Lock()
        self._numbers: Numbers | None = None
        self._beginnings: dict[int, Recording | None] = {STEPS: self}
        with Engine() as engine:
            [(first, last)] = engine.rows(
                f"SELECT min(started_us), max(started_us + elapsed_us) FROM read_parquet({quoted_path(rows)})"
            )
        self.first_us, self.last_us = int(first), int(last)

    @property
    def seconds(self) -> float:
        return (self.last_us - self.first_us) / 1e6

    @property
    def length(self) -> str:
        """As it is written in the set-up of a test."""
        seconds = max(1, round(self.seconds))
        return f"{seconds}s" if seconds % 60 else f"{seconds // 60}m"

    def numbers(self) -> Numbers:
        """The statistics of what the kpi files hold."""
        with self._lock:
            if self._numbers is None:
                self._numbers = self._counted()
            return self._numbers

    def beginning(self, step: int) -> "Recording | None":
        """What there is after so many twentieths; None while there is nothing."""
        with self._lock:
            if step not in self._beginnings:
                self._beginnings[step] = self._cut(step) if step > 0 else None
            return self._beginnings[step]

    def _cut(self, step: int) -> "Recording | None":
        until = self.first_us + (self.last_us - self.first_us) * step // STEPS
        target = self.rows.with_name(f"{self.rows.stem}-{step}.parquet")
        rows = f"SELECT * FROM read_parquet({quoted_path(self.rows)}) WHERE started_us + elapsed_us <= {until}"
        with Engine() as engine:
            [(count,)] = engine.rows(f"SELECT count(*) FROM ({rows})")
            engine.run(f"COPY ({rows}) TO {quoted(str(target))} (FORMAT parquet)")
        return Recording(target, self.engines) if count else None

    def _counted(self) -> Numbers:
        files = [self.rows.with_name(f"{self.rows.stem}-kpi-{number}.jtl") for number in range(self.engines)]
        for number, file in enumerate(files):
            kpi_files.write(self.rows, file, kpi_files.Part(number))
        counted = self.rows.with_name(f"{self.rows.stem}-counted.parquet")
        with Engine() as engine:
            sources = Sources(engine, files, DEFAULT_READ)
            trusted(sources, lambda: parquet.write(engine, sources, "blazemeter", counted))
            failures = tuple(_failures(engine, self.rows))
        return _numbers(counted, failures)


def read(results: Sequence[Path], folder: Path, engines: int) -> Recording:
    """Read results into a folder. Several files are as many engines."""
    files = [results_in(path) for path in results]
    folder.mkdir(parents=True, exist_ok=True)
    canonical, rows = folder / "canonical.parquet", folder / "rows.parquet"
    with Engine() as engine:
        if files[0].suffix == ".parquet":
            parquet.read_metadata(engine, files[0])
            canonical = files[0]
        else:
            sources = Sources(engine, files, DEFAULT_READ)
            trusted(sources, lambda: parquet.write(engine, sources, "blazemeter", canonical))
        [(there, count)] = engine.rows(f"SELECT count(DISTINCT engine), count(*) FROM {parquet.relation(canonical)}")
        if not count:
            raise BadFile("The results hold no samples.", next_step="Name a file that has some.")
        engines = there if there > 1 else engines
        kpi_files.divide(engine, canonical, rows, engines, known=there > 1)
    return Recording(rows, engines)


def results_in(path: Path) -> Path:
    """The file itself, or the best one in a folder of a run."""
    if not path.is_dir():
        return path
    found = next((path / place for place in _RESULTS if (path / place).is_file()), None)
    if found is None:
        raise BadFile(f"{str(path)!r} holds none of {', '.join(_RESULTS)}.", next_step="Name a result file.")
    return found


def _numbers(counted: Path, failures: tuple[Failure, ...]) -> Numbers:
    with Engine() as engine:
        samples = Samples(counted, *parquet.read_metadata(engine, counted))
    labels, total = samples.statistics(_CHOICE, Selection(kind=None))
    extras = samples.extras()

    def one(statistics: Statistics, kind: str | None, label: str | None) -> LabelNumbers:
        extra = extras.get((kind, label), {})
        users = extra.get("users")
        return LabelNumbers(
            statistics, extra.get("latency_ms"), extra.get("bytes"), None if users is None else int(users)
        )

    counting = [label for label in labels if label.kind != "sub"]
    return Numbers(one(total, None, None), tuple(one(label, label.kind, label.label) for label in counting), failures)


def _failures(engine: Engine, rows: Path) -> list[Failure]:
    source = f"read_parquet({quoted_path(rows)})"
    columns = "coalesce(response_code, ''), coalesce(response_message, ''), failure_message, url, count(*) AS n"
    order = "GROUP BY ALL ORDER BY n DESC, 1 NULLS FIRST, 2, 3, 4, 5"
    found = engine.rows(f"SELECT NULL, {columns} FROM {source} WHERE NOT success AND kind = 'sample' {order}")
    found += engine.rows(f"SELECT label, {columns} FROM {source} WHERE NOT success AND kind != 'sub' {order}")
    return [Failure(*row) for row in found]
