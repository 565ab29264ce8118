"""The charts of the web page: drawn by Bokeh in the browser, with zoom, hover and one axis of time for all."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final, Literal

from perfsuite_perfreport.models.report import Line, Plot, Report, Span

if TYPE_CHECKING:
    from bokeh.models import HoverTool, Range1d
    from bokeh.models.renderers import DataRenderer
    from bokeh.plotting import figure as Figure  # noqa: N812 - Bokeh's class has the name of a function

# Okabe and Ito's colours, which people with any kind of colour vision tell apart, on white as on black.
COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#999999", "#b8a800")
_INK: Final = "#7b818a"
_DASHES: Final = ("solid", "dashed", "dotted", "dotdash")
_HEIGHT: Final = 330
_LONGEST_KEY: Final = 18
_KEY_PX, _LETTER_PX, _KEY_ROW_PX, _PHONE_PX = 30, 6, 20, 320
"""About what an entry of the key, a letter and a row of it take, and what a phone has."""
_FEW: Final = 3
"""Buckets of which a line shows hardly anything."""
_X_TITLES: Final = {"users": "users", "ms": "response time, ms", "time_s": "time, UTC"}
_MATH: Final = re.compile(r"\$\$|\\[(\[]")
_ID: Final = re.compile(r'"(p[0-9]{4,})"')
_SHADES: Final = {"steady": ("#009e73", 0.07), "ramp up": ("#999999", 0.12), "ramp down": ("#999999", 0.12)}


@dataclass(frozen=True)
class Drawn:
    """What the page needs: the JSON of all charts, and the places to put them, by the ids of the plots."""

    documents: str
    places: Mapping[str, str]


def drawn(report: Report) -> Drawn:
    """All charts of the report. The same report gives the same text."""
    from bokeh.embed.util import OutputDocumentFor, standalone_docs_json_and_render_items

    shared = _time_range(report)
    figures = {plot.id: _figure(plot, report, shared) for plot in report.plots}
    if not figures:
        return Drawn("", {})
    with OutputDocumentFor(list(figures.values()), always_new=True):
        documents, _ = standalone_docs_json_and_render_items(list(figures.values()))
    [document] = documents.values()
    places = {plot_id: f"chart-{plot_id}" for plot_id in figures}
    roots = {figure.ref["id"]: places[plot_id] for plot_id, figure in figures.items()}
    items = [{"docid": "report", "roots": roots, "root_ids": list(roots)}]
    return Drawn(_renumbered(json.dumps([{"report": document}, items], allow_nan=False)), places)


def script_of_bokeh() -> str:
    """BokehJS itself, so that nothing is fetched."""
    from bokeh.resources import Resources

    resources = Resources(mode="inline", components=["bokeh"])
    return "\n".join(resources.js_raw)


def _renumbered(text: str) -> str:
    """Bokeh counts its models over the life of a process; here every document begins anew."""
    known: dict[str, str] = {}
    return _ID.sub(lambda found: f'"{known.setdefault(found[1], f"m{len(known) + 1}")}"', text).replace("<", "\\u003c")


def _figure(plot: Plot, report: Report, shared: "Range1d | None") -> "Figure":
    from bokeh.plotting import figure

    is_time = plot.x == "time_s"
    more: dict[str, Any] = {"x_range": shared} if is_time and shared is not None else {}
    chart = figure(
        height=_HEIGHT, sizing_mode="stretch_width", x_axis_type=_axis(plot, report), toolbar_location="above",
        tools="xpan,box_zoom,xwheel_zoom,reset", active_scroll=None, x_axis_label=_x_title(plot, report),
        y_axis_label=plot.unit, background_fill_color=None, border_fill_color=None, outline_line_color=None,
        output_backend="canvas", **more,
    )  # fmt: skip
    start = report.window_start
    keys = _keys([*plot.lines, *plot.second_lines])
    drawn_lines = [_draw(chart, plot, start, line, colour, dash, keys) for line, colour, dash in _styled(plot.lines)]
    chart.add_tools(_hover(drawn_lines, plot, plot.unit))
    if plot.x == "ms":
        _name_places(chart, plot)
    chart.y_range = _from_zero(plot.lines)
    if plot.second_lines:
        _second_axis(chart, plot, start, keys)
    _shade(chart, report.spans if is_time else (), report)
    _plain_look(chart, list(keys.values()))
    return chart


def _name_places(chart: "Figure", plot: Plot) -> None:
    """Places on a logarithmic axis: left to itself, Bokeh names those of one decade alone."""
    from bokeh.models import FixedTicker, NumeralTickFormatter

    low, high = max(min(plot.at), 0.1), max(plot.at)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    chart.xaxis.ticker = FixedTicker(ticks=[one * 10.0**decade for decade in decades for one in (1, 2, 5)])
    chart.xaxis.formatter = NumeralTickFormatter(format="0,0.[0]")


def _axis(plot: Plot, report: Report) -> Literal["log", "datetime", "linear"]:
    if plot.x == "ms":
        return "log"
    return "datetime" if plot.x == "time_s" and report.window_start else "linear"


def _x_title(plot: Plot, report: Report) -> str:
    is_clockless = plot.x == "time_s" and report.window_start is None
    return "seconds after the first sample" if is_clockless else _X_TITLES[plot.x]


def _places(line: Line, plot: Plot, start: datetime | None) -> list[float]:
    at = line.at or plot.at
    return [_moment(one, start) for one in at] if plot.x == "time_s" else list(at)


def _moment(seconds: float, start: datetime | None) -> float:
    return seconds if start is None else start.timestamp() * 1000 + seconds * 1000


def _time_range(report: Report) -> "Range1d | None":
    from bokeh.models import Range1d

    if report.window_s is None:
        return None
    start, end = (_moment(at, report.window_start) for at in (0.0, max(report.window_s, 1.0)))
    return Range1d(start=start, end=end, bounds=(start, end))


def _styled(lines: Sequence[Line]) -> Iterator[tuple[Line, str, str]]:
    looks = cycle((colour, dash) for dash in _DASHES for colour in COLOURS)
    return ((line, *look) for line, look in zip(lines, looks, strict=False))


def _draw(
    chart: "Figure", plot: Plot, start: datetime | None, line: Line, colour: str, dash: str, keys: Mapping[str, str],
    *, second: bool = False,
) -> "DataRenderer":  # fmt: skip
    from bokeh.models import ColumnDataSource

    at = _places(line, plot, start)
    values = [math.nan if value is None else value for value in line.values]
    source = ColumnDataSource({"x": at[: len(values)], "y": values[: len(at)]})
    named: dict[str, Any] = {"name": shown(line.name), "legend_label": keys[line.name], "color": colour}
    named["source"] = source
    if second:
        named["y_range_name"] = "second"
    if plot.x == "users" or len(values) < _FEW:
        chart.scatter("x", "y", size=7, **named)
    if plot.x == "ms":
        return chart.step("x", "y", line_width=2, mode="center", **named)
    return chart.line("x", "y", line_width=2, line_dash=dash, **named)


def _hover(lines: list["DataRenderer"], plot: Plot, unit: str) -> "HoverTool":
    """What the lines say under the pointer. Bokeh escapes the names."""
    from bokeh.models import HoverTool

    is_time = plot.x == "time_s"
    x = "@x{%H:%M:%S}" if is_time else "@x{0,0.[0]}"
    tips = [("", f"$name: @y{{0,0.[000]}} {unit}"), (_X_TITLES[plot.x], x)]
    formats: dict[str, Any] = {"@x": "datetime"} if is_time else {}
    return HoverTool(renderers=lines, mode="vline", tooltips=tips, formatters=formats, visible=False)


def _from_zero(lines: Sequence[Line]) -> "Range1d":
    from bokeh.models import Range1d

    highest = max((value for line in lines for value in line.values if value is not None), default=0.0)
    return Range1d(start=0, end=(highest or 1.0) * 1.1)


def _second_axis(chart: "Figure", plot: Plot, start: datetime | None, keys: Mapping[str, str]) -> None:
    from bokeh.models import LinearAxis

    chart.extra_y_ranges = {"second": _from_zero(plot.second_lines)}
    chart.add_layout(LinearAxis(y_range_name="second", axis_label=plot.second_unit), "right")
    colours = cycle(COLOURS[len(plot.lines) % len(COLOURS) :] + COLOURS)
    drawn_lines = [
        _draw(chart, plot, start, line, colour, "dashed", keys, second=True)
        for line, colour in zip(plot.second_lines, colours, strict=False)
    ]
    chart.add_tools(_hover(drawn_lines, plot, plot.second_unit))


def _shade(chart: "Figure", spans: Sequence[Span], report: Report) -> None:
    from bokeh.models.annotations import BoxAnnotation

    for span in spans:
        colour, alpha = _SHADES.get(span.name, ("#e69f00", 0.08))
        left, right = _moment(span.from_s, report.window_start), _moment(span.to_s, report.window_start)
        chart.add_layout(BoxAnnotation(left=left, right=right, fill_color=colour, fill_alpha=alpha, line_color=None))


def _keys(lines: Sequence[Line]) -> dict[str, str]:
    """What the key calls the lines: a key is part of the picture, and where it is too wide a phone shows half of it."""
    found = dict[str, str]()
    for line in lines:
        name = shown(line.name)
        half = _LONGEST_KEY // 2
        short = name if len(name) <= _LONGEST_KEY else f"{name[: half - 1]}…{name[-half:]}"
        found[line.name] = short if short not in found.values() else f"{short} ({len(found) + 1})"
    return found


def _columns(names: Sequence[str]) -> int:
    """One row where a phone has room for it."""
    wide = sum(_KEY_PX + len(name) * _LETTER_PX for name in names)
    return max(1, len(names)) if wide <= _PHONE_PX else 2


def _plain_look(chart: "Figure", names: Sequence[str]) -> None:
    """Colours that are read on white and on black: the page changes between them, and the canvas does not."""
    for axis in chart.axis:
        axis.axis_label_text_color = axis.major_label_text_color = _INK
        axis.axis_line_color = axis.major_tick_line_color = _INK
        axis.minor_tick_line_color = None
        axis.axis_label_text_font_style = "normal"
    chart.grid.grid_line_color, chart.grid.grid_line_alpha = _INK, 0.25
    chart.toolbar.logo = None
    for legend in chart.legend:
        legend.click_policy = "hide"
        legend.label_text_color, legend.label_text_font_size = _INK, "9pt"
        legend.background_fill_alpha, legend.border_line_color = 0.0, None
        legend.location, legend.orientation, legend.ncols = "left", "horizontal", _columns(names)
        legend.spacing = 8
    chart.height = _HEIGHT + _KEY_ROW_PX * (math.ceil(len(names) / _columns(names)) - 1)
    if chart.legend:
        chart.add_layout(chart.legend[0], "below")


def shown(name: str) -> str:
    """A name in which Bokeh sees no formula: it would fetch what draws one from elsewhere."""
    return _MATH.sub(lambda found: f"{found[0][0]} {found[0][1]}", name)
