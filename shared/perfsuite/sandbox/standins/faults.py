"""What goes wrong, on which route and how often.

Some kinds can be switched on for every route; the stand-in does not know of them. Others are for the routes that name
them, whose handlers ask for them.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from perfsuite.errors import BadInput, LimitExceeded, NotFound

EVERYWHERE: Final[dict[str, str]] = {
    "too_many": "429, with the headers of the service; `seconds` is how long to wait",
    "server_error": "`status`, and nothing done",
    "slow": "the answer comes after `seconds`",
    "reset": "the connection is cut after `share` of the body that was promised",
    "truncated": "a whole answer with only `share` of its body",
    "wrong_type": "a page of HTML with status 200",
    "error_in_200": "an error with status 200",
    "lost_answer": "everything is done, and the connection is cut before the answer",
}
_MOST: Final = 200


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: Annotated[str, Field(max_length=40)]
    times: Annotated[int | None, Field(ge=1)] = None
    """How many requests meet it; None: every one until it is switched off."""
    after: Annotated[int, Field(ge=0)] = 0
    """How many requests pass before."""
    status: Annotated[int, Field(ge=400, le=599)] = 503
    seconds: Annotated[float, Field(ge=0, le=3600)] = 1.0
    share: Annotated[float, Field(ge=0, lt=1)] = 0.5
    text: Annotated[str, Field(max_length=1000)] = ""
    """What the handlers of some kinds ask for besides."""


_FAULT: Final = TypeAdapter(Fault)


def fault_of(values: Mapping[str, Any]) -> Fault:
    """The fault that these values describe."""
    try:
        return _FAULT.validate_python(values)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'fault'}: {p['msg']}" for p in error.errors())
        raise BadInput(f"There is no such fault: {found}.", next_step="GET /_routes lists the kinds.") from None


def read_fault(text: str) -> tuple[str, Fault]:
    """The route and the fault that a text such as `blazemeter.summary=too_many:times=2,seconds=3` describes."""
    route, _, rest = text.partition("=")
    kind, _, values = rest.partition(":")
    pairs = [pair.partition("=") for pair in values.split(",") if pair]
    return route.strip(), fault_of({"kind": kind.strip(), **{name.strip(): value.strip() for name, _, value in pairs}})


@dataclass
class _Switched:
    route: str
    fault: Fault
    seen: int = 0

    @property
    def is_over(self) -> bool:
        return self.fault.times is not None and self.seen >= self.fault.after + self.fault.times

    def meets(self) -> bool:
        self.seen += 1
        return self.seen > self.fault.after


class Faults:
    """The faults of all stand-ins. Requests and switches may come from different threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, ...]] = {}
        self._on: list[_Switched] = []

    def know(self, routes: Mapping[str, Iterable[str]]) -> None:
        """Take in the names of routes, and the kinds that only they have."""
        self._known |= {name: tuple(kinds) for name, kinds in routes.items()}

    def switch_on(self, route: str, fault: Fault) -> None:
        """Let this go wrong on a route, or on all that a pattern such as `blazemeter.*` takes in."""
        names = [name for name in self._known if fnmatchcase(name, route)]
        if not names:
            raise NotFound(f"No route is called {route!r}.", next_step=f"Name one of {', '.join(self._known)}.")
        able = [name for name in names if fault.kind in EVERYWHERE or fault.kind in self._known[name]]
        if not able:
            kinds = sorted({*EVERYWHERE, *(kind for name in names for kind in self._known[name])})
            raise BadInput(f"{route!r} has no fault {fault.kind!r}.", next_step=f"Name one of {', '.join(kinds)}.")
        with self._lock:
            if len(self._on) + len(able) > _MOST:
                raise LimitExceeded(f"There would be more than {_MOST} faults.", next_step="Switch some off.")
            self._on += [_Switched(name, fault) for name in able]

    def switch_off(self, route: str = "*", kind: str = "*") -> int:
        """End the faults of these routes and kinds, and say how many those were."""
        with self._lock:
            staying = [o for o in self._on if not (fnmatchcase(o.route, route) and fnmatchcase(o.fault.kind, kind))]
            ended = len(self._on) - len(staying)
            self._on = staying
        return ended

    def met_on(self, route: str) -> tuple[Fault, ...]:
        """What the next request on this route meets. Asking is being it."""
        with self._lock:
            met = tuple(one.fault for one in self._on if one.route == route and one.meets())
            self._on = [one for one in self._on if not one.is_over]
        return met

    def told(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{"route": one.route, **asdict(one.fault), "seen": one.seen} for one in self._on]
