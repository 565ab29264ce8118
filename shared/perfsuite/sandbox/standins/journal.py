"""The requests that arrived, so that a test can say what was sent. Values of secrets are never kept."""

import re
import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Credentials = Literal["right", "wrong", "none"]

HIDDEN: Final = "…"
_MOST: Final = 20_000
_SECRET: Final = re.compile(r"sign|token|secret|credential|api.?key|app.*key", re.IGNORECASE)


@dataclass
class Received:
    """One request."""

    route: str
    """`unknown` where the stand-in has none for it."""
    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    """Its JSON; None where it has none."""
    header_names: tuple[str, ...]
    credentials: Credentials
    at: float
    """The time of the stand-in, in seconds since the epoch."""
    status: int | None = None
    """What was answered; None where nothing was."""
    met: tuple[str, ...] = ()
    """The kinds of the faults it met."""

    def value(self, name: str) -> str | None:
        """The last value of a query parameter."""
        return dict(self.query).get(name)


class Journal:
    """The latest requests of all stand-ins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received: deque[Received] = deque(maxlen=_MOST)

    def add(self, received: Received) -> None:
        with self._lock:
            self._received.append(received)

    def forget(self) -> None:
        with self._lock:
            self._received.clear()

    def received(self, route: str = "") -> list[Received]:
        """The requests of a route, the oldest first; of all without one."""
        with self._lock:
            return [one for one in self._received if route in ("", one.route)]

    def told(self, route: str = "") -> list[dict[str, Any]]:
        return [asdict(one) for one in self.received(route)]


def without_secrets(query: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, HIDDEN if _SECRET.search(name) else value) for name, value in query]
