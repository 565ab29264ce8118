"""start_workflow: checks what was asked for, and opens the ledgers of the runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import ConfigDict, Field

from perfsuite.artifacts import RunFolder, RunId, RunStore, proposed_run_id
from perfsuite.artifacts.schemas import ConfluenceRequest, RunFacts, RunRecord, RunRequest
from perfsuite.configuration import Configuration, load_configuration
from perfsuite.errors import BadInput, Conflict
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfreport.models.workflow import StartedWorkflow, Workflow
from perfsuite_perfreport.service.workflow_files import exists, find_workflow, save_workflow

_ENVIRONMENTS: Final = "environments.yaml"
_SLAS: Final = "slas.yaml"


class _Environments(Configuration):
    """The names in environments.yaml; what stands below them is for the server that asks these hosts."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    environments: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What the user asked for before anything started."""

    run_ids: tuple[RunId, ...]
    workflow_id: RunId | None
    request: RunRequest
    folders: tuple[Path, ...]


def start_workflow(runs: RunStore, wanted: Wanted) -> StartedWorkflow:
    """Open the runs and the workflow. What is incomplete is one error that names everything, and nothing is made."""
    if problems := list(_problems(wanted)):
        raise BadInput(
            f"The workflow cannot begin: {' '.join(problems)}",
            next_step="Ask the user for what is missing, then call `start_workflow` again.",
        )
    workflow = _workflow(runs, wanted)
    known = [run.run_id for run in runs.runs()]
    notes = [note for run_id in wanted.run_ids for note in _opened(runs, run_id, wanted.request, known)]
    notes += _notes(wanted, [runs.open(run_id).record().request for run_id in wanted.run_ids])
    place = save_workflow(runs, workflow)
    return StartedWorkflow(
        workflow_id=workflow.workflow_id,
        file=place,
        new_runs=[one for one in wanted.run_ids if one not in known],
        notes=[printable(note, 300) for note in notes],
        next_step=_next_step(runs.open(wanted.run_ids[0]), workflow),
    )


def _problems(wanted: Wanted) -> Iterator[str]:
    if len({one.casefold() for one in wanted.run_ids}) != len(wanted.run_ids):
        yield "A run stands in it twice."
    asked = wanted.request.confluence.model_dump()
    given = [name for name, value in asked.items() if value]
    if given and len(given) < len(asked):
        absent = sorted(set(asked) - set(given))
        yield f"For Confluence, {', '.join(f'confluence_{one}' for one in absent)} is missing."
    environment = wanted.request.environment
    if environment is not None:
        yield from _environment_problems(environment, wanted.folders)


def _environment_problems(name: str, folders: tuple[Path, ...]) -> Iterator[str]:
    found = load_configuration(_Environments, _ENVIRONMENTS, folders)
    if found.path is None:
        yield f"There is no {_ENVIRONMENTS} in {' or '.join(map(str, found.searched))} that says what {name!r} is."
    elif name not in found.value.environments:
        known = list(found.value.environments)
        near = get_close_matches(name, known, n=3) or known[:10]
        yield f"{_ENVIRONMENTS} has no environment {name!r}; it has {', '.join(map(repr, near)) or 'none'}."


def _workflow(runs: RunStore, wanted: Wanted) -> Workflow:
    workflow_id = wanted.workflow_id or _own_id(runs, wanted)
    workflow = Workflow(workflow_id=workflow_id, run_ids=wanted.run_ids, request=wanted.request)
    if exists(runs, workflow_id):
        there = find_workflow(runs, workflow_id)
        if there.run_ids != wanted.run_ids:
            raise Conflict(
                f"There is a workflow {workflow_id!r} already, of {', '.join(map(repr, there.run_ids))}.",
                next_step="Give another `workflow_id`, or the same runs to go on with it.",
            )
        workflow = workflow.model_copy(update={"state": there.state})
    return workflow


def _own_id(runs: RunStore, wanted: Wanted) -> RunId:
    """That of the run where there is one; for several, a name that no run has."""
    if len(wanted.run_ids) == 1:
        return wanted.run_ids[0]
    return proposed_run_id(wanted.run_ids[0], "workflow", "", [run.run_id for run in runs.runs()])


def _opened(runs: RunStore, run_id: RunId, request: RunRequest, known: list[RunId]) -> Iterator[str]:
    if run_id not in known:
        runs.create(run_id, RunFacts(request=request))
        # Masters of BlazeMeter have numbers, which are all alike.
        near = [] if run_id.isdigit() else get_close_matches(run_id, known, n=2, cutoff=0.8)
        if near:
            yield f"{run_id!r} is new; is it not {' or '.join(map(repr, near))}?"
        return
    run = runs.open(run_id)
    before = run.record().request
    merged = _merged(before, request)
    if merged != before:
        run.update(lambda record: _with(record, merged))
        if before != RunRequest():
            yield f"What was asked for run {run_id!r} before is changed."


def _merged(before: RunRequest, now: RunRequest) -> RunRequest:
    """What is asked now, and what was asked before where nothing is said now."""
    given = {key: value for key, value in now.model_dump(exclude={"confluence"}).items() if value is not None}
    confluence = now.confluence if now.confluence != ConfluenceRequest() else before.confluence
    return before.model_copy(update={**given, "confluence": confluence})


def _with(record: RunRecord, request: RunRequest) -> RunRecord:
    return record.model_copy(update={"request": request})


def _notes(wanted: Wanted, requests: list[RunRequest]) -> Iterator[str]:
    """What will be lacking; what was asked for a run before still counts."""
    if not any((folder / _SLAS).is_file() for folder in wanted.folders):
        yield f"There is no {_SLAS}: no limit will be evaluated, and the verdict will be INCONCLUSIVE."
    if any(one.environment is None for one in requests):
        yield "No environment is named: no metrics and logs are collected, and reports say so."
    if any(one.confluence.space is None for one in requests):
        yield "No Confluence space is named: nothing is published."


def _next_step(run: RunFolder, workflow: Workflow) -> str:
    status = Ledger(run).status()
    first = status.next
    tool = f"Call `{first.tool}` for run {run.run_id!r}. " if first else ""
    if first and status.source is None and workflow.request.workspace is None:
        # Whoever wants to run a test, or has its results, must not be sent to BlazeMeter.
        tool += f"{first.why} "
    return f"{tool}`get_workflow_status` of {workflow.workflow_id!r} says what is next at any time."
