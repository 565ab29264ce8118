"""Rows that were read one by one, written to a file that DuckDB reads back at full speed."""

import csv
import errno
import gzip
import shutil
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Final

from perfsuite.errors import BadFile, LimitExceeded, StorageFailed
from perfsuite.samples.columns import REMOTE_THREAD, SQL_TYPES
from perfsuite.samples.detect import Recognised
from perfsuite.samples.engine import quoted
from perfsuite.samples.rows import ReadReport, Row

_TYPES: Final = {"started_us": "BIGINT"} | {name: kind for name, kind in SQL_TYPES.items() if name != "started_at"}
_ENGINE: Final = f"coalesce(nullif(regexp_extract(thread, '{REMOTE_THREAD}', 1), ''), engine)"
_CHUNK: Final = 4 * 1024 * 1024
_HIGHEST_RATIO: Final = 200
_RATIO_FREE: Final = 64 * 1024 * 1024
"""Below this size no ratio is suspicious."""


def spool(rows: Iterable[Row], target: Path) -> None:
    """Write rows to `target`; `relation` reads them back."""
    try:
        with target.open("w", encoding="utf-8", errors="replace", newline="") as file:
            # Only characters of the line end are quoted, and a bare carriage return would end a line for DuckDB.
            csv.writer(file, lineterminator="\r\n").writerows(rows)
    except OSError as error:
        raise storage_error(error, target) from None


def relation(target: Path) -> str:
    """The spooled rows as an SQL relation, in their order."""
    columns = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in _TYPES.items())
    return (
        f"(SELECT * REPLACE (coalesce(label, '') AS label, {_ENGINE} AS engine) "
        f"FROM read_csv({quoted(str(target))}, columns = {{{columns}}}, "
        "header = false, delim = ',', quote = '\"', escape = '\"', auto_detect = false, new_line = '\\r\\n', "
        "max_line_size = 8000000))"
    )


def unpacked(file: Recognised, target: Path, report: ReadReport, progress: Callable[[int], None]) -> Path:
    """The plain UTF-8 file: the given one, or one unpacked from gzip or UTF-16 into `target`."""
    if not file.compressed and file.encoding != "utf-16":
        return file.path
    try:
        if file.compressed:
            _unzip(file, target, report, progress)
        if file.encoding == "utf-16":
            source = file.path if not file.compressed else target
            _transcode(source, target.with_suffix(".utf8"), report)
            return target.with_suffix(".utf8")
    except OSError as error:
        raise storage_error(error, target) from None
    return target


def _unzip(file: Recognised, target: Path, report: ReadReport, progress: Callable[[int], None]) -> None:
    packed = file.path.stat().st_size
    written = 0
    with file.path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as source, target.open("wb") as sink:
        before = 0
        while chunk := _read(source, file.name, report):
            sink.write(chunk)
            written += len(chunk)
            progress(raw.tell() - before)
            before = raw.tell()
            if written > _RATIO_FREE and written > _HIGHEST_RATIO * packed:
                raise LimitExceeded(
                    f"{file.name!r} unpacks to more than {_HIGHEST_RATIO} times its size, as a gzip bomb does.",
                    next_step="If the file is genuine, unpack it yourself and pass the plain file.",
                )


def _read(source: BinaryIO | gzip.GzipFile, name: str, report: ReadReport) -> bytes:
    try:
        return source.read1(_CHUNK) if isinstance(source, gzip.GzipFile) else source.read(_CHUNK)
    except EOFError:
        report.warn("The gzip file is cut off; what could be unpacked was read.")
        return b""
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadFile(
            f"{name!r} is a damaged gzip file: {error}.", next_step="Fetch the file again, or unpack what can be saved."
        ) from None


def _transcode(source: Path, target: Path, report: ReadReport) -> None:
    with (
        source.open("r", encoding="utf-16", errors="replace", newline="") as text,
        target.open("w", encoding="utf-8", newline="") as plain,
    ):
        shutil.copyfileobj(text, plain, _CHUNK)
    report.dialect["encoding"] = "utf-16"


def storage_error(error: OSError, target: Path) -> Exception:
    """A full disk as an error of ours; anything else as it is."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StorageFailed(
            f"The disk of the temporary folder {target.parent.parent} is full.",
            next_step="Free space there, or point TMPDIR at a larger disk.",
        )
    return error
