"""The hands of a clock that only tests move."""

from dataclasses import dataclass


@dataclass
class Hands:
    """What time it is for a stand-in. Waiting takes no time, and moves them."""

    now: float = 1_770_000_000.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
