"""The same question about several sessions, a few at a time."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from perfsuite.errors import PerfsuiteError

K = TypeVar("K")
T = TypeVar("T")


async def side_by_side(
    items: Sequence[K], work: Callable[[K], Awaitable[T]], *, at_once: int
) -> list[T | PerfsuiteError]:
    """What came of each, in their order. One that fails does not stop the others."""
    slots = anyio.CapacityLimiter(at_once)
    found: dict[int, T | PerfsuiteError] = {}

    async def one(number: int, item: K) -> None:
        async with slots:
            try:
                found[number] = await work(item)
            except PerfsuiteError as error:
                found[number] = error

    async with anyio.create_task_group() as tasks:
        for number, item in enumerate(items):
            tasks.start_soon(one, number, item)
    return [found[number] for number in range(len(items))]
