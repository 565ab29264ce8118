"""Tables of statistics."""

from collections.abc import Sequence
from typing import Final, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from perfsuite.cli import output
from perfsuite.samples.statistics import Statistics

SortBy = Literal["label", "samples", "errors", "mean", "slowest"]

_KIND_ORDER: Final = {"sample": 0, "transaction": 1, "sub": 2}
_HEADINGS: Final = {"transaction": "transactions", "sub": "parts of samples"}
_LABEL_WIDTH: Final = 16
_DISPENSABLE: Final = ("min", "apdex", "max", "errors", "per s", "mean")
"""Columns that a narrow screen does without, the first one first."""
MOST_LABELS: Final = 100


def print_statistics(
    labels: Sequence[Statistics], total: Statistics, foot: str, *, sort: SortBy = "label", limit: int = MOST_LABELS
) -> None:
    """The labels in this order, and what was left out."""
    ordered = sorted(labels, key=lambda one: _order(one, sort))
    table, left_out = fitting_table(ordered[:limit], total, output.console())
    output.print_table(table)
    if left_out:
        output.say(f"Left out for want of width: {', '.join(left_out)}. A wider terminal or --json shows them.")
    if len(ordered) > limit:
        output.say(f"{limit} of {len(ordered)} labels are shown; --json has them all.")
    output.say(f"Times are in milliseconds. {foot}")


def _order(one: Statistics, sort: SortBy) -> tuple[object, ...]:
    slowest = max((v for v in one.percentiles_ms.values() if v is not None), default=0.0)
    value: object = {
        "label": 0,
        "samples": -one.samples,
        "errors": -one.errors,
        "mean": -(one.mean_ms or 0.0),
        "slowest": -slowest,
    }[sort]
    return (_KIND_ORDER[one.kind], value, one.label)


def fitting_table(labels: Sequence[Statistics], total: Statistics, screen: Console) -> tuple[Table, list[str]]:
    """The table with as many columns as the screen is wide for, and the names of those left out: no number is cut."""
    rows = [_cells(one, ()) for one in (*labels, total)]
    widths = {name: max(cell_len(text) for text in (name, *(row[name] for row in rows))) for name in rows[-1]}
    left_out: list[str] = []
    while _LABEL_WIDTH + sum(width + 1 for width in widths.values()) > screen.width and len(left_out) < len(
        _DISPENSABLE
    ):
        left_out.append(_DISPENSABLE[len(left_out)])
        widths.pop(left_out[-1])
    is_tight = _LABEL_WIDTH + sum(width + 2 for width in widths.values()) > screen.width
    return _table(labels, total, left_out, padding=1 if is_tight else 2), left_out


def _table(labels: Sequence[Statistics], total: Statistics, left_out: Sequence[str], *, padding: int) -> Table:
    """One line a label, the kinds apart, and the total at the end."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, padding, 0, 0))
    table.add_column("label", overflow="fold", min_width=_LABEL_WIDTH, max_width=60)
    for name in _cells(total, left_out):
        table.add_column(name, justify="right", no_wrap=True)
    kind = "sample"
    for one in labels:
        if one.kind != kind:
            kind = one.kind
            table.add_row(Text(_HEADINGS[kind], "dim"))
        table.add_row(output.plain(one.label), *_cells(one, left_out).values())
    table.add_row()
    table.add_row(output.plain(total.label), *_cells(total, left_out).values(), style="bold")
    return table


def _cells(one: Statistics, left_out: Sequence[str]) -> dict[str, str]:
    cells = {
        "samples": output.number(one.samples),
        "errors": output.number(one.errors),
        "err %": output.number(None if one.error_rate is None else one.error_rate * 100, 2),
        "mean": output.number(one.mean_ms),
        "min": output.number(one.min_ms, 0),
        **{name.removesuffix("_ms"): output.number(value, 0) for name, value in one.percentiles_ms.items()},
        "max": output.number(one.max_ms, 0),
        "per s": output.number(one.throughput_per_s, 2),
        "apdex": output.number(one.apdex, 2),
    }
    return {name: cell for name, cell in cells.items() if name not in left_out}
