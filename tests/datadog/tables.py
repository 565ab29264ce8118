"""The hour that tests are about, and reading the files that the server leaves in a run."""

import csv
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from perfsuite.artifacts import RunFolder

HOUR = timedelta(hours=1)
# An hour that began two hours ago, at a whole five minutes.
BEGIN = datetime.fromtimestamp((datetime.now(UTC) - 2 * HOUR).timestamp() // 300 * 300, UTC)
END = BEGIN + HOUR


def rows(run: RunFolder, path: str) -> list[dict[str, str]]:
    """All rows of a CSV."""
    with (run.root / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def values(found: list[dict[str, str]], metric: str, part: str = "") -> dict[str, float | None]:
    """The values of a metric by time."""
    return {
        row["timestamp_utc"]: float(row["value"]) if row["value"] else None
        for row in found
        if row["metric"] == metric and part in row["container_or_pod"]
    }


def queries(run: RunFolder) -> list[dict[str, Any]]:
    """What collection.json says about each query."""
    found: list[dict[str, Any]] = json.loads((run.root / "datadog/collection.json").read_text(encoding="utf-8"))[
        "queries"
    ]
    return found
