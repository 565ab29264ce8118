"""Samples and metrics of a run on common grids: what correlations and bottlenecks are looked for in."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts.correlations import Grid
from perfsuite_perfanalysis.service.collected import Collected
from perfsuite_perfanalysis.service.course import RunCourse
from perfsuite_perfanalysis.service.work import Work

if TYPE_CHECKING:
    import numpy as np

    from perfsuite.samples.grid import Line, SampleGrid
    from perfsuite_perfanalysis.core.alignment import Edges
    from perfsuite_perfanalysis.core.readings import MetricSeries
    from perfsuite_perfanalysis.core.screening import Response, Scene

MOST_WIDTHS: Final = 3
MOST_CANDIDATES: Final = 1_500
_FEWEST_SUCCESSES: Final = 3
_FEWEST_ERRORS: Final = 20
_FEWEST_BUCKETS_OF_ERRORS: Final = 5


@dataclass
class Scenes:
    """The scenes that are screened, how they were made, and what was left out."""

    scenes: "list[Scene]" = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    arrivals: "list[np.ndarray[tuple[int], np.dtype[np.float64]]]" = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def gather(seen: RunCourse, metrics: Collected, work: Work) -> Scenes:
    """A scene for each interval of metrics."""
    from perfsuite_perfanalysis.core.alignment import by_width

    found = Scenes()
    series = _worth_looking_at(metrics.series, found)
    widths = by_width(series)
    if len(widths) > MOST_WIDTHS:
        kept = sorted(sorted(widths, key=lambda width: (-len(widths[width]), width))[:MOST_WIDTHS])
        found.reasons.append(f"Metrics come in {len(widths)} intervals; those of {kept} s were looked at.")
        widths = {width: widths[width] for width in kept}
    for number, (width_s, parts) in enumerate(widths.items()):
        work.step("putting samples and metrics side by side", 0.3 + 0.4 * number / len(widths))
        _add(found, seen, width_s, parts)
    return found


def _worth_looking_at(series: "list[MetricSeries]", found: Scenes) -> "list[MetricSeries]":
    from perfsuite_perfanalysis.core.readings import of_subjects
    from perfsuite_perfanalysis.core.thresholds import worth_correlating

    kept = []
    for _, of_subject in of_subjects(series):
        names = {name for name, one in of_subject.items() if len(one.known)}
        kept += [one for name, one in of_subject.items() if name in names and worth_correlating(name, names - {name})]
    if len(kept) > MOST_CANDIDATES:
        found.reasons.append(f"Of {len(kept)} metrics the first {MOST_CANDIDATES} were looked at.")
    return kept[:MOST_CANDIDATES]


def _add(found: Scenes, seen: RunCourse, width_s: float, series: "list[MetricSeries]") -> None:
    from perfsuite.samples.grid import EVERYTHING
    from perfsuite_perfanalysis.core.alignment import Edges, load_on_grid, on_grid
    from perfsuite_perfanalysis.core.confounders import load_given
    from perfsuite_perfanalysis.core.screening import Candidate, Scene

    grid = seen.grid(width_s)
    edges = Edges((grid.first_bucket_us - seen.first_us) / 1e6, width_s, grid.buckets)
    window, name = _window(seen, edges)
    responses = _responses(grid, window)
    users = load_on_grid(seen.course.users, seen.course.width_s, edges)[window]
    arrivals = grid.lines[EVERYTHING].arrivals[window]
    given, names, notes = load_given(responses[0].values, arrivals, users) if len(arrivals) else ((), (), ())
    candidates: list[Candidate] = [Candidate(one.subject, one.metric, on_grid(one, edges)[window]) for one in series]
    beside = None if "arrivals" in names else arrivals
    found.scenes.append(Scene(width_s, tuple(responses), tuple(candidates), given, names, beside))
    found.arrivals.append(arrivals)
    found.grids.append(
        Grid(
            interval_s=width_s,
            first_at=seen.moment(edges.first_s + window.start * width_s),
            buckets=len(arrivals),
            window=name,
            metrics=len(candidates),
            given=names,
            notes=notes,
        )
    )


def _window(seen: RunCourse, edges: "Edges") -> "tuple[slice, str]":
    """The steady state where it is long enough, else the whole run."""
    from perfsuite_perfanalysis.core.association import FEWEST_BUCKETS

    whole = edges.whole(0.0, seen.span_s)
    if seen.windows.steady is None:
        return whole, "whole run"
    steady = edges.whole(*seen.windows.steady)
    is_enough = steady.stop - steady.start >= min(FEWEST_BUCKETS, whole.stop - whole.start)
    return (steady, "steady state") if is_enough else (whole, "whole run")


def _responses(grid: "SampleGrid", window: slice) -> "list[Response]":
    import numpy as np

    from perfsuite.samples.grid import EVERYTHING
    from perfsuite_perfanalysis.core.screening import Response

    found = [Response(label, "mean_ms", _times(line, window)) for (_, label), line in grid.lines.items()]
    line = grid.lines[EVERYTHING]
    errors, completed = line.errors[window], line.completed[window]
    if errors.sum() >= _FEWEST_ERRORS and (errors > 0).sum() >= _FEWEST_BUCKETS_OF_ERRORS:
        rate = np.where(completed > 0, errors / np.maximum(completed, 1), np.nan)
        found.append(Response("", "error_rate", rate))
    return found


def _times(line: "Line", window: slice) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    import numpy as np

    successes = line.completed[window] - line.errors[window]
    return np.where(successes >= _FEWEST_SUCCESSES, line.mean_ms[window], np.nan)
