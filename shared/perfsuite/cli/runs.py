"""`perfsuite import`, `perfsuite runs` and `perfsuite status`: runs in the artifacts folder."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.cli import output
from perfsuite.cli.options import AsJson, Columns, Files, Timestamp, Timezone, read_options
from perfsuite.cli.tables import print_statistics
from perfsuite.errors import PerfsuiteError
from perfsuite.samples.definitions import Choice
from perfsuite.samples.summary import COUNTING
from perfsuite.settings import SuiteSettings
from perfsuite.workflow import Ledger
from perfsuite.workflow.importing import Imported, ImportRequest, import_results

RunIdArgument = Annotated[str, typer.Argument(metavar="RUN_ID", help="The run, as `perfsuite runs` lists it.")]
_MARKS = {"done": "✓", "running": "…", "failed": "✗", "interrupted": "✗", "stale": "!", "partial": "!"}


def import_(
    files: Files,
    run_id: Annotated[str, typer.Option(metavar="ID", help="The run to import into; it is made if there is none.")],
    scenario: Annotated[str, typer.Option(help="What was tested, for a new run.")] = "",
    version: Annotated[str, typer.Option(help="The version that was tested, for a new run.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag of a new run; may be given several times.")] = None,
    log: Annotated[Path | None, typer.Option(help="The jmeter.log of the same run, kept beside the samples.")] = None,
    columns: Columns = "",
    timezone: Timezone = "UTC",
    timestamp: Timestamp = "start",
    as_json: AsJson = False,
) -> None:
    """Bring result files into a run folder, ready for every other tool."""
    request = ImportRequest(tuple(files), log, read_options(columns, timezone, timestamp))
    facts = RunFacts(scenario=scenario or None, version=version or None, tags=tuple(tag or ()))
    with output.progress_bar() as progress:
        found = import_results(_store(), run_id, request, facts, progress)
    if as_json:
        output.print_json(_imported_json(found))
        return
    _print_imported(found)


def runs(as_json: AsJson = False) -> None:
    """List the runs in the artifacts folder, and what is next for each."""
    store = _store()
    found = [_overview(run) for run in store.runs()]
    if as_json:
        output.print_json({"artifacts": str(store.root), "total": len(found), "has_more": False, "runs": found})
        return
    if not found:
        output.say(f"No runs in {store.root}. Make one with `perfsuite import FILE --run-id ID`.")
        return
    output.say(f"Runs in {store.root}:")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("run", "source", "first sample", "seconds", "next"):
        table.add_column(name, justify="right" if name == "seconds" else "left", overflow="fold")
    for run in found:
        window = run["window"] or {}
        table.add_row(
            run["run_id"],
            run["source"] or "-",
            window.get("start", "-"),
            output.number(window.get("seconds")),
            output.plain(run["error"] or run["next"] or "complete"),
        )
    output.print_table(table)


def status(run_id: RunIdArgument, as_json: AsJson = False) -> None:
    """Show what is done, failed, stale and next for one run."""
    found = Ledger(_store().open(run_id)).status()
    if as_json:
        output.print_json(found.model_dump(mode="json"))
        return
    output.say(f"{found.run_id} · source {found.source or 'not known yet'}")
    if found.incomplete:
        output.say(f"! {found.incomplete}")
    for stage in found.stages:
        output.say(f"{_MARKS.get(stage.state, '·')} {stage.title}: {stage.state.replace('_', ' ')}")
        for step in stage.steps if stage.state not in {"not_started", "done", "skipped"} else ():
            reasons = f" ({'; '.join(step.reasons)})" if step.reasons else ""
            output.say(f"    {_MARKS.get(step.state, '·')} {step.title}: {step.state.replace('_', ' ')}{reasons}")
        for reason in stage.stale_reasons:
            output.say(f"    ! {reason}")
        for missing in stage.missing if stage.state not in {"not_started", "skipped"} else ():
            output.say(f"    missing: {missing}")
    output.say(f"next: {found.next.tool} ({found.next.why})" if found.next else "complete")


def _store() -> RunStore:
    return RunStore(SuiteSettings.load().artifacts_dir)


def _overview(run: RunFolder) -> dict[str, Any]:
    try:
        record, found = run.record(), Ledger(run).status()
    except PerfsuiteError as error:
        return {"run_id": run.run_id, "source": None, "window": None, "next": None, "error": str(error)}
    window = record.window
    return {
        "run_id": run.run_id,
        "source": found.source,
        "window": window
        and {
            "start": window.first_sample_at.isoformat(),
            "end": window.last_sample_at.isoformat(),
            "seconds": (window.last_sample_at - window.first_sample_at).total_seconds(),
        },
        "next": found.next.tool if found.next else None,
        "error": None,
    }


def _imported_json(found: Imported) -> dict[str, Any]:
    return {
        "run_id": found.run_id,
        "samples_file": str(found.samples_path),
        "samples": found.samples,
        "replaced": list(found.replaced),
        "window": found.window.model_dump(mode="json"),
        **found.sources.model_dump(mode="json", exclude={"schema_version"}),
        "labels": [label.flat() for label in found.labels],
        "total": found.total.flat(),
    }


def _print_imported(found: Imported) -> None:
    sources = found.sources
    print_statistics(found.labels, found.total, f"Percentiles: {Choice().method}. Total: {COUNTING}.")
    output.say(f"{sources.rows_read:,} rows are in run {found.run_id!r}: {found.samples_path}")
    if found.replaced:
        output.warn(f"The earlier import of {', '.join(found.replaced)} was replaced.")
    for warning in sources.warnings:
        output.warn(warning)
    if sources.rows_rejected:
        output.warn(
            f"{sources.rows_rejected:,} rows were rejected; import/sources.json of the run lists the first ones."
        )
    output.say(f"See `perfsuite status {found.run_id}`, or ask the perfanalysis server (`query_samples`).")
