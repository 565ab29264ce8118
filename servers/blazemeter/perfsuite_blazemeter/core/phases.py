"""Where a run stands. Names between the known points vary, so the number decides."""

from typing import Final, Literal

from perfsuite_blazemeter.models.answers import Phase
from perfsuite_blazemeter.models.entities import Archived, Master, MasterStatus

_DATA: Final = 100
_FINALIZING: Final = 120
_ENDED: Final = 140
# For answers without a number; an older spelling is still to be seen.
_NAMES: Final = {"DATA_RECEIVED": _DATA, "DATA_RECIEVED": _DATA, "FINALIZING": _FINALIZING, "TERMINATING": 130}
_NEXT: Final[dict[Phase, str]] = {
    "starting": "Engines are booting, which takes minutes. Call `check_test_status` again with wait_s=45.",
    "running": "Under load. Call `check_test_status` again with wait_s=45; `stop_test` only if the user asks.",
    "ending": "Results are being put together. Call `check_test_status` again with wait_s=45.",
    "ended": "Call `get_run_results`, then `process_session_artifacts`.",
    "archived": "BlazeMeter has put its reports away: `get_run_results` still has the dates; there are no samples.",
}


def progress_of(status: MasterStatus) -> int | None:
    """How far the run is, by its number or else by its name."""
    return _NAMES.get((status.status or "").upper()) if status.progress is None else status.progress


def phase_of(status: MasterStatus | Archived, master: Master) -> Phase:
    """The phase, from what two endpoints say. That it has ended is believed of either."""
    if isinstance(status, Archived) or master.dumped:
        return "archived"
    progress = progress_of(status) or 0
    if master.ended or (status.status or "").upper() == "ENDED" or progress >= _ENDED:
        return "ended"
    if progress >= _FINALIZING:
        return "ending"
    return "running" if progress >= _DATA else "starting"


def phase_by_dates(master: Master) -> Literal["unfinished", "ended", "archived"]:
    """The phase as far as a list of runs tells it."""
    if master.dumped:
        return "archived"
    return "ended" if master.ended else "unfinished"


def next_step_of(phase: Phase) -> str:
    return _NEXT[phase]


def contradiction(status: MasterStatus | Archived, master: Master) -> str | None:
    """Where the two endpoints do not say the same."""
    if isinstance(status, Archived) or master.dumped or status.progress is None:
        return None
    if master.ended and status.progress < _ENDED:
        return f"The run has an end, while its status is {status.status!r} ({status.progress})."
    if not master.ended and status.progress >= _ENDED:
        return "Its status says that it ended, and it has no time of its end yet."
    return None
