"""The logs of a run: JMeter's own, those of the service, and the failures among the samples."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.log_findings import LogKind, LogSource
from perfsuite.samples.definitions import Selection
from perfsuite.samples.rows import Kind, printable
from perfsuite_perfanalysis.core.logs.entries import LONGEST_MESSAGE, Entry, JMeterLog, level_of
from perfsuite_perfanalysis.core.logs.repeats import Repeats
from perfsuite_perfanalysis.service.inputs import columns_shown, files_of

if TYPE_CHECKING:
    from perfsuite.samples.queries import Samples

Take = Callable[[Entry], None]

_LARGEST: Final = 2_000_000_000
_MOST_ENTRIES: Final = 5_000_000
_LOOK_EVERY: Final = 5_000
_LONGEST_LINE: Final = 16_384
_LONGEST_CELL: Final = 1_000_000
_JMETER: Final = (layout.JMETER_LOG, layout.BLAZEMETER_LOG, layout.BLAZEMETER_ENGINE_LOG, layout.IMPORT_LOG)
_NEEDED: Final = ("timestamp_utc", "message")
_STACKS: Final = ("error_stack", "stack", "stack_trace")


def log_paths(run: RunFolder) -> list[Path]:
    """All files of logs."""
    return [path for artifact in (*_JMETER, layout.LOGS) for path in files_of(run, artifact)]


def read_logs(run: RunFolder, take: Take, look: Callable[[], None]) -> tuple[list[LogSource], list[str]]:
    """Hand over every entry, and say what was read and what could not be; `look` is called now and then."""
    sources, problems = list[LogSource](), list[str]()
    number = count()

    def watched(entry: Entry) -> None:
        if next(number) % _LOOK_EVERY == 0:
            look()
        take(entry)

    readers: tuple[tuple[LogKind, Callable[..., LogSource | str]], ...] = (
        ("jmeter_log", _read_jmeter),
        ("service_log", partial(_read_service, Repeats())),
    )
    paths = {
        "jmeter_log": [path for artifact in _JMETER for path in files_of(run, artifact)],
        "service_log": files_of(run, layout.LOGS),
    }
    for kind, reader in readers:
        for path in paths[kind]:
            name = run.relative_to(path) or path.name
            if path.stat().st_size > _LARGEST:
                problems.append(f"{name!r} is larger than {_LARGEST} bytes and was not read.")
                continue
            found = reader(path, name, watched)
            if isinstance(found, str):
                problems.append(found)
            else:
                sources.append(found)
    return sources, problems


def read_errors(found: "Samples", kind: Kind, take: Take) -> LogSource:
    """Hand over the failures among the samples, grouped by code and message."""
    entries = 0
    for group in found.error_groups(Selection(kind=kind)):
        entries += group.count
        code, message = printable(group.response_code, 100), group.message or "(no message)"
        entry = Entry("sample_errors", "ERROR", code, message, group.first_us)
        take(replace(entry, count=group.count, last_us=group.last_us, labels=group.labels))
    return LogSource(kind="sample_errors", path=layout.SAMPLES.place, entries=entries)


def _read_jmeter(path: Path, name: str, take: Take) -> LogSource:
    log, levels, without_time, entries = JMeterLog(), Counter[str](), 0, 0
    # The line that tells the zone comes after the first ones, so it is looked for before.
    for _ in zip(log.entries(_lines(path)), range(_MOST_ENTRIES), strict=False):
        if log.offset_us is not None:
            break
    for entry, _ in zip(JMeterLog().entries(_lines(path)), range(_MOST_ENTRIES), strict=False):
        entries += 1
        levels[entry.level] += 1
        without_time += entry.at_us is None
        take(entry if entry.at_us is None else replace(entry, at_us=log.in_utc(entry.at_us)))
    zone = "It does not tell its time zone, so its times were taken as UTC."
    notes = (zone,) if log.offset_us is None and entries > without_time else ()
    return LogSource(
        kind="jmeter_log", path=name, entries=entries, without_time=without_time, by_level=dict(sorted(levels.items())),
        notes=notes,
    )  # fmt: skip


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file, each cut to a length that no pattern minds."""
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        while line := file.readline(_LONGEST_LINE):
            whole = line
            while whole and not whole.endswith("\n"):
                whole = file.readline(_LONGEST_LINE)
            yield line


def _read_service(repeats: Repeats, path: Path, name: str, take: Take) -> LogSource | str:
    levels, without_time, entries, repeated = Counter[str](), 0, 0, 0
    repeats.begin_file()
    try:
        for row in _rows(path):
            if missing := [column for column in _NEEDED if column not in row]:
                return f"{name!r} has no column {' and '.join(missing)}; {columns_shown(map(str, row))}."
            if repeats.is_repeat(row):
                repeated += 1
                continue
            entry = _service_entry(row)
            entries += 1
            levels[entry.level] += 1
            without_time += entry.at_us is None
            take(entry)
    except csv.Error as error:
        return f"{name!r} is not a CSV file that can be read: {printable(str(error), 100)}."
    events = "1 event stands" if repeated == 1 else f"{repeated} events stand"
    told = f"{name!r}: {events} in other files of logs too; each was counted once."
    return LogSource(
        kind="service_log",
        path=name,
        entries=entries,
        without_time=without_time,
        by_level=dict(sorted(levels.items())),
        notes=(told,) if repeated else (),
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        # A NUL byte ends the work of the reader in some versions of Python.
        reader = csv.DictReader((line.replace("\0", "") for line in file), restkey="(more)", restval="")
        for row, _ in zip(reader, range(_MOST_ENTRIES), strict=False):
            row.pop("(more)", None)
            yield row


def _service_entry(row: dict[str, str]) -> Entry:
    message = row["message"] or row.get("error_message", "") or "(no message)"
    stack = next((row[name] for name in _STACKS if row.get(name)), "") or message
    lines = stack[: 20 * LONGEST_MESSAGE].splitlines()
    first = message[:LONGEST_MESSAGE].partition("\n")[0].strip()
    return Entry(
        kind="service_log",
        level=level_of(row.get("status") or row.get("level") or ""),
        service=printable(row.get("service") or row.get("host") or "", 100),
        message=first,
        at_us=_moment_us(row["timestamp_utc"]),
        stack=tuple(lines[:200]),
    )


def _moment_us(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1e6)
