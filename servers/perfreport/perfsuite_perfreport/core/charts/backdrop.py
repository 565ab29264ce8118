"""What all charts over time share: the clock beneath, the phases behind, the findings above."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from numpy.typing import NDArray

from perfsuite.artifacts.analyses import Phase
from perfsuite_perfreport.core.charts.clock import Clock
from perfsuite_perfreport.core.charts.looks import FAINT, INK, ORANGE, SKY
from perfsuite_perfreport.core.charts.sheet import NOTE_PT, TEXT_PT, Sheet, title

Floats = NDArray[np.floating[Any]]

_MOST_FLAGS: Final = 4
_TITLES: Final = {"ramp_up": "ramp-up", "warm_up": "warm-up", "steady": "steady state", "ramp_down": "ramp-down"}
_SHADES: Final = {
    "ramp_up": (ORANGE, 0.13),
    "warm_up": (ORANGE, 0.07),
    "steady": (SKY, 0.10),
    "ramp_down": (ORANGE, 0.13),
}
_NEAR: Final = 0.025
ABOVE: Final = 26.0
"""Room above the axes, in points: for the names of the phases and the numbers of the flags."""


@dataclass(frozen=True)
class Flag:
    """A finding that began at some moment."""

    at_s: float
    text: str


@dataclass(frozen=True)
class Backdrop:
    """A run as a background."""

    run_id: str
    clock: Clock
    phases: tuple[Phase, ...] = ()
    flags: tuple[Flag, ...] = field(default=())

    @property
    def shown_flags(self) -> tuple[Flag, ...]:
        """The first ones, in the order of time."""
        inside = [one for one in self.flags if 0 <= one.at_s <= self.clock.span_s]
        return tuple(sorted(inside[:_MOST_FLAGS], key=lambda one: (one.at_s, one.text)))

    def heading(self, sheet: Sheet, *more: str) -> None:
        """Title, run and window."""
        sheet.heading(" · ".join((f"Run {self.run_id}", self.clock.window, *more)))

    def notes(self, *more: str) -> list[str]:
        """What the flags say, and other notes."""
        left_out = len(self.flags) - len(self.shown_flags)
        flags = [
            f"{number}  {self.clock.reads(one.at_s)}  {one.text}"
            for number, one in enumerate(self.shown_flags, start=1)
        ]
        if left_out > 0:
            flags[-1:] = [f"{flags[-1]}  (and {left_out} more findings)"] if flags else []
        return [*flags, *more]

    def under(self, sheet: Sheet, axes: Axes) -> None:
        """Draw it: call it when the axes have their values."""
        span = max(self.clock.span_s, 0.001)
        axes.set_xlim(0, span)
        places, texts = self.clock.ticks()
        sheet.labels(axes, "x", places, texts)
        title(axes, "x", self.clock.axis_label)
        self._phases(sheet, axes, span)
        self._flags(axes, span)

    def _phases(self, sheet: Sheet, axes: Axes, span: float) -> None:
        wide = axes.get_position().width * sheet.width
        for phase in self.phases:
            color, strength = _SHADES[phase.name]
            from_s, to_s = max(phase.from_s, 0.0), min(phase.to_s, span)
            if to_s <= from_s:
                continue
            axes.axvspan(from_s, to_s, color=color, alpha=strength, lw=0, zorder=0)
            name = _TITLES[phase.name]
            if sheet.width_of(name, NOTE_PT) + 4 <= (to_s - from_s) / span * wide:
                _above(axes, (from_s + to_s) / 2, 3, name, color=FAINT, size=NOTE_PT)

    def _flags(self, axes: Axes, span: float) -> None:
        row, last = 0, -1.0
        for number, flag in enumerate(self.shown_flags, start=1):
            row = row + 1 if last >= 0 and (flag.at_s - last) / span < _NEAR * (row + 1) else 0
            last = flag.at_s if row == 0 else last
            axes.axvline(flag.at_s, color=INK, lw=0.8, ls=(0, (2, 2)), zorder=1.5)
            offset = row * _NEAR * span
            _above(
                axes, min(flag.at_s + offset, span), 13, str(number), color="white", size=TEXT_PT - 0.5, is_flag=True
            )


def _above(axes: Axes, x: float, up_pt: float, text: str, *, color: str, size: float, is_flag: bool = False) -> None:
    axes.annotate(
        text, (x, 1.0), xycoords=("data", "axes fraction"), xytext=(0, up_pt), textcoords="offset points",
        ha="center", va="bottom", fontsize=size, color=color, annotation_clip=False,
        bbox={"boxstyle": "circle,pad=0.2", "fc": INK, "lw": 0} if is_flag else None,
    )  # fmt: skip


def empty(axes: Axes, text: str) -> None:
    """Say in the middle of the axes that there is nothing, which is a result."""
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=10, color=FAINT,
        bbox={"fc": "white", "alpha": 0.85, "lw": 0},
    )  # fmt: skip


def blocks(axes: Axes, lefts: Floats, bottoms: Floats, widths: Floats, heights: Floats, color: str) -> None:
    """Bars as one shape: an artist for each would take longer than all else."""
    rights, tops = lefts + widths, bottoms + heights
    corners = np.stack([lefts, bottoms, lefts, tops, rights, tops, rights, bottoms], axis=-1).reshape(-1, 4, 2)
    axes.add_collection(PolyCollection(list(corners), facecolors=color, linewidths=0), autolim=False)


def limit_line(axes: Axes, value: float | None) -> bool:
    """A limit across the axes, which make room for it; whether there is one."""
    if value is None:
        return False
    axes.axhline(value, color=INK, lw=1.1, ls=(0, (7, 2, 1.5, 2)), zorder=2.5)
    axes.set_ylim(top=max(axes.get_ylim()[1], value * 1.08))
    return True


def from_zero(axes: Axes, values: Sequence[float], least: float = 1e-9) -> None:
    """An axis from zero to a little above the greatest of the values."""
    greatest = max((one for one in values if one == one), default=0.0)
    axes.set_ylim(0, (greatest if greatest > least else 1.0) * 1.08)
