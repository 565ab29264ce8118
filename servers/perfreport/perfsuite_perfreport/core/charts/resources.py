"""Charts of processors and memory: of all hosts and containers, or of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from perfsuite.artifacts.analyses import OverTime
from perfsuite_perfreport.core.charts.backdrop import ABOVE, Backdrop, limit_line
from perfsuite_perfreport.core.charts.looks import GREY, INK
from perfsuite_perfreport.core.charts.sheet import Entry, Sheet, numbers, title
from perfsuite_perfreport.core.charts.timelines import RIGHT, users_axis, users_entry, users_of

Floats = NDArray[np.float64]

_MOST_NAMED: Final = 6
_OTHERS: Final = "#B4BAC4"
_LIMIT: Final = (0, (7, 2, 1.5, 2))
_HUNDRED: Final = 100.0


@dataclass(frozen=True)
class MetricLine:
    """A metric of a host or container. What is not a number was not reported."""

    resource: str
    metric: str
    at_s: Floats
    values: Floats

    @property
    def peak(self) -> float:
        """The greatest value; below every other where there is none."""
        known = self.values[np.isfinite(self.values)]
        return float(known.max()) if len(known) else -1.0


@dataclass(frozen=True)
class Resources:
    """What is drawn: `what` names it, `threshold` is where use becomes a finding."""

    what: str
    lines: tuple[MetricLine, ...]
    threshold: float | None = None
    missing: int = 0
    """Readings that were not reported."""
    note: str = ""


def all_resources(sheet: Sheet, back: Backdrop, found: Resources, over: OverTime | None = None) -> None:
    """The highest by name, all others in grey, and the users where they are wanted."""
    ranked = sorted(found.lines, key=lambda one: (-one.peak, one.resource))
    # The colour of one that would stand alone among the others costs nothing.
    named = ranked[: _MOST_NAMED + (len(ranked) == _MOST_NAMED + 1)]
    others = ranked[len(named) :]
    back.heading(sheet, f"{len(ranked)} {'resource' if len(ranked) == 1 else 'resources'}")
    entries = [
        Entry(f"{one.resource} (peak {one.peak:.3g} %)", sheet.look.color(i), sheet.look.dash(i))
        for i, one in enumerate(named)
    ]
    rest = [Entry(f"{len(others)} others (peak {others[0].peak:.3g} % or less)", _OTHERS)] if others else []
    _draw(sheet, back, found, (named, others), [*entries, *rest], over)


def one_resource(sheet: Sheet, back: Backdrop, found: Resources, name: str, over: OverTime | None = None) -> None:
    """All that was measured of one resource."""
    back.heading(sheet, name)
    entries = [
        Entry(f"{one.resource} (peak {one.peak:.3g} %)", sheet.look.color(i), sheet.look.dash(i))
        for i, one in enumerate(found.lines)
    ]
    _draw(sheet, back, found, (list(found.lines), []), entries, over)


def _draw(
    sheet: Sheet, back: Backdrop, found: Resources, lines: tuple[Sequence[MetricLine], Sequence[MetricLine]],
    entries: list[Entry], over: OverTime | None,
) -> None:  # fmt: skip
    limit = sheet.look.sla_line or found.threshold
    at_s, users = users_of(over) if over else (np.zeros(0), np.zeros(0))
    has_users = bool(np.isfinite(users).any())
    limits = [Entry(f"threshold: {limit:g} %", INK, _LIMIT)] if limit else []
    sheet.key([*([users_entry()] if has_users else []), *limits, *entries])
    sheet.notes(back.notes(*_remarks(found)))
    axes = sheet.axes(right=RIGHT if has_users else 20, above=ABOVE)
    _lines(sheet, axes, *lines)
    highest = max((one.peak for one in found.lines), default=0.0)
    axes.set_ylim(0, max(_HUNDRED, highest) * 1.04)
    if highest > _HUNDRED:
        axes.axhline(_HUNDRED, color=GREY, lw=0.9)
    limit_line(axes, limit)
    numbers(axes, "y")
    title(axes, "y", f"{found.what}, %")
    if has_users:
        users_axis(axes, at_s, users)
    back.under(sheet, axes)


def _lines(sheet: Sheet, axes: Axes, named: Sequence[MetricLine], others: Sequence[MetricLine]) -> None:
    if others:
        paths = [np.column_stack([one.at_s, one.values]) for one in others]
        axes.add_collection(LineCollection(paths, colors=_OTHERS, linewidths=0.8, alpha=0.7), autolim=False)
    for i, one in enumerate(named):
        lone = len(one.at_s) == 1
        axes.plot(
            one.at_s, one.values, color=sheet.look.color(i), ls=sheet.look.dash(i), lw=1.6, marker="o" if lone else None
        )


def _remarks(found: Resources) -> list[str]:
    missing = f"{found.missing} readings are missing: the lines have gaps there." if found.missing else ""
    return [one for one in (found.note, missing) if one]
