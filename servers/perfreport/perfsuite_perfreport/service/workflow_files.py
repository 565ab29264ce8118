"""Where workflows lie, and what belongs to one."""

from difflib import get_close_matches

from perfsuite.artifacts import RunFolder, RunId, RunStore
from perfsuite.errors import NotFound, PerfsuiteError, StorageFailed
from perfsuite_perfreport.models.workflow import WORKFLOW, Workflow

_FOLDER = "workflows"


def place_of(runs: RunStore, workflow_id: str) -> RunFolder:
    """The folder of all workflows, as that of this one."""
    return RunFolder(RunId(workflow_id), runs.root / _FOLDER)


def exists(runs: RunStore, workflow_id: str) -> bool:
    """Whether there is a workflow of this id."""
    place = place_of(runs, workflow_id)
    return place.path(WORKFLOW).is_file()


def find_workflow(runs: RunStore, name: str) -> Workflow:
    """A workflow by its id. The id of a run stands for a workflow of this run alone."""
    if exists(runs, name):
        return place_of(runs, name).load(WORKFLOW)
    try:
        run = runs.open(name)
    except NotFound:
        raise _unknown(runs, name) from None
    return Workflow(workflow_id=run.run_id, run_ids=(run.run_id,), request=run.record().request)


def save_workflow(runs: RunStore, workflow: Workflow) -> str:
    """Write it, and say where."""
    made(runs)
    place_of(runs, workflow.workflow_id).save(WORKFLOW, workflow)
    return f"{_FOLDER}/{WORKFLOW.relative(run_id=workflow.workflow_id)}"


def made(runs: RunStore) -> None:
    """Make the folder of workflows."""
    try:
        (runs.root / _FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(
            f"The folder {_FOLDER!r} could not be made: {error.strerror}.",
            next_step="Make the artifacts folder writable for this user.",
        ) from error


def _unknown(runs: RunStore, name: str) -> PerfsuiteError:
    folder = runs.root / _FOLDER
    names = sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []
    names += [run.run_id for run in runs.runs()]
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f" Similar: {', '.join(map(repr, near))}." if near else ""
    return NotFound(
        f"There is no workflow and no run {name!r}.{hint}",
        next_step="Name one that is there, or call `start_workflow`.",
    )
