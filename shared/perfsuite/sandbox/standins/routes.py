"""The table of what a stand-in answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.responses import Response

from perfsuite.sandbox.standins.evidence import Evidence
from perfsuite.sandbox.standins.visits import Visit

S = TypeVar("S")


@dataclass(frozen=True)
class StandInRoute:
    """One request that a stand-in understands."""

    name: str
    """Such as `blazemeter.session_logs`: under it, faults are switched on and requests recorded."""
    method: str
    path: str
    evidence: Evidence
    note: str = ""
    """What was seen nowhere, or where the shape comes from."""
    faults: tuple[str, ...] = ()
    """What can go wrong here besides what can go wrong everywhere."""
    is_open: bool = False
    """Whether it answers without credentials."""


Handler = Callable[[S, Visit], Awaitable[Response]]


class RouteTable(Generic[S]):
    """Routes and their handlers, which take the stand-in and the request."""

    def __init__(self, standin: str, prefix: str = "") -> None:
        self._standin = standin
        self._prefix = prefix
        self.handlers: dict[StandInRoute, Handler[S]] = {}

    @property
    def routes(self) -> tuple[StandInRoute, ...]:
        return tuple(self.handlers)

    def route(
        self,
        method: str,
        path: str,
        *,
        name: str,
        evidence: Evidence,
        note: str = "",
        faults: tuple[str, ...] = (),
        is_open: bool = False,
    ) -> Callable[[Handler[S]], Handler[S]]:
        """Have a function answer these requests."""
        found = StandInRoute(
            f"{self._standin}.{name}", method, f"{self._prefix}{path}", evidence, note, faults, is_open
        )

        def declared(handler: Handler[S]) -> Handler[S]:
            self.handlers[found] = handler
            return handler

        return declared
