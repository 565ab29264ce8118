"""All engines' results as one file: `blazemeter/test-results.csv`."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfsuite.errors import BadFile
from perfsuite.samples.rows import ReadReport, printable
from perfsuite_blazemeter.client.kpi_files import pieces, written
from perfsuite_blazemeter.core.kpi_blocks import HOSTNAME, Engine, KpiRows, merged_columns
from perfsuite_blazemeter.core.merging import merged
from perfsuite_blazemeter.models.archives import Taken

if TYPE_CHECKING:
    from perfsuite.samples.detect import Recognised
    from perfsuite.samples.dialect import Dialect

_MOST_REJECTED: Final = 5
_FETCH_AGAIN: Final = "Look at the files of the session in BlazeMeter; without its results, go on with `partial`."


@dataclass(frozen=True)
class Results:
    """A file with the results of one engine, and what it is called in errors."""

    path: Path
    name: str


@dataclass(frozen=True)
class EngineRows:
    """What one file gave."""

    engine: str
    rows: int
    rejected: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Merged:
    """The merged file, and what each of the files gave, in their order."""

    file: Taken
    engines: tuple[EngineRows, ...]


def merge(files: Sequence[Results], work: Path, target: Path, seen: Callable[[int], None]) -> Merged:
    """Merge the files by column name into `target`. `seen` is told how many bytes were read."""
    opened = [_Opened.of(file, number, work) for number, file in enumerate(files, start=1)]
    usable = [one for one in opened if one.dialect is not None]
    dialects = [one.dialect for one in usable if one.dialect is not None]
    if not dialects:
        raise BadFile("None of the engines left a sample.", next_step="Call `get_error_report` for what went wrong.")
    columns = merged_columns(dialects)
    hosts = Counter(one.host for one in usable)
    readers = {
        one.number: KpiRows(
            dialect, columns, Engine(one.number, one.host, hosts[one.host] == 1, is_alone=len(usable) == 1)
        )
        for one, dialect in zip(usable, dialects, strict=True)
    }

    def text() -> Iterator[bytes]:
        yield _header(columns)
        yield from merged([readers[one.number].chunks(pieces(one.plain, seen)) for one in usable])

    file = written(text(), target)
    return Merged(file, tuple(_rows(one, readers.get(one.number)) for one in opened))


@dataclass(frozen=True)
class _Opened:
    """A file, as far as its first rows tell. One that holds nothing has no dialect."""

    number: int
    name: str
    plain: Path
    dialect: "Dialect | None"
    host: str | None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: Results, number: int, work: Path) -> "_Opened":
        from perfsuite.samples.detect import recognise
        from perfsuite.samples.options import DEFAULT_READ
        from perfsuite.samples.spool import unpacked

        if file.path.stat().st_size == 0:
            return cls(number, file.name, file.path, None, None, ("It is empty: this engine wrote no samples.",))
        try:
            found = recognise(file.path, DEFAULT_READ)
        except BadFile as error:
            raise BadFile(f"{file.name}: {error.message}", next_step=_FETCH_AGAIN) from None
        if found.format != "jtl-csv" or found.dialect is None:
            raise BadFile(f"{file.name} is {found.format}, and JMeter's CSV is expected.", next_step=_FETCH_AGAIN)
        report = ReadReport()
        plain = unpacked(found, work / f"{number}.plain", report, lambda _: None)
        return cls(number, file.name, plain, found.dialect, _first_host(found), tuple(report.warnings))


def _first_host(found: "Recognised") -> str | None:
    from perfsuite.samples.dialect import split

    dialect = found.dialect
    lines = found.head.split("\n", 2)
    if dialect is None or HOSTNAME not in dialect.names or len(lines) < 2:
        return None
    fields = split(lines[1].rstrip("\r"), dialect.delimiter)
    return fields[dialect.names.index(HOSTNAME)] if len(fields) == len(dialect.names) else None


def _header(columns: tuple[str, ...]) -> bytes:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(columns)
    return line.getvalue().encode("utf-8", "replace")


def _rows(one: _Opened, reader: KpiRows | None) -> EngineRows:
    report = reader.report if reader else ReadReport()
    notes = [*one.notes, *report.warnings]
    notes += [f"Line {row.line}: {row.reason}." for row in report.rejected[:_MOST_REJECTED]]
    return EngineRows(
        engine=printable(reader.engine.name(one.host or "") if reader else ""),
        rows=report.rows_read,
        rejected=report.rows_rejected,
        notes=tuple(f"{one.name}: {note}" for note in notes),
    )
