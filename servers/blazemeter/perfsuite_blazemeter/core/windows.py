"""The two times of a run, minutes apart: engines boot before the first sample and shut down after the last."""

from datetime import datetime, timedelta

from perfsuite_blazemeter.models.config import Numbers, TimeSpan, Windows
from perfsuite_blazemeter.models.entities import Master
from perfsuite_blazemeter.models.reports import SummaryRow

# Clocks of engines and of BlazeMeter differ by some seconds; first and last are whole seconds.
_SKEW = timedelta(seconds=60)
_USE = "Use it for metrics and logs: created to ended holds the booting and the shutting down of the engines, too."


def windows_of(master: Master, row: SummaryRow | None) -> Windows:
    """Both windows, and which one the load lies in. Neither stands in for the other."""
    first, last = (row.first, row.last) if row else (None, None)
    whole = first is not None and last is not None and first <= last
    why = _USE if whole else "The first and the last sample are not known. Do not take created to ended for them."
    return Windows(
        created_ended=TimeSpan(start=master.created, end=master.ended),
        samples=TimeSpan(start=first, end=last),
        use="samples" if whole else None,
        why=why,
    )


def doubts(windows: Windows, now: datetime) -> list[str]:
    """What cannot be right about the times, and is shown as it is."""
    outer, inner = windows.created_ended, windows.samples
    checks = [
        (_after(outer.start, outer.end), "The run ended before it was created."),
        (_after(inner.start, inner.end), "The last sample comes before the first."),
        (_after(outer.start, inner.start, _SKEW), "The first sample comes before the run was created: clocks differ."),
        (_after(inner.end, outer.end, _SKEW), "The last sample comes after the end of the run: clocks differ."),
        (_after(inner.end or outer.start, now, _SKEW), "The run lies in the future: the clock here or there is wrong."),
    ]
    return [text for is_wrong, text in checks if is_wrong]


def numbers_of(row: SummaryRow | None) -> Numbers:
    """The numbers of the row ALL, in our names. What it lacks stays null."""
    if row is None:
        return Numbers()
    return Numbers(
        samples=row.hits,
        errors=row.failed,
        error_rate=row.failed / row.hits if row.hits and row.failed is not None else None,
        mean_ms=row.avg,
        min_ms=row.min,
        max_ms=row.max,
        median_ms=row.median,
        p90_ms=row.tp90,
        p95_ms=row.tp95,
        p99_ms=row.tp99,
        stdev_ms=row.std,
        latency_ms=row.latency_avg,
        throughput_per_s=_throughput(row),
        hits_avg_per_s=row.hits_avg,
        duration_s=row.duration,
        bytes=row.bytes,
    )


def unproven(row: SummaryRow | None, *, archived: bool) -> str | None:
    """Why nobody can say that the run passed."""
    if archived:
        return "Its reports are archived: what they would say of it is not known."
    return None if row and row.hits else "There are no samples: nothing was tested."


def remarks(row: SummaryRow | None, numbers: Numbers) -> list[str]:
    """What a reader of the numbers must know."""
    if row is None or not row.hits:
        return ["There are no samples: no pass of anything. Browser tests and runs that failed early have none."]
    left_out = [name for name in ("median_ms", "p90_ms", "p95_ms", "p99_ms") if getattr(numbers, name) is None]
    notes = [f"BlazeMeter left out {', '.join(left_out)}; `query_samples` has them after the download."]
    wrong = row.failed is not None and row.failed > row.hits
    return (notes if left_out else []) + ([f"It counts {row.failed} failed of {row.hits} samples."] if wrong else [])


def _throughput(row: SummaryRow) -> float | None:
    if row.hits is None or row.first is None or row.last is None or row.last <= row.first:
        return None
    return round(row.hits / (row.last - row.first).total_seconds(), 6)


def _after(one: datetime | None, other: datetime | None, by: timedelta = timedelta(0)) -> bool:
    return one is not None and other is not None and one - other > by
