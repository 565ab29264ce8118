"""What is good to know and not worth failing for."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from perfsuite.errors import PerfsuiteError
from perfsuite_blazemeter.models.entities import Archived

T = TypeVar("T")


async def besides(fetch: Callable[[], Awaitable[T | Archived]], about: str) -> tuple[T | None, str | None]:
    """What was asked for, or a note that says why it is not there."""
    try:
        found = await fetch()
    except PerfsuiteError as error:
        return None, f"{about} could not be read: {error.message}"
    return (None, f"{about} is archived.") if isinstance(found, Archived) else (found, None)
