"""Result files as one SQL relation with the canonical columns.

JMeter's CSV is read by DuckDB directly, strictly and on all cores. Whatever that refuses, and every other format, is
read row by row in Python into a spool file. The two ways give the same rows; a test compares them.
"""

import mmap
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from perfsuite.samples import spool
from perfsuite.samples.columns import JTL_NAMES, REMOTE_THREAD, TRANSACTION_MESSAGE
from perfsuite.samples.detect import Recognised, recognise
from perfsuite.samples.dialect import split
from perfsuite.samples.engine import Engine, is_utf8, quoted, quoted_path
from perfsuite.samples.options import ReadOptions
from perfsuite.samples.readers import csv_rows, k6_csv
from perfsuite.samples.rows import ReadReport, Row

_MILLISECONDS: Final = re.compile(r"\d{12,14}", re.ASCII)
_FAST_TYPES: Final = {
    "timeStamp": "BIGINT",
    "elapsed": "DOUBLE",
    "success": "BOOLEAN",
    # Unsigned, so that DuckDB refuses a negative number and the careful reader can point at it.
    "bytes": "UBIGINT",
    "sentBytes": "UBIGINT",
    "grpThreads": "UINTEGER",
    "allThreads": "UINTEGER",
    "Latency": "DOUBLE",
    "IdleTime": "DOUBLE",
    "Connect": "DOUBLE",
    "SampleCount": "UINTEGER",
    "ErrorCount": "UINTEGER",
}
_TAIL: Final = 2_000_000
_REMOTE: Final = re.compile(REMOTE_THREAD, re.ASCII)


@dataclass
class SourceFile:
    """One file, what is known of it, and how it is read now."""

    file: Recognised
    number: int
    """Its position among the files, from 1."""
    name: str
    """What it is called: its own name, with as many of its folders as tell it from the others."""
    report: ReadReport = field(default_factory=ReadReport)
    plain: Path | None = None
    sql: str = ""
    is_fast: bool = False

    @property
    def size(self) -> int:
        return self.file.path.stat().st_size


class Sources:
    """All files of one run, read together."""

    def __init__(self, engine: Engine, paths: list[Path], options: ReadOptions) -> None:
        self._engine = engine
        self._options = options
        names = told_apart(paths)
        self.files = [
            SourceFile(recognise(path, options), number, name)
            for number, (path, name) in enumerate(zip(paths, names, strict=True), start=1)
        ]
        for source in self.files:
            source.report.dialect.update(source.file.dialect.described() if source.file.dialect else {})
            self._prepare(source)

    def relation(self) -> str:
        """The rows of all files, one after the other."""
        return "(" + " UNION ALL ".join(f"SELECT * FROM {self._with_engine(s)}" for s in self.files) + ")"

    @property
    def are_all_careful(self) -> bool:
        return not any(source.is_fast for source in self.files)

    def distrust(self) -> None:
        """Read every file that DuckDB read directly again, row by row."""
        for source in self.files:
            if source.is_fast:
                source.report = ReadReport(dialect=source.report.dialect)
                self._read_carefully(source)

    def columns(self) -> set[str]:
        """The canonical columns that at least one file has."""
        return set().union(*(source.report.columns for source in self.files))

    def has_transactions(self) -> bool:
        """Whether the beginning of a file already shows a transaction controller; its absence proves nothing."""
        return any(TRANSACTION_MESSAGE in source.file.head for source in self.files)

    def _prepare(self, source: SourceFile) -> None:
        progress = self._progress(source, f"unpacking {source.name}")
        source.plain = spool.unpacked(
            source.file, self._engine.work / f"{source.number}.plain", source.report, progress
        )
        fast = _fast_relation(source, self._options, self._engine.work)
        if fast is None:
            self._read_carefully(source)
        else:
            source.sql, source.is_fast = fast, True

    def _read_carefully(self, source: SourceFile) -> None:
        target = self._engine.work / f"{source.number}.rows"
        spool.spool(self._rows(source), target)
        source.sql, source.is_fast = spool.relation(target), False

    def _rows(self, source: SourceFile) -> Iterator[Row]:
        progress = self._progress(source, f"reading {source.name}")
        with (source.plain or source.file.path).open("rb") as stream:
            for row in _reader(source, self._options)(stream, progress):
                if row.thread is not None and row.engine is None and _REMOTE.match(row.thread):
                    source.report.columns.add("engine")
                yield row

    def _progress(self, source: SourceFile, what: str) -> Callable[[int], None]:
        total = max(1, source.size)
        done = 0

        def advance(size: int) -> None:
            nonlocal done
            done += size
            self._engine.progress(what, min(1.0, done / total))

        return advance

    def _with_engine(self, source: SourceFile) -> str:
        if len(self.files) == 1:
            return source.sql
        number = source.number
        return f"(SELECT * REPLACE (coalesce(engine || '#{number}', 'engine-{number}') AS engine) FROM {source.sql})"


