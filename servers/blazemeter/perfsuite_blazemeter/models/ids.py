"""How runs, and what BlazeMeter calls masters, are named.

The run folder of master 12345678 is the run `12345678`, unless the caller chose another id: then `master_id` says which
master is meant, once. The run's files keep it for all later calls, and none of them may bring another.
"""

from contextlib import suppress
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from perfsuite.artifacts import RunFolder, RunId, RunStore
from perfsuite.errors import BadFile, BadInput, Conflict, NotFound, NotReady
from perfsuite_blazemeter.models.artifacts import BOOK
from perfsuite_blazemeter.models.config import CONFIG

LARGEST_ID = 2**53 - 1


def _as_text(value: Any) -> Any:
    """A master's id is a number to whoever reads it in a list, and a run's id is text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Run = Annotated[RunId, BeforeValidator(_as_text), Field(description="The run: a master's id, or your name for it.")]
MaybeRun = Annotated[RunId | None, BeforeValidator(_as_text), Field(description="The run.")]
MaybeMaster = Annotated[
    Annotated[int, Field(ge=1, le=LARGEST_ID)] | None,
    Field(description="If `run_id` is another."),
]


def master_of(runs: RunStore, run_id: str | None, master_id: int | None) -> int:
    """The master that is meant by a run id, by a master's id, or by both."""
    known = _known_to(runs, run_id) if run_id is not None else {}
    masters = set(known.values()) | ({master_id} if master_id is not None else set())
    if len(masters) > 1:
        told = ", ".join(f"{what} master {master}" for what, master in known.items())
        raise Conflict(
            f"Run {run_id!r} cannot be of {' and '.join(map(str, sorted(masters)))}: {told}.",
            next_step="A run holds one master: take another run id, or leave out `master_id`.",
        )
    if masters:
        return masters.pop()
    raise BadInput(
        f"Which master run {run_id!r} is cannot be told." if run_id else "Neither `run_id` nor `master_id` is given.",
        next_step="Give `master_id`; `get_test_runs` lists them.",
    )


def is_master(run_id: str) -> bool:
    """Whether a run of this id can be of no other master."""
    return run_id.isascii() and run_id.isdigit() and 0 < int(run_id) <= LARGEST_ID


def run_folder(runs: RunStore, run_id: str) -> RunFolder | None:
    """The folder of the run if it has one."""
    try:
        return runs.open(run_id)
    except NotFound:
        return None


def _known_to(runs: RunStore, run_id: str) -> dict[str, int]:
    """Which master the run is of, by everything that says so."""
    known = {"its id names": int(run_id)} if is_master(run_id) else {}
    if folder := run_folder(runs, run_id):
        with suppress(NotReady, BadFile):
            known[f"{CONFIG.place} holds"] = folder.load(CONFIG).master_id
        with suppress(NotReady, BadFile):
            known[f"{BOOK.place} holds"] = folder.load(BOOK).master_id
    return known
