"""get_workflow_summary: what came of the runs of a workflow."""

import json
from typing import Final, TypeVar

from perfsuite.artifacts import JsonArtifact, RunFolder, RunStore, layout
from perfsuite.artifacts.comparisons import Comparison, load_comparison
from perfsuite.artifacts.folder import LARGEST_JSON
from perfsuite.artifacts.schemas import Document
from perfsuite.errors import PerfsuiteError
from perfsuite.mcp.answers import fit
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfreport.core.summarising import Ended, outcome_of, outcome_of_all, summary
from perfsuite_perfreport.models.workflow import SUMMARY, WorkflowSummary
from perfsuite_perfreport.service.workflow_files import exists, find_workflow, made, place_of, save_workflow

_LONGEST_TEXT: Final = 4_500
_MOST_COMPARISONS: Final = 200
D = TypeVar("D", bound=Document)


def workflow_summary(runs: RunStore, workflow_id: str) -> WorkflowSummary:
    """Write the summary beside the workflow, note its outcome there, and give both."""
    workflow = find_workflow(runs, workflow_id)
    ended = [_ended(runs, run_id) for run_id in workflow.run_ids]
    text = summary(workflow.workflow_id, ended, _comparisons(runs, set(workflow.run_ids)))
    outcomes = [outcome_of(run) for run in ended]
    outcome = outcome_of_all(outcomes)
    made(runs)
    place = place_of(runs, workflow.workflow_id)
    with place.staged(SUMMARY) as staged:
        staged.write_text(text, encoding="utf-8", newline="\n")
    if exists(runs, workflow.workflow_id):
        save_workflow(runs, workflow.model_copy(update={"state": outcome}))
    shown = fit(outcomes, reserve=_LONGEST_TEXT + 1_000)
    return WorkflowSummary(
        workflow_id=workflow.workflow_id,
        outcome=outcome,
        runs=shown.items,
        total=shown.total,
        has_more=shown.has_more,
        file=f"workflows/{SUMMARY.relative(run_id=workflow.workflow_id)}",
        markdown=text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…",
    )


def _ended(runs: RunStore, run_id: str) -> Ended:
    try:
        run = runs.open(run_id)
        status = Ledger(run).status()
    except PerfsuiteError as error:
        return Ended(run_id, None, None, None, (), str(error))

    def read(artifact: JsonArtifact[D]) -> tuple[D | None, str]:
        try:
            return run.load(artifact), ""
        except PerfsuiteError as error:
            return None, str(error)

    performance, problem = read(layout.PERFORMANCE_ANALYSIS)
    infrastructure, _ = read(layout.INFRASTRUCTURE_ANALYSIS)
    paths = {output.path for one in run.record().ledger if one.state == "done" for output in one.outputs}
    there = tuple(sorted(path for path in paths if run.file_or_none(path) is not None))
    return Ended(run_id, status, performance, infrastructure, there, problem, _page_url(run))


def _page_url(run: RunFolder) -> str | None:
    """Where the report was published; the file is another server's, so only its address is read."""
    path = run.file_or_none(layout.PUBLISHED.place)
    try:
        found = json.loads(path.read_bytes()) if path and path.stat().st_size <= LARGEST_JSON else {}
    except (OSError, ValueError, RecursionError):
        return None
    url = found.get("url") if isinstance(found, dict) and found.get("state") == "published" else None
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        return None
    return printable(url, 1_000)


def _comparisons(runs: RunStore, run_ids: set[str]) -> list[Comparison]:
    """Those whose runs are all of this workflow."""
    folder = runs.root / "comparisons"
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    found = []
    for name in names[:_MOST_COMPARISONS]:
        try:
            one = load_comparison(runs, name)
        except PerfsuiteError:
            # It is another's to mend, and says nothing about these runs.
            continue
        if {one.baseline, *one.run_ids} <= run_ids:
            found.append(one)
    return found
