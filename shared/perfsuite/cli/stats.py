"""`perfsuite stats`: exact statistics of result files."""

from typing import Annotated, Final, Literal

import typer

from perfsuite.cli import output
from perfsuite.cli.options import AsJson, Columns, Files, Timestamp, Timezone, choice_of, read_options
from perfsuite.cli.tables import MOST_LABELS, SortBy, print_statistics
from perfsuite.samples.summary import Summary, summarise
from perfsuite.samples.times import utc

_SHOWN_REJECTED: Final = 5


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
    limit: Annotated[int, typer.Option(min=1, help="The most labels in the table; JSON has them all.")] = MOST_LABELS,
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
    foot = f"Percentiles: {found.percentile_method}. Total: {found.counting}."
    print_statistics(found.labels, found.total, foot, sort=sort, limit=limit)
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
