"""How a run goes from its creation to its end."""

from dataclasses import dataclass
from typing import Final

from perfsuite.sandbox.blazemeter.recording import STEPS

DATA: Final = 100
ENDED: Final = 140
_BOOT: Final = ((0, "CREATE"), (20, "BOOT_STARTING"), (25, "BOOT_COMPLETE"), (60, "JMETER_CONSOLE_INIT"))
_FIRST_SHARE: Final = 0.1
"""For so long a status says nothing but its id."""


@dataclass(frozen=True)
class Phase:
    """What a status says."""

    progress: int | None
    status: str

    @property
    def has_ended(self) -> bool:
        return self.progress == ENDED


@dataclass
class Timeline:
    """The course of a run, in seconds since its creation."""

    boot_s: float
    load_s: float
    finalising_s: float
    stopped_after_s: float | None = None

    @property
    def load_ends_s(self) -> float:
        planned = self.boot_s + self.load_s
        return planned if self.stopped_after_s is None else min(planned, self.stopped_after_s)

    @property
    def ends_s(self) -> float:
        return self.load_ends_s + self.finalising_s

    def phase(self, age_s: float) -> Phase:
        if age_s >= self.ends_s:
            return Phase(ENDED, "ENDED")
        if age_s >= self.load_ends_s:
            return Phase(130, "TERMINATING") if self.load_ends_s < self.boot_s else Phase(120, "FINALIZING")
        if age_s >= self.boot_s:
            return Phase(DATA, "DATA_RECEIVED")
        share = age_s / self.boot_s
        if share < _FIRST_SHARE:
            return Phase(None, _BOOT[0][1])
        return Phase(*_BOOT[min(int(share * len(_BOOT)), len(_BOOT) - 1)])

    def steps(self, age_s: float) -> int:
        """How many of the steps of its recording there are."""
        loaded_s = min(age_s, self.load_ends_s) - self.boot_s
        return max(0, min(STEPS, int(loaded_s / self.load_s * STEPS + 1e-6))) if self.load_s else STEPS

    def stop(self, age_s: float) -> None:
        if age_s < self.load_ends_s:
            self.stopped_after_s = age_s
