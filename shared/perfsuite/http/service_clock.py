"""How far the clock of a service is from the one here, by the Date headers of its answers."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from perfsuite.http.waits import timestamp

# Dates are whole seconds, and servers keep the text of one for up to a second.
_CUT_S: Final = 2.0
# Less than this lies within the buckets of metrics and the booting of engines.
_MATTERS_S: Final = 5.0
_FRESH: Final = ("", "0")


class ServiceClock:
    """What is known of the clock of one service: bounds that every answer narrows."""

    def __init__(self, here: Callable[[], float] = time.time) -> None:
        self.here = here
        self._ahead: tuple[float, float] | None = None

    def learn(self, headers: Mapping[str, str], sent_at: float) -> None:
        """Take in the headers of an answer that just came; `sent_at` is when it was asked for, by the clock here."""
        shown = timestamp(headers.get("date", ""))
        # What a cache gives out shows the time at which it was put there.
        if shown is None or headers.get("age", "").strip() not in _FRESH:
            return
        found = shown - self.here(), shown + _CUT_S - sent_at
        known = self._ahead or found
        both = max(found[0], known[0]), min(found[1], known[1])
        # Where they contradict each other, somebody has set a clock meanwhile.
        self._ahead = both if both[0] <= both[1] else found

    @property
    def ahead_s(self) -> float:
        """How far it is ahead of the one here for certain; negative where it is behind."""
        low, high = self._ahead or (0.0, 0.0)
        return low if low > 0 else min(high, 0.0)

    @property
    def least_s(self) -> float:
        """The least that it may be ahead. What is over by this reckoning is over there."""
        return self._ahead[0] if self._ahead else 0.0

    def told(self, service: str) -> str | None:
        """That the two clocks differ, where it matters."""
        if abs(self.ahead_s) < _MATTERS_S:
            return None
        way = "ahead of" if self.ahead_s > 0 else "behind"
        return f"{service}'s clock is {abs(self.ahead_s):.0f} s {way} the one here."
