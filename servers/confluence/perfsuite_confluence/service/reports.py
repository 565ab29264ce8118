"""The reports that runs have, as they may be published."""

from pathlib import Path

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.errors import NotReady, PerfsuiteError
from perfsuite.mcp.answers import fit
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger
from perfsuite_confluence.models.answers import ReportList, ReportRow
from perfsuite_confluence.models.published import PUBLISHED, Publication
from perfsuite_confluence.service.recording import STAGE

_HEAD = 4096


def list_reports(runs: RunStore, run_id: str | None, *, start: int, limit: int) -> ReportList:
    """The report of a run, which is noted as chosen, or those of all runs, the newest first."""
    if run_id is not None:
        run = runs.open(run_id)
        with Ledger(run).step(STAGE, "choose_report", tool="get_available_reports"):
            rows = [_row(run, needed=True)]
    else:
        with_reports = [run for run in runs.runs() if run.path(layout.REPORT_MARKDOWN).is_file()]
        with_reports.sort(key=lambda run: -run.path(layout.REPORT_MARKDOWN).stat().st_mtime)
        rows = [_row(run) for run in with_reports]
    fitted = fit(rows[start : start + limit], total=len(rows), start=start)
    note = "" if rows else "No run has a report yet: `create_performance_test_report` makes it."
    return ReportList(reports=fitted.items, total=fitted.total, has_more=fitted.has_more, note=note)


def publication_of(run: RunFolder) -> Publication | None:
    """Where the report of a run was published, if it was. A file that cannot be read tells nothing."""
    try:
        return run.load(PUBLISHED)
    except PerfsuiteError:
        return None


def _row(run: RunFolder, *, needed: bool = False) -> ReportRow:
    file = run.path(layout.REPORT_MARKDOWN)
    if needed and not file.is_file():
        raise NotReady(
            f"Run {run.run_id!r} has no report yet.",
            next_step=f"Call {layout.REPORT_MARKDOWN.makers} first, for run {run.run_id!r}.",
        )
    known = publication_of(run)
    charts = run.root / "charts"
    return ReportRow(
        run_id=run.run_id,
        file=layout.REPORT_MARKDOWN.relative(run_id=run.run_id),
        size_bytes=file.stat().st_size,
        charts=len(list(charts.glob("*.png"))) if charts.is_dir() else 0,
        title=_title(file),
        published_at=(known.url or "") if known and known.state == "published" else "",
    )


def _title(file: Path) -> str:
    with file.open("rb") as opened:
        lines = opened.read(_HEAD).decode("utf-8", "replace").splitlines()
    return next((printable(line[2:]) for line in lines if line.startswith("# ")), "")
