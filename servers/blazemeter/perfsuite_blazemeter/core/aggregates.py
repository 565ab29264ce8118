"""BlazeMeter's request statistics in the columns of the contract, with nothing in the place of what is missing."""

from collections.abc import Sequence
from typing import Final

from perfsuite_blazemeter.models.reports import ALL, AggregateRow

Cell = str | float | int | bool | None
COLUMNS: Final = (
    "labelName", "samples", "avgResponseTime", "minResponseTime", "maxResponseTime", "medianResponseTime", "90line",
    "95line", "99line", "stDev", "avgLatency", "errorsCount", "errorsRate", "avgThroughput", "avgBytes", "duration",
    "concurrency", "hasLabelPassedThresholds",
)  # fmt: skip
_DECIMALS: Final = 3
_POINTS: Final = 0.5
"""By how much two error rates may differ, in percent, before it is said."""


def error_percent(row: AggregateRow) -> float | None:
    """Counted from errors and samples: whether BlazeMeter's own number is a percentage, it does not say."""
    if row.samples and row.errors_count is not None:
        return row.errors_count / row.samples * 100
    return row.errors_rate


def median(row: AggregateRow) -> float | None:
    """A median of 0 above a minimum of more is only a placeholder."""
    is_placeholder = row.median_response_time == 0 and (row.min_response_time or 0) > 0
    return None if is_placeholder else row.median_response_time


def table(rows: Sequence[AggregateRow]) -> list[dict[str, Cell]]:
    """The row of all labels, and then one a label."""
    overall = [row for row in rows if row.is_all][:1] or _summed(rows)
    return [_cells(ALL, row) for row in overall] + [
        _cells(row.label_name or row.label_id or "", row) for row in rows if not row.is_all
    ]


def remarks(rows: Sequence[AggregateRow]) -> list[str]:
    """What a reader of the table must know."""
    notes = []
    if not any(row.is_all for row in rows):
        notes.append("BlazeMeter gave no row ALL: it has sums and extremes alone, and no mean or percentile.")
    odd = [row for row in rows if _disagrees(row)]
    if odd:
        notes.append(
            f"For {len(odd)} labels, BlazeMeter's errorsRate is not its errorsCount divided by samples; the latter is "
            "what the file has."
        )
    if any(median(row) is None and row.median_response_time == 0 for row in rows):
        notes.append("A median of 0 above a minimum of more is a placeholder, and left empty.")
    return notes


def _cells(name: str, row: AggregateRow) -> dict[str, Cell]:
    found: tuple[Cell, ...] = (
        name, row.samples, row.avg_response_time, row.min_response_time, row.max_response_time, median(row),
        row.line_90, row.line_95, row.line_99, row.st_dev, row.avg_latency, row.errors_count, error_percent(row),
        row.avg_throughput, row.avg_bytes, row.duration, row.concurrency, row.has_label_passed_thresholds,
    )  # fmt: skip
    return {column: _cell(value) for column, value in zip(COLUMNS, found, strict=True)}


def _cell(value: Cell) -> Cell:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, float):
        return value
    rounded = round(value, _DECIMALS)
    return int(rounded) if rounded.is_integer() else rounded


def _summed(rows: Sequence[AggregateRow]) -> list[AggregateRow]:
    """What adds up over the labels. Means and percentiles do not."""
    if not rows:
        return []
    lowest = [row.min_response_time for row in rows if row.min_response_time is not None]
    highest = [row.max_response_time for row in rows if row.max_response_time is not None]
    return [
        AggregateRow(
            label_name=ALL,
            samples=_sum([row.samples for row in rows]),
            errors_count=_sum([row.errors_count for row in rows]),
            min_response_time=min(lowest, default=None),
            max_response_time=max(highest, default=None),
        )
    ]


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _disagrees(row: AggregateRow) -> bool:
    counted = error_percent(row)
    return row.errors_rate is not None and counted is not None and abs(row.errors_rate - counted) > _POINTS
