"""Numbers as people read them."""

from collections.abc import Callable, Mapping
from typing import Final

from perfsuite.samples.rows import printable
from perfsuite_perfreport.models.report import Cell, Form

UNKNOWN: Final = "\N{EN DASH}"
LONGEST_NAME: Final = 120
LONGEST_TEXT: Final = 600


def name(text: str) -> str:
    """A label or the name of a host, on one line, at a length that a table takes."""
    return printable(text, LONGEST_NAME)


def sentence(text: str) -> str:
    """What an analysis says, on one line."""
    return printable(text, LONGEST_TEXT)


def plain(value: float) -> str:
    """Four digits that count, and no exponent."""
    size = abs(value)
    if size >= 1000 or value == int(value):
        return f"{value:,.0f}"
    if 0 < size < 0.0001:
        return "below 0.0001" if value > 0 else "above -0.0001"
    return f"{value:.1f}" if size >= 100 else f"{value:.2f}" if size >= 1 else f"{value:.4f}".rstrip("0")


def _milliseconds(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


_FORMS: Final[Mapping[Form, Callable[[float], str]]] = {
    "count": lambda value: f"{value:,.0f}",
    "ms": _milliseconds,
    "share": lambda value: f"{value * 100:.2f}",
    "number": plain,
}


def shown(value: Cell, form: Form = "number") -> str:
    """A cell as text; what is not known is a dash, and never 0."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    return _FORMS.get(form, plain)(value)


def change_of(metric: str, change: float) -> str:
    """A change as a share of the baseline; that of an error rate is a difference, in percentage points."""
    return f"{change * 100:+.2f} pp" if metric == "error_rate" else f"{change:+.1%}"


def duration(seconds: float) -> str:
    """`1 h 02 min 05 s`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02d} min {rest:02d} s"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s" if seconds < 10 else f"{rest} s"
