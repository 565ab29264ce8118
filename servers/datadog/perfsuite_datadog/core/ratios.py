"""Percentages from what was measured. Without data, or without anything to divide by, there is no number."""

from collections.abc import Sequence
from typing import Final

from perfsuite_datadog.models.timeseries import Series, Unit

Values = Sequence[float | None]
PERCENT: Final = Unit(name="percent", family="percentage", scale_factor=1.0)
FRACTION: Final = Unit(name="fraction", family="percentage", scale_factor=100.0)
# As the agent sends them, for answers that carry no unit.
DOCUMENTED: Final = {
    "percent": PERCENT,
    "fraction": FRACTION,
    "mebibyte": Unit(name="mebibyte", family="bytes", scale_factor=1024.0**2),
    "byte": Unit(name="byte", family="bytes"),
    "nanocore": Unit(name="nanocore", family="cpu", scale_factor=1e-9),
    "core": Unit(name="core", family="cpu"),
}


def scaled(series: Series, documented: str) -> list[float | None]:
    """The values in the base unit of their family: percent, bytes, cores."""
    factor = (series.unit or DOCUMENTED[documented]).scale_factor
    return [None if value is None else value * factor for value in series.values]


def percent_of(above: Values, below: Values) -> list[float | None]:
    """What is above the line, in percent of what is below it."""
    return [
        None if part is None or whole is None or whole <= 0 else 100.0 * part / whole
        for part, whole in zip(above, below, strict=True)
    ]


def rest_of_hundred(values: Values) -> list[float | None]:
    """Percent that are not these. Rounding on the way may pass the ends by a hair."""
    return [None if value is None else min(100.0, max(0.0, 100.0 - value)) for value in values]


def usable_share(series: Series) -> list[float | None] | None:
    """Usable memory in percent, or None where the unit leaves open what the numbers mean.

    The agent sends a share of one despite the name `pct_usable`, and some answers call the same number a percentage.
    """
    known = [value for value in series.values if value is not None]
    share_of_one = all(value <= 1.0 for value in known)
    named_percent = series.unit is not None and series.unit.scale_factor < FRACTION.scale_factor
    if share_of_one == named_percent:
        return None
    return [None if value is None else value * (100.0 if share_of_one else 1.0) for value in series.values]


def mean(values: Values) -> float | None:
    """The mean of what is known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def highest(values: Values) -> float | None:
    return max((value for value in values if value is not None), default=None)


def lowest(values: Values) -> float | None:
    return min((value for value in values if value is not None), default=None)


def combined_percent(pairs: Sequence[tuple[Values, Values]]) -> list[float | None]:
    """Of all of them together, wherever both parts of a pair are known."""
    known = [
        [(part, whole) for part, whole in column if part is not None and whole is not None]
        for column in zip(*(zip(above, below, strict=True) for above, below in pairs), strict=True)
    ]
    sums = [(sum(part for part, _ in column), sum(whole for _, whole in column)) for column in known]
    return percent_of([part for part, _ in sums], [whole for _, whole in sums])


def shown(value: float | None, digits: int = 2) -> float | None:
    """The number as answers show it."""
    return None if value is None else round(value, digits)
