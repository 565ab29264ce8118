"""Tables of statistics."""

from collections.abc import Sequence
from typing import Final, Literal

from rich.table import Table
from rich.text import Text

from perfsuite.cli import output
from perfsuite.samples.statistics import Statistics

SortBy = Literal["label", "samples", "errors", "mean", "slowest"]

_KIND_ORDER: Final = {"sample": 0, "transaction": 1, "sub": 2}
_HEADINGS: Final = {"transaction": "transactions", "sub": "parts of samples"}
_NARROW: Final = 110
MOST_LABELS: Final = 100


def print_statistics(
    labels: Sequence[Statistics], total: Statistics, foot: str, *, sort: SortBy = "label", limit: int = MOST_LABELS
) -> None:
    """The labels in this order, and what was left out."""
    ordered = sorted(labels, key=lambda one: _order(one, sort))
    output.print_table(statistics_table(ordered[:limit], total, output.console().width))
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


def statistics_table(labels: list[Statistics], total: Statistics, width: int) -> Table:
    """One line a label, the kinds apart, and the total at the end."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1 if width < _NARROW else 2, 0, 0))
    table.add_column("label", overflow="fold", min_width=16, max_width=60)
    names = [name.removesuffix("_ms") for name in total.percentiles_ms]
    wide = ("min",) if width >= _NARROW else ()
    for name in ("samples", "errors", "err %", "mean", *wide, *names, "max", "per s", "apdex"):
        table.add_column(name, justify="right", no_wrap=True)
    kind = "sample"
    for one in labels:
        if one.kind != kind:
            kind = one.kind
            table.add_row(Text(_HEADINGS[kind], "dim"))
        table.add_row(*_cells(one, wide=bool(wide)))
    table.add_row()
    table.add_row(*_cells(total, wide=bool(wide)), style="bold")
    return table


def _cells(one: Statistics, *, wide: bool) -> list[Text | str]:
    return [
        output.plain(one.label),
        output.number(one.samples),
        output.number(one.errors),
        output.number(None if one.error_rate is None else one.error_rate * 100, 2),
        output.number(one.mean_ms),
        *([output.number(one.min_ms, 0)] if wide else []),
        *(output.number(value, 0) for value in one.percentiles_ms.values()),
        output.number(one.max_ms, 0),
        output.number(one.throughput_per_s, 2),
        output.number(one.apdex, 2),
    ]
