"""`perfsuite stats`: exact statistics of result files."""

from typing import Annotated, Final, Literal

import typer
from rich.table import Table
from rich.text import Text

from perfsuite.cli import output
from perfsuite.cli.options import AsJson, Columns, Files, Timestamp, Timezone, choice_of, read_options
from perfsuite.samples.statistics import Statistics
from perfsuite.samples.summary import Summary, summarise
from perfsuite.samples.times import utc

SortBy = Literal["label", "samples", "errors", "mean", "slowest"]
_KIND_ORDER: Final = {"sample": 0, "transaction": 1, "sub": 2}
_HEADINGS: Final = {"transaction": "transactions", "sub": "parts of samples"}
_SHOWN_REJECTED: Final = 5
_NARROW: Final = 110


def stats(
    files: Files,
    percentiles: Annotated[
        str, typer.Option(metavar="LIST", help="Percentiles to give, separated by commas.")
    ] = "50,90,95,99",
    percentile_method: Annotated[
        str, typer.Option(metavar="METHOD", help="linear, nearest-rank, jmeter-aggregate or jmeter-dashboard.")
    ] = "linear",
    compat: Annotated[
        Literal["jmeter-dashboard"] | None,
        typer.Option(help="Count and compute as JMeter's HTML dashboard does, number by number."),
    ] = None,
    apdex: Annotated[
        str, typer.Option(metavar="T,F", help="Satisfied and tolerated limit in milliseconds.")
    ] = "500,1500",
    sort: Annotated[SortBy, typer.Option(help="The order of the labels in the table.")] = "label",
    limit: Annotated[int, typer.Option(min=1, help="The most labels in the table; JSON has them all.")] = 100,
    columns: Columns = "",
    timezone: Timezone = "UTC",
    timestamp: Timestamp = "start",
    as_json: AsJson = False,
) -> None:
    """Show exact statistics of result files, by label and in total, without importing them."""
    choice = choice_of(percentiles, percentile_method, apdex)
    with output.progress_bar() as progress:
        found = summarise(
            files,
            options=read_options(columns, timezone, timestamp),
            choice=choice,
            compat=compat,
            progress=progress,
        )
    if as_json:
        output.print_json(found.as_json())
        return
    _print(found, sort, limit)


def _print(found: Summary, sort: SortBy, limit: int) -> None:
    window_s = (found.last_us - found.first_us) / 1e6
    users = f" · {found.concurrency} users" if found.concurrency else ""
    output.say(f"{utc(found.first_us)} to {utc(found.last_us)} · {window_s:,.1f} s · {found.rows_read:,} rows{users}")
    labels = sorted(found.labels, key=lambda one: _order(one, sort))
    output.print_table(statistics_table(labels[:limit], found.total, output.console().width))
    if len(labels) > limit:
        output.say(f"{limit} of {len(labels)} labels are shown; --limit shows more, --json all.")
    output.say(f"Percentiles: {found.percentile_method}. Total: {found.counting}.")
    for warning in found.warnings:
        output.warn(warning)
    _warn_of_rejected(found)


def _warn_of_rejected(found: Summary) -> None:
    several = len(found.files) > 1
    rejected = [(file.file, row) for file in found.files for row in file.rejected]
    total = sum(file.rows_rejected for file in found.files)
    if total:
        output.warn(f"{total:,} rows were rejected:")
    for file, row in rejected[:_SHOWN_REJECTED]:
        output.warn(f"{f'{file}, ' if several else ''}line {row.line}: {row.reason}")


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
