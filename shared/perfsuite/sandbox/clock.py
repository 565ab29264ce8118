"""The time that a stand-in lives in."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """The time, in seconds since the epoch, and how to let it pass."""

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]

    @classmethod
    def real(cls) -> "Clock":
        """The time of this machine, which nobody who sets its clock can turn back."""
        offset = time.time() - time.monotonic()
        return cls(lambda: offset + time.monotonic(), asyncio.sleep)
