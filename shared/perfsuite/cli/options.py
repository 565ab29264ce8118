"""The options that commands share, and how their texts become values."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from perfsuite.errors import BadInput
from perfsuite.samples.definitions import METHODS, Apdex, Choice, PercentileMethod
from perfsuite.samples.options import ReadOptions

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="Result files: JMeter CSV or XML, k6 --out json or --out csv, also gzipped. "
        "Several files are the engines of one run.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
Columns = Annotated[
    str, typer.Option(metavar="NAMES", help="Column names of a CSV file without a header, separated by commas.")
]
Timezone = Annotated[
    str, typer.Option(metavar="ZONE", help="The zone of times written as local dates, such as Europe/Paris.")
]
Timestamp = Annotated[
    Literal["start", "end"], typer.Option(help="Whether timeStamp is when a sample started or ended.")
]


def read_options(columns: str, timezone: str, timestamp: Literal["start", "end"]) -> ReadOptions:
    names = tuple(name.strip() for name in columns.split(",")) if columns else ()
    return ReadOptions(columns=names, timezone=timezone, timestamp=timestamp)


def choice_of(percentiles: str, method: str, apdex: str) -> Choice:
    return Choice(percentiles=_percentiles(percentiles), method=_method(method), apdex=_apdex(apdex))


def _percentiles(text: str) -> tuple[float, ...]:
    try:
        wanted = tuple(dict.fromkeys(float(part) for part in text.split(",")))
    except ValueError:
        wanted = ()
    if not wanted or not all(0 <= p <= 100 for p in wanted):
        raise BadInput(
            f"The percentiles {text!r} are not numbers from 0 to 100.", next_step="Give them as in '50,90,99.9'."
        )
    return wanted


def _method(text: str) -> PercentileMethod:
    for method in METHODS:
        if text == method:
            return method
    raise BadInput(f"There is no percentile method {text!r}.", next_step=f"Choose one of {', '.join(METHODS)}.")


def _apdex(text: str) -> Apdex:
    try:
        satisfied, tolerated = (float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(
            f"The APDEX limits {text!r} are not two numbers.", next_step="Give them in milliseconds, as in '500,1500'."
        ) from None
    return Apdex(satisfied, tolerated)


def pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    """Texts such as NAME=VALUE, by their names."""
    pairs = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise BadInput(f"{option} {text!r} is no NAME=VALUE.", next_step=f"Write it as in `{option} name=value`.")
        pairs[name] = value
    return pairs
