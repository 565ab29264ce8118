"""What result files hold, in numbers: the work behind `perfsuite stats`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from perfsuite.errors import BadFile
from perfsuite.samples import grouping, kinds, staging
from perfsuite.samples.dashboard import dashboard_statistics
from perfsuite.samples.definitions import THROUGHPUT_DEFINITION, Choice
from perfsuite.samples.engine import Engine, Progress, no_progress
from perfsuite.samples.options import DEFAULT_READ, ReadOptions
from perfsuite.samples.rows import Rejected
from perfsuite.samples.sources import Sources
from perfsuite.samples.statistics import Statistics, all_statistics
from perfsuite.samples.times import utc

Compat = Literal["jmeter-dashboard"]

SUSPICIOUS_GAP_US: Final = 600_000_000
COUNTING: Final = "samplers only; transactions and sub-results are listed and left out of the total"
_ONLY_TRANSACTIONS: Final = (
    "The total is empty: every row is a transaction, or a part of one that generates a parent sample; see their lines."
)
_DASHBOARD_COUNTING: Final = "as JMeter's dashboard: sub-results count, transactions are left out of the total"


@dataclass(frozen=True)
class FileSummary:
    """One file, and how well it could be read."""

    file: str
    format: str
    dialect: dict[str, str]
    rows_rejected: int
    rejected: tuple[Rejected, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """The statistics of all files together."""

    files: tuple[FileSummary, ...]
    rows_read: int
    warnings: tuple[str, ...]
    percentile_method: str
    counting: str
    labels: tuple[Statistics, ...]
    total: Statistics
    first_us: int
    last_us: int
    concurrency: int | None

    def as_json(self) -> dict[str, Any]:
        one = self.files[0] if len(self.files) == 1 else None
        return {
            "file": one.file if one else None,
            "files": [file.file for file in self.files],
            "format": one.format if one else sorted({file.format for file in self.files}),
            "dialect": one.dialect if one else {file.file: file.dialect for file in self.files},
            "rows_read": self.rows_read,
            "rows_rejected": sum(file.rows_rejected for file in self.files),
            "rejected": [
                {"file": file.file, "line": row.line, "reason": row.reason}
                for file in self.files
                for row in file.rejected
            ],
            "warnings": list(self.warnings),
            "window": {
                "start": utc(self.first_us),
                "end": utc(self.last_us),
                "seconds": (self.last_us - self.first_us) / 1e6,
            },
            "percentile_method": self.percentile_method,
            "counting": self.counting,
            "throughput": THROUGHPUT_DEFINITION,
            "concurrency": self.concurrency,
            "labels": [label.flat() for label in self.labels],
            "total": self.total.flat(),
        }


def summarise(
    paths: list[Path],
    *,
    options: ReadOptions = DEFAULT_READ,
    choice: Choice | None = None,
    compat: Compat | None = None,
    progress: Progress = no_progress,
) -> Summary:
    """Exact statistics of one result file, or of several that several engines wrote in one run."""
    with Engine(progress) as engine:
        return summarise_with(engine, paths, options, choice or Choice(), compat)


def summarise_with(
    engine: Engine, paths: list[Path], options: ReadOptions, choice: Choice, compat: Compat | None
) -> Summary:
    """As `summarise`, on an engine that is there already; what was read with it before is forgotten."""
    sources = Sources(engine, paths, options)
    _group_all(engine, sources, ordered=compat is not None)
    labels, total = (all_statistics if compat is None else dashboard_statistics)(engine, choice)
    first, last = grouping.window(engine)
    return Summary(
        files=file_summaries(sources),
        rows_read=grouping.row_count(engine),
        warnings=all_warnings(engine, sources),
        percentile_method=compat or choice.method,
        counting=_DASHBOARD_COUNTING if compat else COUNTING,
        labels=tuple(labels),
        total=total,
        first_us=first,
        last_us=last,
        concurrency=grouping.concurrency(engine),
    )


def _group_all(engine: Engine, sources: Sources, *, ordered: bool) -> None:
    must_stage = ordered or sources.has_transactions()
    weighted = "sample_count" in sources.columns()

    def read() -> bool:
        relation = staging.stage(engine, sources.relation()) if must_stage else sources.relation()
        grouping.group(engine, relation, weighted=weighted, what="reading samples")
        return sources.are_all_careful or not grouping.is_suspicious(engine)

    trusted(sources, read)
    refuse_empty(engine, sources)
    labels = grouping.labels(engine)
    if not kinds.may_hold_subresults(labels, sources.columns()):
        return
    if not must_stage:
        staging.stage(engine, sources.relation())
    told_apart = staging.with_subresults(engine, [label for _, label in labels])
    grouping.group(engine, told_apart, weighted=weighted, what="computing statistics")


def trusted(sources: Sources, read: Callable[[], bool]) -> None:
    """Read, and where DuckDB refuses the files or what it read cannot be, read them carefully and once more."""
    import duckdb

    try:
        if read():
            return
    except duckdb.InterruptException:
        raise
    except duckdb.Error:
        if sources.are_all_careful:
            raise
    sources.distrust()
    read()


def refuse_empty(engine: Engine, sources: Sources) -> None:
    if grouping.row_count(engine):
        return
    names = ", ".join(repr(source.name) for source in sources.files)
    rejected = [row for source in sources.files for row in source.report.rejected]
    if rejected:
        raise BadFile(
            f"{names}: none of the {sum(s.report.rows_rejected for s in sources.files)} rows can be read. "
            f"Line {rejected[0].line}: {rejected[0].reason}.",
            next_step="Check that the columns stand under the right names in the header.",
        )
    raise BadFile(
        f"{names}: there is a header but no sample.",
        next_step="Check that the test ran: a plan without an enabled thread group writes only the header.",
    )


def file_summaries(sources: Sources) -> tuple[FileSummary, ...]:
    return tuple(
        FileSummary(
            file=source.name,
            format=source.file.format,
            dialect=dict(source.report.dialect),
            rows_rejected=source.report.rows_rejected,
            rejected=tuple(source.report.rejected),
            warnings=tuple(source.report.warnings),
        )
        for source in sources.files
    )


def all_warnings(engine: Engine, sources: Sources) -> tuple[str, ...]:
    """What a reader of the numbers must know, each once."""
    said = [
        f"{source.name}: {warning}" if len(sources.files) > 1 else warning
        for source in sources.files
        for warning in source.report.warnings
    ]
    for ended, began in grouping.gaps(engine, SUSPICIOUS_GAP_US)[:5]:
        said.append(
            f"Nothing ran for {(began - ended) / 1e6:.0f} s from {utc(ended)}: several runs may stand in one file, "
            "as JMeter appends to an existing one."
        )
    kinds_there = grouping.kinds_found(engine)
    if "transaction" in kinds_there and grouping.has_whole_seconds(engine, kinds.FEWEST_ROWS):
        said.append(kinds.COARSE)
    if "sample" not in kinds_there:
        said.append(_ONLY_TRANSACTIONS)
    if missing := sorted({"bytes", "sent_bytes", "thread", "response_code", "all_threads"} - sources.columns()):
        said.append(f"Not in the file, and so unknown: {', '.join(missing)}.")
    if spilled := engine.spill_warning():
        said.append(spilled)
    return tuple(dict.fromkeys(said))
