"""What a chart takes, as a ratio to one bare matplotlib chart of the same size: an hour of 60 labels on 20 hosts."""

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from measuring import Measured, interleaved

from perfreport.pictured import chart, charts_file, large, made, runs_in
from perfsuite_perfreport.models.charts import CHART_TYPES

MOST: Final = 2.0
"""Times the bare chart, for a single chart."""
RUN: Final = "hour"


@dataclass(frozen=True)
class ChartTimes:
    """Every chart against the bare one."""

    bare: Measured
    charts: tuple[Measured, ...]

    @property
    def is_kept(self) -> bool:
        return all(one.median_s <= MOST * self.bare.median_s for one in self.charts)

    def lines(self) -> Iterator[str]:
        yield self.bare.line()
        for one in self.charts:
            missed = "" if one.median_s <= MOST * self.bare.median_s else f"   more than {MOST:g} x"
            yield one.line(self.bare) + missed


def chart_times(folder: Path, rounds: int = 7) -> ChartTimes:
    """Everything is imported and drawn once before: a server has warmed up."""
    if not (folder / "artifacts" / RUN).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        made(folder, large(), RUN)
    config, runs = charts_file(folder), runs_in(folder)
    commands: dict[str, Callable[[], tuple[float, float]]] = {"bare matplotlib chart": lambda: _timed(bare_chart)}
    for name in CHART_TYPES:
        commands[name] = lambda name=name: _timed(lambda: chart(runs, RUN, name, config=config))  # type: ignore[misc]
    for command in commands.values():
        command()
    bare, *charts = interleaved(commands, rounds).values()
    return ChartTimes(bare, tuple(charts))


def bare_chart() -> None:
    """What matplotlib takes by itself for a chart of this size."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1280 / 144, 720 / 144), dpi=144)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(range(60), label="a line")
    axes.set_title("A chart")
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.legend()
    figure.savefig(io.BytesIO(), format="png")


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    began = time.process_time()
    work()
    return time.process_time() - began, 0.0
