"""get_workflow_status: what is done, failed, stale, and which tool comes next."""

from collections.abc import Sequence
from typing import Final

from perfsuite.artifacts import RunStore
from perfsuite.errors import PerfsuiteError
from perfsuite.mcp.answers import fit
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger
from perfsuite.workflow.status import RunStatus
from perfsuite_perfreport.models.workflow import RunProgress, WorkflowStatus
from perfsuite_perfreport.service.workflow_files import find_workflow

_TROUBLED: Final = ("failed", "interrupted", "stale")
_MOST_PROBLEMS: Final = 4
_LONGEST: Final = 250


def workflow_status(runs: RunStore, workflow_id: str) -> WorkflowStatus:
    """Of a workflow, or of a run alone. Nothing is changed."""
    workflow = find_workflow(runs, workflow_id)
    progress = [_progress(runs, run_id) for run_id in workflow.run_ids]
    shown = fit(progress)
    return WorkflowStatus(
        workflow_id=workflow.workflow_id,
        complete=all(one.complete for one in progress),
        runs=shown.items,
        total=shown.total,
        has_more=shown.has_more,
        next_step=_next_step(progress, workflow.workflow_id),
    )


def _progress(runs: RunStore, run_id: str) -> RunProgress:
    try:
        status = Ledger(runs.open(run_id)).status()
    except PerfsuiteError as error:
        return RunProgress(
            run_id=run_id, complete=False, stages={}, problems=[printable(str(error), _LONGEST)], next_tool=None,
            why="Its folder cannot be read.",
        )  # fmt: skip
    return RunProgress(
        run_id=run_id,
        complete=status.complete,
        stages={one.stage: one.state for one in status.stages},
        problems=problems_of(status),
        notes=[printable(note, _LONGEST) for note in _notes(status)[:_MOST_PROBLEMS]],
        next_tool=status.next.tool if status.next else None,
        why=printable(status.next.why, _LONGEST) if status.next else "Everything is done.",
    )


def problems_of(status: RunStatus) -> list[str]:
    """The steps that failed, broke off or are out of date, with their reasons."""
    told = [
        printable(f"{stage.stage}.{step.step} is {step.state}: {'; '.join(step.reasons)}", _LONGEST)
        for stage in status.stages
        for step in stage.steps
        if step.state in _TROUBLED
    ]
    more = [f"and {len(told) - _MOST_PROBLEMS} more"] if len(told) > _MOST_PROBLEMS else []
    return told[:_MOST_PROBLEMS] + more


def _notes(status: RunStatus) -> list[str]:
    """What is out of date and holds nothing up."""
    return [note for stage in status.stages for step in stage.steps for note in step.notes]


def _next_step(progress: Sequence[RunProgress], workflow_id: str) -> str:
    """Runs come one after the other; one that failed holds no other up."""
    open_ones = [one for one in progress if not one.complete and one.next_tool is not None]
    free = [one for one in open_ones if not _has_failed(one)]
    if first := next(iter(free or open_ones), None):
        return f"Call `{first.next_tool}` for run {first.run_id!r}."
    if any(not one.complete for one in progress):
        return "Look at the problems: a run cannot be read."
    return f"Everything is done: call `get_workflow_summary` for {workflow_id!r}."


def _has_failed(one: RunProgress) -> bool:
    """In any stage, or all that is left is a page that could not be published."""
    others = [state for stage, state in one.stages.items() if stage != "confluence"]
    unpublished = one.stages.get("confluence") in _TROUBLED and all(state in ("done", "skipped") for state in others)
    return unpublished or "failed" in others
