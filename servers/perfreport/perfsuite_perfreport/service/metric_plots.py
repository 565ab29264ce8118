"""CPU and memory over time, for the charts of the web page."""

import math
from pathlib import Path
from typing import Final

from perfsuite.artifacts import RunFolder
from perfsuite.artifacts.analyses import PerformanceAnalysis
from perfsuite_perfreport.models.report import Line, Plot
from perfsuite_perfreport.service.metric_files import Readings, readings_of

_METRICS: Final = {"cpu_util_pct": "CPU of hosts and containers", "mem_util_pct": "Memory of hosts and containers"}
_MOST_LINES: Final = 12


def metric_plots(run: RunFolder, found: PerformanceAnalysis, paths: list[Path]) -> tuple[Plot, ...]:
    """One plot for each metric, of the resources that were used most."""
    if not paths or found.window_start is None or found.window_s is None:
        return ()
    readings = readings_of(paths, tuple(_METRICS), found.window_start, found.window_s)
    source = ", ".join(run.relative_to(path) or path.name for path in paths[:3]) + (" …" if len(paths) > 3 else "")
    plots = (_plot(metric, [one for one in readings if one.metric == metric], source) for metric in _METRICS)
    return tuple(plot for plot in plots if plot.lines)


def _plot(metric: str, readings: list[Readings], source: str) -> Plot:
    shown = sorted(readings, key=lambda one: (-_most(one), one.subject))[:_MOST_LINES]
    more = f", the {len(shown)} of {len(readings)} with the highest peak" if len(shown) < len(readings) else ""
    return Plot(
        id=metric.replace("_", "-"), title=f"{_METRICS[metric]}{more}", x="time_s", unit="%", at=(),
        lines=tuple(map(_line, shown)), source=f"{source}: {metric}",
    )  # fmt: skip


def _line(one: Readings) -> Line:
    at = tuple(sorted(moment for moment in one.values if moment >= 0))
    values = tuple(None if math.isnan(one.values[moment]) else one.values[moment] for moment in at)
    return Line(name=one.subject.shown, at=at, values=values)


def _most(one: Readings) -> float:
    return max((value for value in one.values.values() if math.isfinite(value)), default=0.0)
