"""The samples of a run in one Parquet file with the canonical columns, and what is known about them in its metadata."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from perfsuite import __version__
from perfsuite.errors import BadFile
from perfsuite.samples import grouping, kinds
from perfsuite.samples.columns import SQL_TYPES
from perfsuite.samples.engine import Engine, quoted, quoted_path
from perfsuite.samples.sources import Sources

SCHEMA_VERSION: Final = "1.0"
_KEY: Final = "perfsuite"
_TIMES: Final = ("connect_ms", "latency_ms", "idle_ms")
_WRITTEN: Final = ", ".join(
    "make_timestamp(started_us) AS started_at" if name == "started_at" else name for name in SQL_TYPES
)


@dataclass(frozen=True)
class Metadata:
    """What the file says about where its samples come from."""

    source: str
    formats: tuple[str, ...]
    absent_columns: tuple[str, ...]
    rows_rejected: int
    weighted: bool
    """Whether a row may stand for several samples."""
    tool_version: str = __version__
    schema_version: str = SCHEMA_VERSION

    def text(self) -> str:
        return json.dumps(vars(self), sort_keys=True, separators=(",", ":"))


def metadata_of(sources: Sources, source: str) -> Metadata:
    columns = sources.columns()
    return Metadata(
        source=source,
        formats=tuple(sorted({file.file.format for file in sources.files})),
        absent_columns=tuple(name for name in SQL_TYPES if name not in columns and name != "kind"),
        rows_rejected=sum(file.report.rows_rejected for file in sources.files),
        weighted="sample_count" in columns,
    )


def relation(path: Path) -> str:
    """The samples with `row` and `started_us`, which the file has no need to hold."""
    return (
        "(SELECT * EXCLUDE (file_row_number), file_row_number AS row, epoch_us(started_at) AS started_us "
        f"FROM read_parquet({quoted_path(path)}, file_row_number = true))"
    )


def write(engine: Engine, sources: Sources, source: str, target: Path) -> bool:
    """Write all rows in the order of the files, and group them. False where what was read cannot be right."""
    _copy(engine, sources.relation(), metadata_of(sources, source), target)
    weighted = "sample_count" in sources.columns()
    grouping.group(engine, relation(target), weighted=weighted, what="computing statistics")
    if not sources.are_all_careful and (grouping.is_suspicious(engine) or _holds_odd_times(engine, target)):
        return False
    labels = grouping.labels(engine)
    if kinds.may_hold_subresults(labels, sources.columns()):
        _tell_kinds_apart(engine, [label for _, label in labels], metadata_of(sources, source), target)
        grouping.group(engine, relation(target), weighted=weighted, what="computing statistics")
    return True


def read_metadata(engine: Engine, path: Path) -> tuple[Metadata, int]:
    """What the file says about itself, and how many rows it has."""
    import duckdb

    try:
        found = dict(engine.rows(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata({quoted_path(path)})"))
        [(rows,)] = engine.rows(f"SELECT count(*) FROM read_parquet({quoted_path(path)})")
    except duckdb.Error as error:
        raise _unusable(path, f"it is not a readable Parquet file ({str(error).splitlines()[0][:120]})") from None
    if _KEY not in found:
        raise _unusable(path, "it was not written by perfsuite")
    try:
        known = dict(json.loads(found[_KEY]))
    except (ValueError, TypeError):
        raise _unusable(path, "its metadata cannot be read") from None
    if str(known.get("schema_version")).partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise _unusable(path, f"its schema version is {known.get('schema_version')!r}, and {SCHEMA_VERSION} is read")
    if missing := Metadata.__annotations__.keys() - known.keys():
        raise _unusable(path, f"its metadata lacks {', '.join(sorted(missing))}")
    return Metadata(**{name: _thawed(value) for name, value in known.items() if name in Metadata.__annotations__}), rows


def _thawed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _unusable(path: Path, why: str) -> BadFile:
    return BadFile(
        f"{path.name!r} of run {path.parent.name!r} cannot be used: {why}.",
        next_step="Import the results of the run again.",
    )


def _copy(engine: Engine, rows: str, metadata: Metadata, target: Path) -> None:
    engine.run(
        f"""
        COPY (SELECT {_WRITTEN} FROM {rows}) TO {quoted(str(target))}
        (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{_KEY}: {quoted(metadata.text())}}})
        """,
        what="writing samples",
    )


def _holds_odd_times(engine: Engine, path: Path) -> bool:
    """Whether a time beside the elapsed one is negative or no number, which DuckDB takes for the largest."""
    lowest, highest = (", ".join(f"{end}({name})" for name in _TIMES) for end in ("min", "max"))
    [(found,)] = engine.rows(
        f"SELECT coalesce(least({lowest}) < 0 OR greatest({highest}) >= 1e18, false) FROM {relation(path)}"
    )
    return bool(found)


def _tell_kinds_apart(engine: Engine, labels: list[str], metadata: Metadata, target: Path) -> None:
    ordered = f"(SELECT *, (idle_ms * 1000)::BIGINT AS idle_us FROM {relation(target)})"
    found = kinds.find_subresults(engine, ordered, labels)
    first = target.with_name("kinds-unknown.parquet")
    target.rename(first)
    # Both sides are in the order of the rows, so that nothing has to be sorted or looked up.
    _copy(
        engine,
        f"(SELECT s.* REPLACE (k.kind AS kind) FROM {relation(first)} s POSITIONAL JOIN {found} k)",
        metadata,
        target,
    )
    first.unlink()
