"""What every source of samples does with them: the samples and the aggregate report into the run, and their proof."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.layout import Artifact
from perfsuite.artifacts.schemas import RunRecord, Source, Window
from perfsuite.errors import BadFile
from perfsuite.samples import aggregate, grouping, parquet
from perfsuite.samples import open as open_samples
from perfsuite.samples.engine import Engine, Progress
from perfsuite.samples.options import ReadOptions
from perfsuite.samples.sources import Sources
from perfsuite.samples.statistics import Statistics
from perfsuite.samples.summary import FileSummary, all_warnings, file_summaries, refuse_empty, trusted
from perfsuite.workflow.ledger import Ledger

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Origin:
    """Where samples come from: the stage that brings them, its tool, and its aggregate report."""

    stage: Source
    tool: str
    aggregate: Artifact


@dataclass(frozen=True)
class Brought:
    """What was read."""

    rows: int
    window: Window
    files: tuple[FileSummary, ...]
    warnings: tuple[str, ...]

    @property
    def rows_rejected(self) -> int:
        return sum(file.rows_rejected for file in self.files)


@contextmanager
def bringing(
    run: RunFolder, origin: Origin, files: Sequence[Path], options: ReadOptions, progress: Progress
) -> Iterator[Brought]:
    """Read result files into samples, which take the place of earlier ones when the block ends well."""
    with Engine(progress) as engine, run.staged(layout.SAMPLES) as target:
        found = Sources(engine, list(files), options)
        trusted(found, lambda: parquet.write(engine, found, origin.stage, target))
        refuse_empty(engine, found)
        first, last = grouping.window(engine)
        yield Brought(
            rows=grouping.row_count(engine),
            window=Window(first_sample_at=_moment(first), last_sample_at=_moment(last)),
            files=file_summaries(found),
            warnings=all_warnings(engine, found),
        )


def describe(run: RunFolder, origin: Origin, window: Window) -> None:
    """Say in the run's record where its samples come from, and from when they are."""

    def described(record: RunRecord) -> RunRecord:
        return record.model_copy(update={"source": origin.stage, "fidelity": "samples", "window": window})

    run.update(described)


def report(ledger: Ledger, origin: Origin, rows: int) -> tuple[list[Statistics], Statistics]:
    """Write the aggregate report, check the samples, and return the statistics of every label and the total."""
    run = ledger.folder
    with ledger.step(origin.stage, "aggregate_report", tool=origin.tool, inputs=[run.path(layout.SAMPLES)]) as step:
        samples = open_samples(run)
        with run.staged(origin.aggregate) as target:
            labels, total = aggregate.write_aggregate(samples, target)
        step.produced(run.path(origin.aggregate))
    with ledger.step(origin.stage, "validate", tool=origin.tool, inputs=[run.path(layout.SAMPLES)]):
        if samples.rows != rows:
            raise BadFile(
                f"'samples.parquet' of run {run.run_id!r} has {samples.rows} rows; {rows} were read.",
                next_step=f"Call `{origin.tool}` again.",
            )
    return labels, total


def _moment(moment_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment_us)
