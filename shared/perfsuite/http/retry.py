"""When a request is sent again, and after how long."""

import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import anyio
from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from perfsuite.errors import PerfsuiteError, RateLimited
from perfsuite.http import allowance

T = TypeVar("T")

TRIES = 4
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 20.0

_log = logging.getLogger("perfsuite.http")


@dataclass(frozen=True)
class Timing:
    """Time and chance, as the client sees them."""

    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    random: Callable[[], float] = random.random


@dataclass(frozen=True)
class Failure:
    """A try that failed: its error, whether another may follow, and the wait that the service asked for."""

    error: PerfsuiteError
    again: bool
    asked_s: float | None = None


class Budget:
    """The tries and the seconds that one request may use up. It never sleeps past its deadline."""

    def __init__(self, timing: Timing, deadline_s: float) -> None:
        self._timing = timing
        self._ends = timing.clock() + deadline_s
        self.tries = 0
        self._shared = allowance.current.get()

    def left_s(self) -> float:
        own = max(0.0, self._ends - self._timing.clock())
        return own if self._shared is None else min(own, self._shared.left_s())

    @property
    def used_up(self) -> str | None:
        """Why there is nothing left, where it is not this request that took it all."""
        return self._shared.told() if self._shared and not self._shared.left_s() else None

    def answered(self, seconds: float, request: str) -> None:
        if self._shared:
            self._shared.took(seconds, request)

    async def run(self, attempt: Callable[[], Awaitable[T | Failure]], late: Callable[[], Failure]) -> T:
        """The first result that is not a failure; `late` makes the failure of a try that the deadline cut off."""

        async def bounded() -> T | Failure:
            if not self.left_s():
                return late()
            self.tries += 1
            with anyio.move_on_after(self.left_s()):
                return await attempt()
            return late()

        retrying = AsyncRetrying(
            sleep=self._timing.sleep,
            retry=retry_if_result(lambda result: isinstance(result, Failure) and result.again),
            wait=self._wait_s,
            stop=self._is_over,
            before_sleep=_announce,
            retry_error_callback=_last_failure,
        )
        result: T | Failure = await retrying(bounded)
        if isinstance(result, Failure):
            raise self._final(result)
        return result

    def _wait_s(self, state: RetryCallState) -> float:
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** (state.attempt_number - 1))
        return max(_last_failure(state).asked_s or 0.0, self._timing.random() * longest)

    def _is_over(self, state: RetryCallState) -> bool:
        return state.attempt_number >= TRIES or state.upcoming_sleep >= self.left_s()

    def _final(self, failure: Failure) -> PerfsuiteError:
        error, asked_s = failure.error, failure.asked_s
        tried = f" It was tried {self.tries} times." if self.tries > 1 else ""
        if asked_s is None:
            return type(error)(error.message + tried, next_step=error.next_step)
        left = f" This call had {self.left_s():.0f} s left." if asked_s >= self.left_s() else ""
        wait = f"{math.ceil(asked_s)} s"
        return type(error)(
            f"{error.message}{tried} The service asked to wait {wait}.{left}",
            next_step=f"Wait {wait}, then try again." if isinstance(error, RateLimited) else error.next_step,
        )


def _last_failure(state: RetryCallState) -> Failure:
    """What tenacity asks about: it does so only after a try that failed."""
    return cast("Failure", state.outcome.result() if state.outcome else None)


def _announce(state: RetryCallState) -> None:
    _log.info("%s Trying again in %.1f s.", _last_failure(state).error.message, state.upcoming_sleep)
