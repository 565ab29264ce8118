"""The metrics that were collected of hosts and containers, read from the files of the run."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.folder import LARGEST_JSON
from perfsuite.samples.rows import printable
from perfsuite_perfanalysis.service.inputs import columns_shown, files_of

if TYPE_CHECKING:
    import pandas as pd

    from perfsuite_perfanalysis.core.readings import MetricSeries, Subject

MOST_SERIES: Final = 5_000
_MOST_ROWS: Final = 5_000_000
_LARGEST: Final = 1_000_000_000
_WHO: Final = ("scope", "env_name", "filter", "hostname", "container_or_pod", "metric", "unit")
_NEEDED: Final = ("timestamp_utc", "metric", "value")
_LONGEST: Final = 300
_MOST_REASONS: Final = 20
_SOURCES: Final = (layout.HOST_METRICS, layout.K8S_METRICS, layout.KPI_METRICS)


@dataclass
class Collected:
    """The series that lie in the run, and what is missing or cannot be used."""

    series: "list[MetricSeries]" = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    unusable: dict[str, str] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)

    @property
    def nothing(self) -> str:
        """Why there is not a single reading; empty where there is one."""
        if self.series:
            return ""
        if not self.paths:
            return (
                "No metrics were collected, so nothing is known about the machines under test: call `get_host_metrics` "
                "or `get_kubernetes_metrics` for the run."
            )
        return "None of the collected metrics can be used: " + " ".join(
            [*(f"{name!r} {why}." for name, why in self.unusable.items()), *self.reasons]
        )


def metric_paths(run: RunFolder) -> list[Path]:
    """The files of metrics, and what was noted about collecting them."""
    paths = [path for artifact in _SOURCES for path in files_of(run, artifact)]
    return [*paths, *([run.path(layout.COLLECTION)] if run.path(layout.COLLECTION).is_file() else [])]


def collected_metrics(run: RunFolder, first_us: int, span_s: float) -> Collected:
    """All series with readings in the run, in an order that does not change."""
    found = Collected(paths=[path for artifact in _SOURCES for path in files_of(run, artifact)])
    outside = list[tuple[float, float, int]]()
    for path in found.paths:
        name = run.relative_to(path) or path.name
        rows = _rows(path, name, found)
        if rows is not None:
            outside += _take(rows, name, first_us, span_s, found)
    if outside:
        found.reasons.append(_outside(outside, first_us, span_s))
    found.reasons += _incomplete(run)
    found.series.sort(key=lambda one: (one.subject, one.metric))
    if len(found.series) > MOST_SERIES:
        found.reasons.append(f"Of {len(found.series)} series the first {MOST_SERIES} were looked at.")
        del found.series[MOST_SERIES:]
    return found


def _rows(path: Path, name: str, found: Collected) -> "pd.DataFrame | None":
    import pandas as pd

    try:
        if path.stat().st_size > _LARGEST:
            found.unusable[name] = f"is larger than {_LARGEST} bytes"
            return None
        rows = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8", encoding_errors="replace", nrows=_MOST_ROWS,
            on_bad_lines="skip", low_memory=False,
        )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OSError) as error:
        found.unusable[name] = f"is not a CSV file that can be read: {printable(str(error), 100)}"
        return None
    if missing := [column for column in _NEEDED if column not in rows]:
        found.unusable[name] = f"has no column {' and '.join(missing)}; {columns_shown(map(str, rows.columns))}"
        return None
    return rows


def _take(
    rows: "pd.DataFrame", name: str, first_us: int, span_s: float, found: Collected
) -> list[tuple[float, float, int]]:
    """Add the series of a file, and return from when to when its readings lie, and how many, if outside the run."""
    import numpy as np
    import pandas as pd

    moments = pd.to_datetime(rows["timestamp_utc"], utc=True, errors="coerce", format="ISO8601")
    values = pd.to_numeric(rows["value"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    at_s = moments.dt.as_unit("us").astype("int64").to_numpy() / 1e6 - first_us / 1e6
    usable = moments.notna().to_numpy()
    if unreadable := int((~usable).sum()):
        found.reasons.append(f"{unreadable} readings have no time that can be read.")
    strange = int((usable & (rows["value"].str.strip() != "").to_numpy() & ~np.isfinite(values)).sum())
    frame = pd.DataFrame({name: rows.get(name, "") for name in _WHO})
    frame = frame.assign(at_s=at_s, value=np.where(np.isfinite(values), values, np.nan))
    frame["note"] = rows.get("note", "")
    inside = usable & (at_s >= -3_600.0) & (at_s < span_s + 3_600.0)
    impossible = 0
    for who, part in frame[inside].groupby(list(_WHO), sort=True):
        names = dict(zip(_WHO, map(str, who), strict=True))
        impossible += _without_impossible(names, part)
        if (series := _series(names, part, span_s)) is not None:
            found.series.append(series)
    if strange:
        found.reasons.append(f"{name!r}: {strange} values are no numbers and were left out.")
    if impossible:
        found.reasons.append(f"{name!r}: {impossible} values cannot be (such as below 0 %) and were left out.")
    at_s = at_s[usable]
    return [] if _touches(at_s, span_s) or not len(at_s) else [(float(at_s.min()), float(at_s.max()), len(at_s))]


def _without_impossible(names: dict[str, str], part: "pd.DataFrame") -> int:
    """Take out the values that no metric of this name has, and return how many they were."""
    import numpy as np

    from perfsuite_perfanalysis.core.thresholds import possible

    is_host = not names["container_or_pod"] and not names["filter"]
    low, high = possible(names["metric"], names["unit"], is_host=is_host)
    wrong = (part["value"] < low) | (part["value"] > high)
    part.loc[wrong, "value"] = np.nan
    return int(wrong.sum())


def _outside(found: list[tuple[float, float, int]], first_us: int, span_s: float) -> str:
    first, last = min(one[0] for one in found), max(one[1] for one in found)
    return (
        f"{sum(one[2] for one in found)} readings lie outside the time of the test, {_told(0, first_us)} to "
        f"{_told(span_s, first_us)}: collect the metrics again for it. These are of {_told(first, first_us)} to "
        f"{_told(last, first_us)}."
    )


def _told(at_s: float, first_us: int) -> str:
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(first_us / 1e6 + at_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return "a time that no calendar has"


def _touches(at_s: Any, span_s: float) -> bool:
    return bool(((at_s >= -60.0) & (at_s < span_s)).any())


def _series(who: dict[str, str], part: "pd.DataFrame", span_s: float) -> "MetricSeries | None":
    from perfsuite_perfanalysis.core.readings import MetricSeries, interval_of

    # Files of overlapping windows hold a moment twice.
    means = part.groupby("at_s", sort=True)["value"].mean()
    at_s = means.index.to_numpy(dtype=float)
    interval_s = interval_of(at_s)
    kept = (at_s > -interval_s) & (at_s < span_s)
    if not kept.any():
        return None
    note = next((one for one in part["note"] if one), "")
    return MetricSeries(
        subject=_subject(who),
        metric=printable(who["metric"], _LONGEST),
        unit=printable(who["unit"], 40),
        at_s=at_s[kept],
        values=means.to_numpy(dtype=float)[kept],
        interval_s=interval_s,
        note=printable(note),
    )


def _subject(who: dict[str, str]) -> "Subject":
    from perfsuite_perfanalysis.core.readings import Subject

    names = {key: printable(value, _LONGEST) for key, value in who.items()}
    container = names["container_or_pod"]
    if container or (names["filter"] and not names["hostname"]):
        return Subject("container", names["env_name"], names["filter"], names["hostname"], container or names["filter"])
    return Subject("host", names["env_name"], "", names["hostname"], names["hostname"] or "(no name)")


def _incomplete(run: RunFolder) -> list[str]:
    """What collecting left out, as far as its notes can be read."""
    path = run.path(layout.COLLECTION)
    try:
        noted = json.loads(path.read_bytes()) if path.is_file() and path.stat().st_size <= LARGEST_JSON else {}
    except (OSError, ValueError, RecursionError):
        return [f"{layout.COLLECTION.place!r} cannot be read, so whether the metrics are complete is not known."]
    queries = noted.get("queries") if isinstance(noted, dict) else None
    told = {
        printable(f"Collecting {one.get('subject')} was not complete: {one.get('reason')}.", 200)
        for one in (queries if isinstance(queries, list) else [])
        if isinstance(one, dict) and one.get("complete") is False and one.get("kind") != "logs"
    }
    return sorted(told)[:_MOST_REASONS]
