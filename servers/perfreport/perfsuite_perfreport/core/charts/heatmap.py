"""The heat map of what moves with what, beyond what the load explains."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib import colormaps

from perfsuite.artifacts.correlations import Pair
from perfsuite_perfreport.core.charts.backdrop import Backdrop
from perfsuite_perfreport.core.charts.looks import FAINT, INK
from perfsuite_perfreport.core.charts.sheet import MARGIN, TEXT_PT, Sheet

_COLORS: Final = "PuOr"
_ROW_PT: Final = 16.0
_COLUMN_PT: Final = 64.0
_NAMES: Final = 0.30
_LINES: Final = 42.0
_DARK: Final = 0.62


def correlation_heatmap(sheet: Sheet, back: Backdrop, pairs: Sequence[Pair], tested: int) -> None:
    """Responses by resource metric: Spearman's partial correlation, framed where it is significant."""
    known = [one for one in pairs if one.partial is not None]
    responses = _ranked(known, [one.response for one in known])
    metrics = _ranked(known, [_metric(one) for one in known])
    rows = metrics[: max(2, int((sheet.height - 150) / _ROW_PT))]
    columns = responses[: max(1, int(sheet.width * (1 - _NAMES) / _COLUMN_PT) - 1)]
    moving = sum(one.verdict == "moves_with" for one in known)
    back.heading(sheet, f"{moving} of {tested} pairs move together beyond what the load explains")
    sheet.notes(_notes(len(metrics) - len(rows), len(responses) - len(columns)))
    names = [sheet.cut(name, sheet.width * _NAMES) for name in rows]
    wide = max(sheet.width_of(name, TEXT_PT) for name in names)
    axes = sheet.axes(left=MARGIN + wide + 6, right=20, above=4, below=_LINES + 4)
    axes.grid(visible=False)
    values, found = np.full((len(rows), len(columns)), np.nan), {}
    for one in known:
        if _metric(one) in rows and one.response in columns:
            place = rows.index(_metric(one)), columns.index(one.response)
            values[place], found[place] = one.partial or 0.0, one
    axes.pcolormesh(values, cmap=colormaps[_COLORS], vmin=-1, vmax=1, edgecolors="white", linewidth=1.5)
    axes.set_facecolor("#F3F4F6")
    box = axes.get_position().width * sheet.width / len(columns)
    axes.set_yticks([])
    axes.set_ylim(len(rows), 0)
    axes.set_xlim(0, len(columns))
    for number, name in enumerate(names):
        sheet.beside(axes, number + 0.5, name)
    sheet.labels(
        axes, "x", [number + 0.5 for number in range(len(columns))], [_lines(sheet, name, box - 6) for name in columns]
    )
    axes.tick_params(length=0)
    for (row, column), one in found.items():
        sure, strength = one.verdict == "moves_with", one.partial or 0.0
        color = "white" if abs(strength) > _DARK else INK if sure else FAINT
        text = f"{strength:+.2f}" + (" ●" if sure else "")
        sheet.inside(axes, column + 0.5, row + 0.5, text, color=color, weight="bold" if sure else "normal")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _ranked(pairs: Sequence[Pair], names: Sequence[str]) -> list[str]:
    """The names, those with the most certain and then the strongest pair first."""
    best: dict[str, tuple[bool, float]] = {}
    for one, name in zip(pairs, names, strict=True):
        rank = (one.verdict != "moves_with", -abs(one.partial or 0.0))
        best[name] = min(best.get(name, rank), rank)
    return sorted(best, key=lambda name: (best[name], name))


def _metric(one: Pair) -> str:
    return f"{one.resource} · {one.metric}"


def _lines(sheet: Sheet, name: str, room: float) -> str:
    """`mean_ms of LABEL` above each other, and the label on two lines where it needs them."""
    measure, _, label = name.partition(" of ")
    head = sheet.cut(label, room, at_end=True)
    if head == label or not head.endswith("…"):
        return "\n".join(filter(None, (sheet.cut(measure, room), head)))
    return "\n".join((sheet.cut(measure, room), head[:-1], sheet.cut(label[len(head) - 1 :], room)))


def _notes(rows: int, columns: int) -> list[str]:
    left = [f"{rows} metrics" if rows > 0 else "", f"{columns} responses" if columns > 0 else ""]
    more = " and ".join(one for one in left if one)
    return [
        "Spearman's partial correlation given the load, -1 to 1. ● and bold: significant, corrected for the number of "
        "pairs. Moving together is not causing.",
        *([f"{more} with weaker pairs are not drawn."] if more else []),
    ]
