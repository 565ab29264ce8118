"""How long everything may take that is asked in one block, whatever each request may take for itself."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

_MANY_S: Final = 1.0


@dataclass
class Allowance:
    """The seconds that a block may take, and which of its requests used up most of them."""

    seconds: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    answered: int = 0
    _slowest: tuple[float, str] = (0.0, "")
    _ends: float = field(init=False)

    def __post_init__(self) -> None:
        self._ends = self.clock() + self.seconds

    def left_s(self) -> float:
        return max(0.0, self._ends - self.clock())

    def took(self, seconds: float, request: str) -> None:
        """Note that a request was answered."""
        self.answered += 1
        self._slowest = max(self._slowest, (seconds, request))

    def told(self) -> str:
        """What became of the seconds, for an error."""
        seconds, request = self._slowest
        slow = f"; {request} alone took {seconds:.0f} s" if seconds >= _MANY_S else ""
        return f"The whole call has {self.seconds:g} s; before, {self.answered} requests were answered{slow}."


current: Final[ContextVar[Allowance | None]] = ContextVar("current", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Have every request in this block end before so many seconds are over, counted from now."""
    token = current.set(Allowance(seconds))
    try:
        yield
    finally:
        current.reset(token)
