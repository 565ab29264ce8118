"""Metrics and logs as Datadog's stage leaves them, for runs of tests."""

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.layout import Artifact

from .synthetic import METRIC_COLUMNS, START_MS

LOG_COLUMNS = ("env_name", "env_tag", "timestamp_utc", "id", "service", "host", "status", "message", "error_stack")


def moment(at_s: float) -> str:
    """Seconds after the start of a synthetic run, as files write it."""
    return datetime.fromtimestamp(START_MS / 1000 + at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reading(at_s: float, metric: str, value: Any, **other: str) -> dict[str, Any]:
    """One row of a file of metrics."""
    return {
        "env_name": "shop", "env_tag": "shop", "scope": "host", "hostname": "", "filter": "", "container_or_pod": "",
        "timestamp_utc": moment(at_s), "metric": metric, "value": value, "unit": "percent", **other,
    }  # fmt: skip


def container_rows(
    service: str, container: str, metrics: dict[str, Sequence[float] | Any], interval_s: int = 20
) -> list[dict[str, Any]]:
    """The readings of a container; what is no number stays empty."""
    return [
        reading(
            number * interval_s,
            metric,
            "" if np.isnan(value) else value,
            scope="k8s",
            filter=service,
            container_or_pod=container,
        )
        for metric, values in metrics.items()
        for number, value in enumerate(np.asarray(values, dtype=float))
    ]


def write_rows(
    run: RunFolder,
    artifact: Artifact,
    rows: Iterable[dict[str, Any]],
    columns: Sequence[str] = METRIC_COLUMNS,
    **names: str,
) -> None:
    """Leave a CSV file of a run."""
    with run.staged(artifact, **names) as target, target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(rows)


def write_text(run: RunFolder, artifact: Artifact, text: str, **names: str) -> None:
    """Leave a file of a run with this content."""
    with run.staged(artifact, **names) as target:
        target.write_text(text, encoding="utf-8", newline="")


def write_collection(run: RunFolder, *queries: dict[str, Any]) -> None:
    """Leave the notes of what was collected."""
    write_text(run, layout.COLLECTION, json.dumps({"schema_version": "1.0", "queries": queries}))


def event(at_s: float, status: str, message: str, stack: str = "", service: str = "shop") -> dict[str, str]:
    """One row of a file of logs."""
    return {
        "env_name": "shop", "env_tag": "shop", "timestamp_utc": moment(at_s), "service": service, "host": "h-1",
        "status": status, "message": message, "error_stack": stack,
    }  # fmt: skip


def write_events(run: RunFolder, events: Iterable[dict[str, str]], kind: str = "errors") -> None:
    """Leave a file of logs."""
    write_rows(run, layout.LOGS, events, LOG_COLUMNS, type=kind, env="shop")
