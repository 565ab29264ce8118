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
    ahead_s: float = 0.0
    """How far the Date of answers is ahead of this machine's clock."""

    @classmethod
    def real(cls, ahead_s: float = 0.0) -> "Clock":
        """The time of this machine, which nobody who sets its clock can turn back, or one that is ahead of it."""
        offset = time.time() - time.monotonic() + ahead_s
        return cls(lambda: offset + time.monotonic(), asyncio.sleep, ahead_s)
