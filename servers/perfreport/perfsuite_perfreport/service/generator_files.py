"""Reads what the supervisor of the load generator noted."""

import csv
import math
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from perfsuite_perfreport.core.charts.clock import Clock
from perfsuite_perfreport.core.charts.generator import MEASURES, GeneratorReadings

_MOST: Final = 200_000
_LONGEST_LINE: Final = 4_096


def generator_readings(path: Path, clock: Clock) -> GeneratorReadings:
    """The readings within the run that can be understood."""
    begin = clock.start.timestamp()
    rows: dict[float, dict[str, float]] = {}
    with path.open(encoding="utf-8", errors="replace", newline="") as lines:
        usable = (line for line in lines if len(line) < _LONGEST_LINE and "\0" not in line)
        for row, _ in zip(csv.DictReader(usable), range(_MOST), strict=False):
            at_s = _moment(row.get("timestamp_utc") or "") - begin
            if 0 <= at_s <= clock.span_s:
                rows[at_s] = {name: _number(row.get(name)) for name in MEASURES}
    moments = sorted(rows)
    values = {name: np.array([rows[at][name] for at in moments]) for name in MEASURES}
    known = {name: column for name, column in values.items() if np.isfinite(column).any()}
    return GeneratorReadings(np.array(moments), known)


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text[:40])
    except ValueError:
        return math.nan
    return moment.timestamp() if moment.tzinfo else math.nan


def _number(text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
