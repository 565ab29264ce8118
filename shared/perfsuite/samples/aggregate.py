"""The aggregate report of CONTRACT: one row a label, in BlazeMeter's column names, and one row ALL."""

import csv
from pathlib import Path
from typing import Any, Final

from perfsuite.samples.definitions import Choice, Selection
from perfsuite.samples.queries import Samples
from perfsuite.samples.statistics import Statistics

COLUMNS: Final = (
    "labelName", "samples", "avgResponseTime", "minResponseTime", "maxResponseTime", "medianResponseTime", "90line",
    "95line", "99line", "stDev", "avgLatency", "errorsCount", "errorsRate", "avgThroughput", "avgBytes", "duration",
    "concurrency", "hasLabelPassedThresholds",
)  # fmt: skip
_DECIMALS: Final = 3


def write_aggregate(samples: Samples, target: Path) -> tuple[list[Statistics], Statistics]:
    """Write the report of samplers and transactions, and return the statistics of every label and the total."""
    choice = Choice()
    labels, total = samples.statistics(choice, Selection(kind=None))
    extras = samples.extras()
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerow(_row("ALL", total, extras.get((None, None), {})))
        for one in labels:
            if one.kind != "sub":
                writer.writerow(_row(one.label, one, extras.get((one.kind, one.label), {})))
    return labels, total


def _row(name: str, one: Statistics, extra: dict[str, Any]) -> dict[str, Any]:
    seconds = None if one.first_us is None or one.last_us is None else (one.last_us - one.first_us) / 1e6
    found = {
        "labelName": name,
        "samples": one.samples,
        "avgResponseTime": one.mean_ms,
        "minResponseTime": one.min_ms,
        "maxResponseTime": one.max_ms,
        "medianResponseTime": one.percentiles_ms["p50_ms"],
        "90line": one.percentiles_ms["p90_ms"],
        "95line": one.percentiles_ms["p95_ms"],
        "99line": one.percentiles_ms["p99_ms"],
        "stDev": one.stdev_ms,
        "avgLatency": extra.get("latency_ms"),
        "errorsCount": one.errors,
        "errorsRate": None if one.error_rate is None else one.error_rate * 100,
        "avgThroughput": one.throughput_per_s,
        "avgBytes": extra.get("bytes"),
        "duration": seconds,
        "concurrency": extra.get("users"),
        "hasLabelPassedThresholds": None,
    }
    return {name: _cell(value) for name, value in found.items()}


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return round(value, _DECIMALS) if isinstance(value, float) else value
