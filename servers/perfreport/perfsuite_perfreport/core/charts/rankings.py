"""Charts with one row a label, the worst first: the slowest, and what is left to the limits."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from perfsuite.artifacts.analyses import LabelNumbers, SlaCheck
from perfsuite_perfreport.core.charts.backdrop import Backdrop, blocks
from perfsuite_perfreport.core.charts.looks import GREEN, GREY, INK, ORANGE, VERMILION
from perfsuite_perfreport.core.charts.sheet import MARGIN, TEXT_PT, Entry, Sheet, number, numbers, title
from perfsuite_perfreport.core.charts.units import times_of

_ROW_PT: Final = 12.5
_NAMES: Final = 0.38
"""The most that names may take of the width."""
_VALUES: Final = 96.0
_FURTHEST: Final = 1.0
"""What is broken by more than the limit itself is drawn there; its number tells the rest."""
_PALE: Final = "#9CCBE6"
_LIMIT: Final = (0, (7, 2, 1.5, 2))
_VERDICTS: Final = {
    "fail": ("fails", VERMILION, "X"), "warn": ("cannot be told, or close", ORANGE, "D"),
    "pass": ("passes", GREEN, "o"), "not_evaluated": ("not evaluated", GREY, "s"),
}  # fmt: skip


def top_slowest(sheet: Sheet, back: Backdrop, labels: Sequence[LabelNumbers], method: str) -> None:
    """The labels with the longest P95: bars to the median and to P95, and P99 as a mark."""
    times = times_of(sheet.look.unit)
    limit = times.limit(sheet.look.sla_line)
    ranked = sorted((one for one in labels if one.kind != "sub" and _p95(one)), key=lambda one: (-_p95(one), one.label))
    window = "steady state" if any(one.steady for one in ranked) else "whole run"
    back.heading(sheet, window, f"percentiles: {method}")
    blue, red = sheet.look.color(0), sheet.look.color(1)
    entries = [Entry("to the median", _PALE, is_area=True), Entry("median to P95", blue, is_area=True)]
    limits = [Entry(f"limit: {number(limit)} {times.unit}", INK, _LIMIT)] if limit else []
    shown = ranked[: room_for_rows(sheet)]
    has_p99 = any(_value(one, "p99_ms") is not None for one in shown)
    sheet.key([*entries, *([Entry("P99", red, None, "D")] if has_p99 else []), *limits])
    sheet.notes(_left_out(len(ranked) - len(shown), "labels are faster than these"))
    axes = rows(sheet, [(one.label, "" if one.kind == "sample" else f" ({one.kind})") for one in shown])
    places = np.arange(len(shown))
    p50, p95, p99 = (
        times.of(np.array([_value(one, name) for one in shown], dtype=float)) for name in ("p50_ms", "p95_ms", "p99_ms")
    )
    middle = np.minimum(np.nan_to_num(p50), p95)
    low, tall = places - 0.31, np.full(len(places), 0.62)
    blocks(axes, np.zeros(len(places)), low, middle, tall, _PALE)
    blocks(axes, middle, low, p95 - middle, tall, blue)
    axes.plot(p99, places, "D", color=red, ms=3.6)
    axes.set_xlim(0, float(np.nanmax([*p95, *p99, limit or 0.0])) * 1.03)
    if limit:
        axes.axvline(limit, color=INK, ls=_LIMIT, lw=1.1)
    values(sheet, axes, [f"P95 {number(value)}{_errors(one)}" for value, one in zip(p95, shown, strict=True)])
    title(axes, "x", f"response time, {times.unit}")


def sla_margins(sheet: Sheet, back: Backdrop, checks: Sequence[SlaCheck], profile: str | None) -> None:
    """What is left to each limit as a share of it, with what the samples leave open; below zero it is broken."""
    ranked = sorted(
        (one for one in checks if one.margin is not None), key=lambda one: (one.margin or 0.0, one.subject, one.metric)
    )
    counts = {name: sum(one.verdict == name for one in ranked) for name in _VERDICTS}
    back.heading(sheet, f"profile {profile}" if profile else "slas.yaml", f"{len(ranked)} limits")
    sheet.key(
        [
            Entry(f"{counts[name]} {text}", color, None, mark)
            for name, (text, color, mark) in _VERDICTS.items()
            if counts[name]
        ]
    )
    shown = ranked[: room_for_rows(sheet)]
    unknown = len(checks) - len(ranked)
    notes = [*_left_out(len(ranked) - len(shown), "limits have more left than these"),
             *([f"{unknown} limits could not be measured and are not drawn."] if unknown else [])]  # fmt: skip
    beyond = any((one.margin or 0.0) < -_FURTHEST for one in shown)
    beyond_note = ["Arrows: broken by more than the limit itself, see the numbers."] if beyond else []
    sheet.notes(["Lines span the 95 % confidence interval of what was measured.", *beyond_note, *notes])
    axes = rows(sheet, [(one.subject, f" · {_metric(one.metric)}") for one in shown])
    for place, one in enumerate(shown):
        _margin(axes, place, one)
    axes.axvline(0, color=INK, lw=1.2)
    lowest = min([-0.1, *(_clipped(one.margin or 0.0) for one in shown)])
    axes.set_xlim(max(lowest * 100 - 8, -_FURTHEST * 100 - 8), 104)
    values(sheet, axes, [f"{number(one.actual or 0.0)} of {number(one.limit)}" for one in shown])
    title(axes, "x", "left to the limit, % of it (below 0 it is broken)")


def _margin(axes: Axes, place: int, one: SlaCheck) -> None:
    _, color, mark = _VERDICTS[one.verdict]
    if one.low is not None and one.high is not None:
        ends = [_clipped(_margin_of(one, value)) * 100 for value in (one.low, one.high)]
        axes.plot(ends, [place, place], color=color, lw=2.2, solid_capstyle="butt")
    margin = one.margin or 0.0
    axes.plot([_clipped(margin) * 100], [place], marker=mark if margin >= -_FURTHEST else "<", color=color, ms=5.5)


def _margin_of(one: SlaCheck, value: float) -> float:
    """The margin that another value would have; a limit of throughput is one from below."""
    if not one.limit:
        return 0.0
    share = value / one.limit
    return share - 1 if one.metric == "throughput_per_s" else 1 - share


def _clipped(margin: float) -> float:
    return min(max(margin, -_FURTHEST), 1.0)


def rows(sheet: Sheet, names: Sequence[tuple[str, str]]) -> Axes:
    """Axes with a row for each name and what follows it, the first one above, and room for values at the right."""
    most = sheet.width * _NAMES
    cut = [sheet.cut(name, most - sheet.width_of(end, TEXT_PT)) + end for name, end in names]
    wide = max((sheet.width_of(name, TEXT_PT) for name in cut), default=0.0)
    axes = sheet.axes(left=MARGIN + wide + 8, right=_VALUES, above=4)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color="#E3E6EA", linewidth=0.7)
    axes.set_yticks([])
    axes.set_ylim(max(len(names), 4) - 0.4, -0.6)
    for place, name in enumerate(cut):
        sheet.beside(axes, place, name)
    numbers(axes, "x", 7)
    return axes


def values(sheet: Sheet, axes: Axes, texts: Sequence[str]) -> None:
    """A text for each row, at the right of the axes."""
    for place, text in enumerate(texts):
        sheet.beside(axes, place, text, at_right=True, size=TEXT_PT - 0.5)


def room_for_rows(sheet: Sheet) -> int:
    """How many rows can be read on a sheet of this height."""
    return max(3, int((sheet.height - 130) / _ROW_PT))


def _left_out(count: int, what: str) -> list[str]:
    return [f"{count} more {what}."] if count > 0 else []


def _p95(one: LabelNumbers) -> float:
    return _value(one, "p95_ms") or 0.0


def _value(one: LabelNumbers, name: str) -> float | None:
    return (one.steady or one.whole).percentiles_ms.get(name)


def _errors(one: LabelNumbers) -> str:
    rate = (one.steady or one.whole).error_rate
    return f", {rate:.2%} fail" if rate else ""


def _metric(name: str) -> str:
    readable = {"error_rate_pct": "errors, %", "throughput_per_s": "throughput, per second"}
    return readable.get(name, f"{name.removesuffix('_ms').upper()}, ms")
