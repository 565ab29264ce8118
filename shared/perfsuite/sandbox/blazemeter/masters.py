"""The runs, which BlazeMeter calls masters, and their sessions, one an engine."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from perfsuite.sandbox.blazemeter.catalog import LOCATIONS, LoadTest
from perfsuite.sandbox.blazemeter.recording import Recording
from perfsuite.sandbox.blazemeter.spec import BlazeMeterSpec
from perfsuite.sandbox.blazemeter.timeline import Phase, Timeline

FIRST_ID: Final = 7_000_001
_DAY_S: Final = 86_400


@dataclass(frozen=True)
class Session:
    """One engine of a run."""

    id: str
    number: int
    location: str


@dataclass
class Master:
    """One run."""

    id: int
    test: LoadTest
    created: float
    recording: Recording
    timeline: Timeline
    speed: float = 1.0
    engines_ahead_s: float = 0.0
    is_archived: bool = False
    name: str = ""
    note: str = ""
    public_token: str | None = None
    sessions: tuple[Session, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.name or self.test.name
        self.sessions = tuple(self._session(number) for number in range(self.recording.engines))

    def age(self, now: float) -> float:
        return (now - self.created) * self.speed

    def phase(self, now: float) -> Phase:
        return self.timeline.phase(self.age(now))

    def ended(self, now: float) -> int | None:
        """In seconds since the epoch; None while it runs."""
        return math.ceil(self.created + self.timeline.ends_s) if self.phase(now).has_ended else None

    def updated(self, now: float) -> int:
        return self.ended(now) or int(self.created + self.age(now))

    def so_far(self, now: float) -> Recording | None:
        """What was measured until now."""
        return self.recording.beginning(self.timeline.steps(self.age(now)))

    @property
    def load_window(self) -> tuple[float, float]:
        """From when to when it has load, if nobody stops it."""
        begins = self.created + self.timeline.boot_s
        return begins, begins + self.recording.seconds

    @property
    def shift_us(self) -> int:
        """From the times of the recording to those of this run."""
        return round((self.created + self.timeline.boot_s + self.engines_ahead_s) * 1e6) - self.recording.first_us

    def _session(self, number: int) -> Session:
        known = sha256(f"{self.id} {number}".encode()).hexdigest()[:14]
        return Session(f"r-v4-{known}", number, LOCATIONS[number % len(LOCATIONS)])


class Masters:
    """Every run there is, the newest first."""

    def __init__(self, spec: BlazeMeterSpec, recording: Recording, tests: tuple[LoadTest, ...]) -> None:
        self._spec = spec
        self._recording = recording
        self._known: dict[int, Master] = {}
        # By whole seconds, so that samples keep their distances to the millisecond.
        shift_s = 0 if spec.newest_ends is None else math.floor(spec.newest_ends - recording.last_us / 1e6)
        for number in range(spec.runs):
            days_ago = spec.runs - 1 - number
            created = recording.first_us / 1e6 + shift_s - spec.boot_s - days_ago * _DAY_S
            made = self._add(tests[0] if days_ago % 4 != 3 else tests[1], created)
            made.is_archived = days_ago == spec.runs - 1 > 0

    def start(self, test: LoadTest, now: float) -> Master:
        """A run that begins now."""
        made = self._add(test, now)
        made.speed = self._spec.speed
        return made

    def find(self, master_id: str) -> Master | None:
        return self._known.get(int(master_id)) if master_id.isdecimal() and len(master_id) < 18 else None

    def session(self, session_id: str) -> tuple[Master, Session] | None:
        return next(
            ((master, one) for master in self._known.values() for one in master.sessions if one.id == session_id), None
        )

    def __iter__(self) -> Iterator[Master]:
        return iter(sorted(self._known.values(), key=lambda master: -master.id))

    def _add(self, test: LoadTest, created: float) -> Master:
        timeline = Timeline(self._spec.boot_s, self._recording.seconds, self._spec.finalising_s)
        made = Master(FIRST_ID + len(self._known), test, created, self._recording, timeline)
        made.engines_ahead_s = self._spec.engines_ahead_s
        self._known[made.id] = made
        return made
