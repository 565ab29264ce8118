"""The errors of a run, each counted once.

BlazeMeter's report holds the row ALL, which is every other row once more, and a row that is no label. Within a row the
addresses repeat the errors, and a failed sample may stand among errors and assertions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from perfsuite.samples.rows import printable
from perfsuite_blazemeter.models.answers import AssertionGroup, ErrorGroup, LabelErrors
from perfsuite_blazemeter.models.reports import ALL, INCONSISTENCY, ErrorRow

_MOST_GROUPS: Final = 20
_MOST_URLS: Final = 5
_NO_SUM: Final = "A failed sample may stand among errors and among assertions: do not add the two."


@dataclass(frozen=True)
class ErrorCounts:
    """The labels with the most errors first, and the totals of what is listed."""

    labels: list[LabelErrors]
    errors: int
    assertions: int
    notes: list[str]


def count_errors(rows: Sequence[ErrorRow], failed_samples: int | None) -> ErrorCounts:
    """Take the row ALL for the totals, the other rows for the labels, and say what does not add up."""
    overall = next((row for row in rows if ALL in row.names), None)
    labels = [row for row in rows if ALL not in row.names and INCONSISTENCY not in row.names]
    listed = labels or ([overall] if overall else [])
    by_label = sum(map(_errors, labels))
    errors = _errors(overall) if overall else by_label
    assertions = _assertions(overall) if overall else sum(map(_assertions, labels))
    return ErrorCounts(
        labels=[_shown(row) for row in sorted(listed, key=_weight, reverse=True) if _has_any(row)],
        errors=errors,
        assertions=assertions,
        notes=_notes(rows, overall, by_label if labels and overall else None, errors, failed_samples),
    )


def _notes(
    rows: Sequence[ErrorRow], overall: ErrorRow | None, by_label: int | None, errors: int, failed_samples: int | None
) -> list[str]:
    notes = [_NO_SUM] if any(row.errors and row.assertions for row in rows) else []
    if by_label is not None and by_label != errors:
        why = " Labels of transactions repeat the errors of the samples in them." if by_label > errors else ""
        notes.append(f"The labels' errors add up to {by_label}; BlazeMeter's own total is {errors}.{why}")
    left_out = _not_counted([overall] if overall else rows)
    if left_out:
        told = ", ".join(f"{count} {name}" for name, count in left_out.items())
        notes.append(f"BlazeMeter lists no more than so many errors; beyond that are {told}.")
    if failed_samples is not None and errors != failed_samples:
        notes.append(f"{failed_samples} samples failed, and {errors} errors are listed by code and message.")
    odd = next((row for row in rows if INCONSISTENCY in row.names and _has_any(row)), None)
    if odd is not None:
        count = _errors(odd) + _assertions(odd) + sum(_not_counted([odd]).values())
        notes.append(f"BlazeMeter could not assign {count} of its errors to a label.")
    return notes


def _not_counted(rows: Sequence[ErrorRow]) -> dict[str, int]:
    counted = {
        "samples": sum(row.samples_not_counted or 0 for row in rows),
        "assertions": sum(row.assertions_not_counted or 0 for row in rows),
        "other errors": sum(row.other_errors_count or 0 for row in rows),
    }
    return {name: count for name, count in counted.items() if count}


def _shown(row: ErrorRow) -> LabelErrors:
    return LabelErrors(
        label=printable(row.name or row.label_id or row.id or "(no name)"),
        errors=[ErrorGroup(response_code=e.rc, message=e.m, count=e.count) for e in row.errors[:_MOST_GROUPS]],
        assertions=[
            AssertionGroup(name=a.name, message=a.failure_message, count=a.failures)
            for a in row.assertions[:_MOST_GROUPS]
        ],
        urls=[{"url": _without_query(url), "count": count} for url, count in _addresses(row)[:_MOST_URLS]],
        embedded_resources=[
            ErrorGroup(response_code=r.rc, message=r.rm, count=r.count)
            for r in row.failed_embedded_resources[:_MOST_GROUPS]
        ],
        not_counted=_not_counted([row]),
    )


def _addresses(row: ErrorRow) -> list[tuple[str, int]]:
    """Samplers that are no requests have none, and some reports say that with a word."""
    return [(one.url, one.count) for one in row.urls if one.url and one.url != "null"]


def _without_query(url: str) -> str:
    """An address may carry a key of the system under test behind its path."""
    path, mark, _ = url.partition("?")
    return f"{path}?…" if mark else url


def _errors(row: ErrorRow) -> int:
    return sum(error.count for error in row.errors)


def _assertions(row: ErrorRow) -> int:
    return sum(assertion.failures for assertion in row.assertions)


def _weight(row: ErrorRow) -> int:
    return max(_errors(row), _assertions(row))


def _has_any(row: ErrorRow) -> bool:
    return bool(row.errors or row.assertions or row.failed_embedded_resources or _not_counted([row]))
