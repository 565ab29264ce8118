"""A connection to BlazeMeter for the time of one call."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from perfsuite.http import HttpSettings, within
from perfsuite_blazemeter.client.api import BlazeMeter, connected
from perfsuite_blazemeter.settings import BlazeMeterSettings

T = TypeVar("T")


async def ask(question: Callable[[BlazeMeter], Awaitable[T]], *, share: float = 1) -> T:
    """Ask BlazeMeter as the environment says, for no longer than this share of what clients wait."""
    with within(HttpSettings.load().call_deadline_s * share):
        async with connection() as blazemeter:
            return await question(blazemeter)


def connection() -> AbstractAsyncContextManager[BlazeMeter]:
    """A connection as the environment says, for work that opens it itself."""
    return connected(BlazeMeterSettings.load(), HttpSettings.load())
