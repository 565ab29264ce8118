"""Charts of a comparison: what changed by how much, and the courses of the runs on top of each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from perfsuite.artifacts.comparisons import Compared
from perfsuite_perfreport.core.charts.backdrop import empty, from_zero
from perfsuite_perfreport.core.charts.looks import BLUE, GREY, INK, MARKERS, ORANGE, VERMILION
from perfsuite_perfreport.core.charts.rankings import room_for_rows, rows, values
from perfsuite_perfreport.core.charts.sheet import Entry, Sheet, numbers, title
from perfsuite_perfreport.core.reporting.numbers import change_of

Floats = NDArray[np.float64]

_FURTHEST: Final = 1.5
_VERDICTS: Final = {
    "regression": ("worse", VERMILION, "X"), "improvement": ("better", BLUE, "o"),
    "within_noise": ("within noise", GREY, "s"), "inconclusive": ("cannot be told", ORANGE, "D"),
}  # fmt: skip


@dataclass(frozen=True)
class RunLine:
    """A run over the time since its first sample."""

    run_id: str
    at_s: Floats
    values: Floats


def changes(sheet: Sheet, subtitle: str, found: Sequence[tuple[str, Compared]]) -> None:
    """How much each metric changed, with its interval: the worst verdict first."""
    known = [(name, one) for name, one in found if one.verdict in _VERDICTS and one.change is not None]
    shown = known[: room_for_rows(sheet)]
    sheet.heading(subtitle)
    shown_changes = [one for _, one in shown]
    there = {one.verdict for one in shown_changes}
    sheet.key([Entry(text, color, None, mark) for name, (text, color, mark) in _VERDICTS.items() if name in there])
    left = len(known) - len(shown)
    sheet.notes(
        ["Lines span the 95 % confidence interval.",
         *(["What changed by more than 150 % is drawn at 150 %."] if any(map(_is_beyond, shown_changes)) else []),
         *([f"{left} more changes stand in the tables."] if left else [])]
    )  # fmt: skip
    axes = rows(sheet, [(name, "") for name, _ in shown])
    for place, (_, one) in enumerate(shown):
        _change(axes, place, one)
    axes.axvline(0, color=INK, lw=1.2)
    reach = max(
        [
            0.1,
            *(
                abs(_clipped(end))
                for _, one in shown
                for end in (one.change, one.change_low, one.change_high)
                if end is not None
            ),
        ]
    )
    axes.set_xlim(-reach * 105, reach * 105)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+.0f}" if value else "0"))
    values(sheet, axes, [change_of(one.metric, one.change or 0.0) for _, one in shown])
    title(axes, "x", "change against the baseline, % (of failed requests: percentage points)")


def overlay(sheet: Sheet, subtitle: str, lines: Sequence[RunLine], what: str, notes: Sequence[str] = ()) -> None:
    """The same measure of all runs, each from its first sample on."""
    sheet.heading(subtitle)
    look = sheet.look
    sheet.key([Entry(one.run_id, look.color(i), look.dash(i)) for i, one in enumerate(lines)])
    sheet.notes(notes)
    axes = sheet.axes(right=20, above=8)
    for i, one in enumerate(lines):
        lone = int(np.isfinite(one.values).sum()) == 1
        marker = MARKERS[i % len(MARKERS)] if lone else None
        axes.plot(one.at_s / 60, one.values, color=look.color(i), ls=look.dash(i), lw=1.6, marker=marker)
    together = np.concatenate([one.values for one in lines])
    from_zero(axes, together.tolist())
    if not np.isfinite(together).any():
        empty(axes, "No run has samples enough for this over time.")
    axes.set_xlim(0, max(float(one.at_s.max()) for one in lines) / 60 or 1.0)
    numbers(axes, "x", 9)
    numbers(axes, "y")
    title(axes, "x", "minutes since the first sample of each run")
    title(axes, "y", what)


def _change(axes: Axes, place: int, one: Compared) -> None:
    _, color, mark = _VERDICTS[one.verdict]
    if one.change_low is not None and one.change_high is not None:
        ends = [_clipped(one.change_low) * 100, _clipped(one.change_high) * 100]
        axes.plot(ends, [place, place], color=color, lw=2.2, solid_capstyle="butt")
    axes.plot([_clipped(one.change or 0.0) * 100], [place], marker=mark, color=color, ms=5)


def _is_beyond(one: Compared) -> bool:
    return any(abs(end) > _FURTHEST for end in (one.change, one.change_low, one.change_high) if end is not None)


def _clipped(change: float) -> float:
    return min(max(change, -_FURTHEST), _FURTHEST)
