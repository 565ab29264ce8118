"""The values that BlazeMeter's answers are made of, read with care: every one comes from outside."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from perfsuite.samples.rows import printable, text_of

LONGEST_NAME = 200

T = TypeVar("T")


def _moment(value: Any) -> Any:
    """BlazeMeter counts seconds since 1970, and writes 0 where nothing has happened yet."""
    if value is None or isinstance(value, datetime):
        return value
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (TypeError, ValueError, OverflowError, OSError):
        raise PydanticCustomError("epoch", "seconds since 1970 are expected") from None


def _text(value: Any) -> Any:
    value = _label(value)
    return printable(value, LONGEST_NAME) if isinstance(value, str) else value


def _label(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return text_of(value) if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    """An empty list may come as null, and a list of things with keys as an object."""
    return [] if value is None else list(value.values()) if isinstance(value, dict) else value


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Text = Annotated[str | None, BeforeValidator(_text)]
"""Somebody else's words on one line, without control characters, cut to a length that can be shown."""
Label = Annotated[str | None, BeforeValidator(_label)]
"""The name of a label, whole: samples are compared by it. Cut it before it is shown."""
Key = Annotated[str, BeforeValidator(_text), Field(min_length=1)]
Number = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Listed = Annotated[tuple[T, ...], BeforeValidator(_listed)]


class Received(BaseModel):
    """A part of an answer: what it holds beside its fields is passed over, what it lacks is None and stays so."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
    )
