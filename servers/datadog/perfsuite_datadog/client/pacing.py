"""Keeping to a rate limit before it bites: every answer says how many requests are left, and when that begins anew."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from perfsuite.errors import RateLimited
from perfsuite.http import Timing

LONGEST_WAIT_S: Final = 90.0
_NUMBER: Final = re.compile(r"\d{1,9}", re.ASCII)


@dataclass
class _Allowance:
    left: int
    resets_at: float
    limit: str
    under_way: int = 0


class Pace:
    """What is left of each route's allowance. Limits differ by organization and time, so only headers are trusted."""

    def __init__(self, timing: Timing, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._timing = timing
        self._longest_wait_s = longest_wait_s
        self._routes: dict[str, _Allowance] = {}

    async def turn(self, route: str) -> None:
        """Return when one more request to this route is allowed."""
        while (allowance := self._known(route)) is not None and allowance.left <= 0:
            wait_s = allowance.resets_at - self._timing.clock()
            if wait_s > self._longest_wait_s:
                raise _used_up(allowance, wait_s)
            await self._timing.sleep(wait_s)
        if allowance is not None:
            allowance.left -= 1
            allowance.under_way += 1

    def ended(self, route: str) -> None:
        """Note that a request to this route is over, whatever came of it."""
        if (known := self._known(route)) is not None:
            known.under_way = max(0, known.under_way - 1)

    def learn(self, route: str, headers: Mapping[str, str]) -> None:
        """Note what an answer says. Requests that are under way are not in its count yet."""
        known = self._known(route)
        under_way = known.under_way if known else 0
        left, reset_s = (_number(headers.get(f"x-ratelimit-{name}", "")) for name in ("remaining", "reset"))
        if left is None or reset_s is None:
            return
        limit = f"{_shown(headers, 'limit')} requests in {_shown(headers, 'period')} s"
        self._routes[route] = _Allowance(left - under_way, self._timing.clock() + reset_s, limit, under_way)

    def told(self, route: str) -> str | None:
        """What is left for a route, in words."""
        known = self._known(route)
        if known is None:
            return None
        wait_s = math.ceil(known.resets_at - self._timing.clock())
        return f"{max(0, known.left)} left of {known.limit}, which begin anew in {wait_s} s"

    def _known(self, route: str) -> _Allowance | None:
        allowance = self._routes.get(route)
        if allowance is not None and self._timing.clock() >= allowance.resets_at:
            del self._routes[route]
            return None
        return allowance


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text.strip()) else None


def _shown(headers: Mapping[str, str], name: str) -> str:
    value = _number(headers.get(f"x-ratelimit-{name}", ""))
    return "?" if value is None else str(value)


def _used_up(allowance: _Allowance, wait_s: float) -> RateLimited:
    wait = f"{math.ceil(wait_s)} s"
    return RateLimited(
        f"Datadog's allowance of {allowance.limit} is used up; it begins anew in {wait}.",
        next_step=f"Wait {wait}, then call again, or ask for a shorter window.",
    )
