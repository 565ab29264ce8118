"""What goes into a request and what comes back."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypedDict

from pydantic import SecretStr

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Scalar: TypeAlias = str | int | float | bool
Param: TypeAlias = Scalar | Sequence[Scalar] | None
Upload: TypeAlias = tuple[str, bytes, str]
"""File name, content, media type."""
Progress: TypeAlias = Callable[[int, int | None], Awaitable[None]]
"""Called with the bytes so far and the bytes in all, if the service said how many."""


class Options(TypedDict, total=False):
    """What a request may carry; every one may be left out."""

    params: Mapping[str, Param]
    """Query parameters; None leaves one out, a list repeats it."""
    headers: Mapping[str, str | SecretStr]
    json: object
    files: Mapping[str, Upload]
    fields: Mapping[str, str]
    """Form fields that go beside `files`."""
    idempotent: bool
    """True if sending it twice does no harm. By default POST and PATCH are not idempotent, the others are."""
    expected: Collection[int]
    """Statuses that are answers rather than errors, besides 2xx."""
    deadline_s: float


@dataclass(frozen=True)
class Answer:
    """A parsed answer with what came around it. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Json = field(repr=False)


@dataclass(frozen=True)
class Downloaded:
    """A file that arrived whole."""

    path: Path
    size_bytes: int
    sha256: str
    content_type: str