def told_apart(paths: list[Path]) -> list[str]:
    """A name for each file: engines all call their results `kpi.jtl`, so folders come before it where they must."""
    # As they can be shown and stored: a name may hold bytes that are not UTF-8.
    parts = [[part.encode("utf-8", "replace").decode() for part in path.absolute().parts[1:]] for path in paths]
    for depth in range(1, max(len(one) for one in parts) + 1):
        names = ["/".join(one[-depth:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    # One file was given twice.
    return [f"{one[-1]} ({number})" for number, one in enumerate(parts, start=1)]


def _reader(source: SourceFile, options: ReadOptions) -> Callable[[BinaryIO, Callable[[int], None]], Iterator[Row]]:
    file, report = source.file, source.report

    def read(stream: BinaryIO, progress: Callable[[int], None]) -> Iterator[Row]:
        if file.format == "jtl-xml":
            from perfsuite.samples.readers import xml

            return xml.read(stream, report, progress, has_end_stamps=options.timestamp == "end")
        if file.format == "k6-json":
            from perfsuite.samples.readers import k6_json

            return k6_json.read(stream, report, progress)
        assert file.dialect is not None  # noqa: S101 - detect gives every CSV its dialect
        reader = csv_rows.read if file.format == "jtl-csv" else k6_csv.read
        return reader(stream, file.dialect, options, report, progress)

    return read


def _fast_relation(source: SourceFile, options: ReadOptions, work: Path) -> str | None:
    """SQL that reads a JMeter CSV file directly, or None where its first rows show that this would not do."""
    dialect, plain = source.file.dialect, source.plain
    if dialect is None or dialect.kind != "jtl-csv" or plain is None or not is_utf8(str(plain)):
        return None
    first = _first_row(source.file.head, dialect.has_header)
    stamp, thread = dialect.index("timeStamp"), dialect.index("threadName")
    fields = split(first, dialect.delimiter)
    if stamp is None or len(fields) != len(dialect.names) or not _MILLISECONDS.fullmatch(fields[stamp]):
        return None
    mended = _without_torn_row(source, options, work)
    if mended is None:
        return None
    present = {JTL_NAMES[name] for name in dialect.names if name in JTL_NAMES}
    # Looking into every row costs time; whether it is worth it shows in the beginning of the file.
    remote = rf'(?:^|[\n"{re.escape(dialect.delimiter)}]){REMOTE_THREAD[1:]}'
    is_remote = thread is not None and re.search(remote, source.file.head, re.ASCII) is not None
    source.report.columns.update(present | ({"engine"} if is_remote else set()))
    types = ", ".join(f"{quoted(name)}: {quoted(_FAST_TYPES.get(name, 'VARCHAR'))}" for name in dialect.names)
    return (
        f"(SELECT {_projection(present, is_remote, options)} FROM read_csv({quoted_path(mended)}, "
        f"columns = {{{types}}}, header = {str(dialect.has_header).lower()}, delim = {quoted(dialect.delimiter)}, "
        "quote = '\"', escape = '\"', auto_detect = false, compression = 'none'))"
    )


def _projection(present: set[str], is_remote: bool, options: ReadOptions) -> str:
    def column(name: str, kind: str) -> str:
        written = next(jtl for jtl, canonical in JTL_NAMES.items() if canonical == name)
        if kind in {"INTEGER", "BIGINT"} or name not in present:
            return f'"{written}"::{kind}' if name in present else f"NULL::{kind}"
        return f'"{written}"'

    start = "timeStamp * 1000" if options.timestamp == "start" else "timeStamp * 1000 - (elapsed * 1000)::BIGINT"
    message = column("response_message", "VARCHAR")
    engine = column("engine", "VARCHAR")
    if is_remote:
        # Several engines may run on one host.
        engine = f"coalesce(nullif(regexp_extract(\"threadName\", '{REMOTE_THREAD}', 1), ''), {engine})"
    return ", ".join(
        (
            # A missing time must not hide behind the other times of its group.
            f"coalesce({start}, -1) AS started_us",
            "(elapsed * 1000)::BIGINT AS elapsed_us",
            "coalesce(label, '') AS label",
            f"CASE WHEN starts_with({message}, '{TRANSACTION_MESSAGE}') THEN 'transaction' ELSE 'sample' END AS kind",
            "success",
            f"coalesce({column('sample_count', 'INTEGER')}, 1) AS sample_count",
            f"coalesce({column('error_count', 'INTEGER')}, (NOT success)::INTEGER) AS error_count",
            f"{column('response_code', 'VARCHAR')} AS response_code",
            f"{message} AS response_message",
            f"{column('failure_message', 'VARCHAR')} AS failure_message",
            f"{column('thread', 'VARCHAR')} AS thread",
            f"{engine} AS engine",
            f"{column('bytes', 'BIGINT')} AS bytes",
            f"{column('sent_bytes', 'BIGINT')} AS sent_bytes",
            f"{column('connect_ms', 'DOUBLE')} AS connect_ms",
            f"{column('latency_ms', 'DOUBLE')} AS latency_ms",
            f"{column('idle_ms', 'DOUBLE')} AS idle_ms",
            f"{column('group_threads', 'INTEGER')} AS group_threads",
            f"{column('all_threads', 'INTEGER')} AS all_threads",
            f"{column('url', 'VARCHAR')} AS url",
        )
    )


def _first_row(head: str, has_header: bool) -> str:
    lines = head.lstrip("\ufeff").split("\n", 2)
    at = 1 if has_header else 0
    return lines[at].rstrip("\r") if len(lines) > at else ""


def _without_torn_row(source: SourceFile, options: ReadOptions, work: Path) -> Path | None:
    """The file without a torn last row: itself, or a copy. None where only careful reading will tell."""
    plain, dialect = source.plain, source.file.dialect
    if plain is None or dialect is None:
        return None
    size = plain.stat().st_size
    with plain.open("rb") as stream:
        stream.seek(max(0, size - _TAIL))
        tail = stream.read()
    complete, newline, last = tail.rpartition(b"\n")
    if not last:
        return plain
    if not newline or b'"' in last or not complete:
        return None
    trial = ReadReport()
    csv_rows.check_last(last, dialect, options, trial)
    for warning in trial.warnings:
        source.report.warn(warning)
    if not trial.rejected:
        return plain
    source.report.reject(_lines(plain), trial.rejected[0].reason)
    return _copied(plain, size - len(last), work / f"{source.number}.mended")


def _lines(path: Path) -> int:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
        step = 16 * 1024 * 1024
        return sum(view[at : at + step].count(b"\n") for at in range(0, len(view), step)) + 1


def _copied(source: Path, size: int, target: Path) -> Path:
    step = 16 * 1024 * 1024
    try:
        with source.open("rb") as reading, target.open("wb") as writing:
            while size > 0 and (chunk := reading.read(min(step, size))):
                writing.write(chunk)
                size -= len(chunk)
    except OSError as error:
        raise spool.storage_error(error, target) from None
    return target
