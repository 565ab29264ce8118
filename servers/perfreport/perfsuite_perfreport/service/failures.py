"""Counts failures by response code over time, which no analysis keeps."""

from datetime import datetime
from typing import Final

import numpy as np

from perfsuite import samples
from perfsuite.artifacts import RunFolder
from perfsuite.artifacts.analyses import OverTime
from perfsuite.samples.grouping import counting
from perfsuite.samples.rows import Kind, printable
from perfsuite_perfreport.core.charts.timelines import CodesOverTime

_MOST_CODES: Final = 50
_LONGEST: Final = 60


def codes_over_time(run: RunFolder, over: OverTime, start: datetime, kind: Kind) -> CodesOverTime:
    """Failures by code in the buckets of the analysis, by the moment they ended; the most frequent code first."""
    from perfsuite.samples.engine import Engine

    first, width, count = round(start.timestamp() * 1e6), round(over.bucket_s * 1e6), len(over.buckets)
    # One engine for both: to start one takes longer than what is asked of it.
    with Engine() as engine:
        found = samples.open(run, engine)
        by = counting(found.metadata.weighted)
        rows = engine.rows(
            f"""
            SELECT coalesce(response_code, ''), any_value(coalesce(response_message, '')),
                   least(greatest((started_us + elapsed_us - {first}) // {width}, 0), {count - 1})::INTEGER AS bucket,
                   {by.errors}
            FROM {found.relation} WHERE NOT success AND kind = $kind GROUP BY 1, bucket ORDER BY 1, bucket
            """,
            {"kind": kind},
        )
    counts: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    names: dict[str, str] = {}
    for code, message, bucket, errors in rows:
        names.setdefault(code, _named(code, message))
        counts.setdefault(code, np.zeros(count))[bucket] += errors
    ranked = sorted(counts, key=lambda code: (-counts[code].sum(), code))[:_MOST_CODES]
    completed = np.array([one.completed for one in over.buckets], dtype=float)
    return CodesOverTime(over.bucket_s, count, {names[code]: counts[code] for code in ranked}, completed)


def _named(code: str, message: str) -> str:
    """The code, and its reason where that is short; a code that is a sentence stands alone."""
    text = printable(code, _LONGEST) or "no code"
    reason = printable(message, 2 * _LONGEST)
    return f"{text} {reason}" if code.isdigit() and reason and len(reason) <= _LONGEST // 2 else text
