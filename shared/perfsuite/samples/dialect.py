"""The dialect of a CSV result file: its delimiter, its columns and what they mean, found from its first line."""

import csv
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from perfsuite.errors import BadFile
from perfsuite.samples.columns import JTL_NAMES, JTL_OTHER, JTL_REQUIRED
from perfsuite.samples.options import ReadOptions

CsvKind = Literal["jtl-csv", "k6-csv"]

_JTL_BY_LOWER: Final = {name.lower(): name for name in (*JTL_NAMES, *JTL_OTHER)}
_K6_REQUIRED: Final = ("metric_name", "timestamp", "metric_value")
_DELIMITERS: Final = ",\t;|"


@dataclass(frozen=True)
class Dialect:
    """How the lines of a CSV file are cut into fields, and what each field is."""

    kind: CsvKind
    delimiter: str
    names: tuple[str, ...]
    """The columns in the order of the file, in their usual spelling, each unique."""
    has_header: bool

    def index(self, name: str) -> int | None:
        return self.names.index(name) if name in self.names else None

    def described(self) -> dict[str, str]:
        known = JTL_NAMES.keys() | set(JTL_OTHER)
        variables = [name for name in self.names if self.kind == "jtl-csv" and name not in known]
        facts = {"delimiter": {"\t": "tab"}.get(self.delimiter, self.delimiter), "columns": str(len(self.names))}
        if variables:
            facts["sample_variables"] = ", ".join(variables)
        if not self.has_header:
            facts["header"] = "none; the columns were given"
        return facts


def dialect_of(first_line: str, file: str, options: ReadOptions) -> Dialect:
    """The dialect that the first line shows, or an error that lists the columns found and needed."""
    if options.columns:
        return _given(first_line, file, options.columns)
    delimiter = delimiter_of(first_line)
    fields = [field.strip().strip('"') for field in split(first_line, delimiter)]
    lowered = {field.lower() for field in fields}
    if lowered.issuperset(_K6_REQUIRED):
        return Dialect("k6-csv", delimiter, _unique([field.lower() for field in fields], file), has_header=True)
    names = [_JTL_BY_LOWER.get(field.lower(), field) for field in fields]
    known = [name for name in names if name in JTL_NAMES or name in JTL_OTHER]
    if len(known) < 2:
        raise _no_header(first_line, file, fields)
    _require(names, file)
    return Dialect("jtl-csv", delimiter, _unique(names, file), has_header=True)


def split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def delimiter_of(line: str) -> str:
    """The separator of a header. JMeter may be told to use any: the most frequent character outside words decides."""
    usual = max(_DELIMITERS, key=line.count)
    if line.count(usual) >= 2:
        return usual
    counted = Counter(c for c in line if not c.isalnum() and c not in "_\"' .-\\/")
    return counted.most_common(1)[0][0] if counted else ","


def _given(first_line: str, file: str, columns: tuple[str, ...]) -> Dialect:
    names = [_JTL_BY_LOWER.get(name.strip().lower(), name.strip()) for name in columns]
    _require(names, file)
    found = {d: len(split(first_line, d)) for d in (*_DELIMITERS, delimiter_of(first_line))}
    for delimiter, count in found.items():
        if count == len(names):
            return Dialect("jtl-csv", delimiter, _unique(names, file), has_header=False)
    raise BadFile(
        f"{file!r} has {max(found.values())} fields in its first row, but {len(names)} columns were given.",
        next_step="Give one name per field, in the order of the file.",
    )


def _require(names: list[str], file: str) -> None:
    if missing := [name for name in JTL_REQUIRED if name not in names]:
        raise BadFile(
            f"{file!r} lacks the column(s) {', '.join(missing)}. Found: {_listed(names)}. "
            f"Needed: {', '.join(JTL_REQUIRED)}.",
            next_step="Write the results with these columns (jmeter.save.saveservice.*=true) and run the test again.",
        )


def _no_header(first_line: str, file: str, fields: list[str]) -> BadFile:
    if len(fields) >= len(JTL_REQUIRED) and any(field.isdecimal() for field in fields):
        return BadFile(
            f"{file!r} has no header row: its first row is data with {len(fields)} fields, and which column each one "
            f"is cannot be known. Needed: {', '.join(JTL_REQUIRED)}.",
            next_step="Name the columns in their order with --columns (for example "
            "'timeStamp,elapsed,label,responseCode,success'), or save results with "
            "jmeter.save.saveservice.print_field_names=true.",
        )
    return BadFile(
        f"{file!r} is not a load-test result that can be read. Its first line is {first_line[:80]!r}. "
        "Expected: a JMeter CSV file with a header row, a JMeter XML file, or k6 output (--out json or --out csv).",
        next_step="Pass the file that the load tool wrote its samples to.",
    )


def _unique(names: list[str], file: str) -> tuple[str, ...]:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if wrong := [name for name in repeated if name in JTL_NAMES or name in _K6_REQUIRED]:
        raise BadFile(
            f"{file!r} has the column(s) {', '.join(wrong)} more than once, and which one holds is not known.",
            next_step="Remove the repeated column(s), or name the columns with --columns.",
        )
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 and name else f"{name}_{seen[name]}")
    return tuple(unique)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")
