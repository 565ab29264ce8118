"""What can be made to go wrong, and when it did.

Faults are never undone, only ended: what the shop was like at any earlier time can still be told, which is the truth
that an analysis is measured against.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from perfsuite.errors import BadInput, LimitExceeded

_MINUTE_S: Final = 60
_MOST_PERIODS: Final = 1_000
_SLOWEST: Final = 100.0


class _Timed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    after_s: float = Field(default=0, ge=0, le=86_400, description="seconds from now to its beginning")
    for_s: float | None = Field(default=None, gt=0, le=86_400, description="seconds it lasts; null: until it is ended")


class Leak(_Timed):
    """Every host needs more memory and more time, minute by minute; ending it is like a restart."""

    fault: Literal["leak"] = "leak"
    latency_growth_per_min: float = Field(default=0.5, ge=0, le=1_000, description="share of the service time")
    memory_mb_per_min: float = Field(default=120, ge=0, le=1e6)


class ErrorBurst(_Timed):
    """A share of the requests is answered by an error, after the usual time."""

    fault: Literal["errors"] = "errors"
    rate: float = Field(default=0.5, ge=0, le=1, description="share of the requests")


class SlowHost(_Timed):
    """One host takes longer for everything."""

    fault: Literal["slow-host"] = "slow-host"
    host: str = Field(default="shop-1", max_length=64)
    factor: float = Field(default=4, ge=1, le=_SLOWEST)


class Hang(_Timed):
    """Requests are taken and not answered before it ends."""

    fault: Literal["hang"] = "hang"


class Down(_Timed):
    """Nobody listens: connections are refused, and open ones are closed."""

    fault: Literal["down"] = "down"


Fault = Annotated[Leak | ErrorBurst | SlowHost | Hang | Down, Field(discriminator="fault")]
KINDS: Final = ("leak", "errors", "slow-host", "hang", "down")
_FAULT: Final[TypeAdapter[Leak | ErrorBurst | SlowHost | Hang | Down]] = TypeAdapter(Fault)

T = TypeVar("T", bound=_Timed)


def fault_of(values: object) -> Fault:
    """The fault that these values describe."""
    try:
        return _FAULT.validate_python(values)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'fault'}: {p['msg']}" for p in error.errors())
        raise BadInput(
            f"There is no such fault: {found}.",
            next_step=f"Name one of {', '.join(KINDS)} as `fault`, and its values beside it.",
        ) from None


def read_fault(text: str) -> Fault:
    """The fault that a text such as `leak:memory_mb_per_min=60,after_s=30` describes."""
    kind, _, rest = text.partition(":")
    pairs = [pair.partition("=") for pair in rest.split(",") if pair]
    return fault_of({"fault": kind.strip(), **{name.strip(): value.strip() for name, _, value in pairs}})


@dataclass
class Period:
    """A fault and when it was there, in seconds since the epoch."""

    fault: Fault
    begins: float
    ends: float | None

    def covers(self, now: float) -> bool:
        return self.begins <= now and not self.is_over(now)

    def is_over(self, now: float) -> bool:
        return self.ends is not None and self.ends <= now


class Faults:
    """Every fault that there was, is, and will be."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self._hosts = hosts
        self.periods: list[Period] = []

    def switch_on(self, fault: Fault, now: float) -> Period:
        """Let this go wrong."""
        if isinstance(fault, SlowHost) and fault.host not in self._hosts:
            raise BadInput(f"There is no host {fault.host!r}.", next_step=f"Name one of {', '.join(self._hosts)}.")
        if len(self.periods) >= _MOST_PERIODS:
            raise LimitExceeded(f"There were {_MOST_PERIODS} faults already.", next_step="Start a new shop.")
        begins = now + fault.after_s
        period = Period(fault, begins, None if fault.for_s is None else begins + fault.for_s)
        self.periods.append(period)
        return period

    def end(self, now: float, kind: str | None = None) -> int:
        """End every fault of this kind, or every one, and say how many those were. What has not begun never will."""
        ending = [p for p in self.periods if not p.is_over(now) and kind in {None, p.fault.fault}]
        for period in ending:
            period.ends = now
        self.periods = [p for p in self.periods if p.ends is None or p.begins < p.ends]
        return len(ending)

    def latency_factor(self, host: str, now: float) -> float:
        """How much longer than usual a host takes."""
        grown = sum(p.latency_growth_per_min * minutes for p, minutes in self._active(Leak, now))
        slow = [p.factor for p, _ in self._active(SlowHost, now) if p.host == host]
        return min((1 + grown) * max([1.0, *slow]), _SLOWEST)

    def leaked_mb(self, now: float) -> float:
        return sum(p.memory_mb_per_min * minutes for p, minutes in self._active(Leak, now))

    def error_rate(self, now: float) -> float:
        return max([0.0, *(p.rate for p, _ in self._active(ErrorBurst, now))])

    def is_hanging(self, now: float) -> bool:
        return bool(self._active(Hang, now))

    def is_down(self, now: float) -> bool:
        return bool(self._active(Down, now))

    def _active(self, kind: type[T], now: float) -> list[tuple[T, float]]:
        """The faults of a kind that are there now, and for how many minutes they have been."""
        return [
            (p.fault, (now - p.begins) / _MINUTE_S)
            for p in self.periods
            if isinstance(p.fault, kind) and p.covers(now)
        ]  # fmt: skip
