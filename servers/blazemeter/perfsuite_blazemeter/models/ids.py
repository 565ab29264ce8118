"""How runs, and what BlazeMeter calls masters, are named.

The run folder of master 12345678 is the run `12345678`, unless the caller chose another id: then `master_id` says which
master is meant, once; `blazemeter/test_config.json` keeps it for all later calls.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from perfsuite.artifacts import RunFolder, RunId, RunStore
from perfsuite.errors import BadInput, Conflict, NotFound, NotReady
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
    known = _kept(runs, run_id) if run_id is not None else None
    if master_id is not None:
        if known not in (None, master_id):
            raise Conflict(
                f"Run {run_id!r} holds master {known}, not {master_id}.",
                next_step="Leave out `master_id`, or choose another run id.",
            )
        return master_id
    if known is not None:
        return known
    if run_id is not None and _is_master(run_id):
        return int(run_id)
    raise BadInput(
        f"Which master run {run_id!r} is cannot be told." if run_id else "Neither `run_id` nor `master_id` is given.",
        next_step="Give `master_id`; `get_test_runs` lists them.",
    )


def run_folder(runs: RunStore, run_id: str) -> RunFolder | None:
    """The folder of the run if it has one."""
    try:
        return runs.open(run_id)
    except NotFound:
        return None


def _kept(runs: RunStore, run_id: str) -> int | None:
    folder = run_folder(runs, run_id)
    try:
        return folder.load(CONFIG).master_id if folder else None
    except NotReady:
        return None


def _is_master(run_id: str) -> bool:
    return run_id.isascii() and run_id.isdigit() and 0 < int(run_id) <= LARGEST_ID
