"""The reports of runs and comparisons, as they may be published."""

from pathlib import Path

from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.errors import NotReady, PerfsuiteError
from perfsuite.mcp.answers import fit
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger
from perfsuite_confluence.models.answers import ReportList, ReportRow
from perfsuite_confluence.models.published import PUBLISHED, Publication
from perfsuite_confluence.service.recording import STAGE
from perfsuite_confluence.service.sources import Source, all_sources, source_of, with_record

_HEAD = 4096


def list_reports(runs: RunStore, run_id: str | None, *, start: int, limit: int) -> ReportList:
    """The report of a run or comparison, which is noted as chosen, or all of them, the newest first."""
    if run_id is not None:
        source = source_of(runs, run_id)
        with Ledger(with_record(source)).step(STAGE, "choose_report", tool="get_available_reports"):
            rows = [_row(source, needed=True)]
    else:
        with_reports = [one for one in all_sources(runs) if one.has_report]
        with_reports.sort(key=lambda one: -one.folder.path(one.markdown).stat().st_mtime)
        rows = [_row(one) for one in with_reports]
    fitted = fit(rows[start : start + limit], total=len(rows), start=start)
    note = "" if rows else "No run has a report yet: `create_performance_test_report` makes it."
    return ReportList(reports=fitted.items, total=fitted.total, has_more=fitted.has_more, note=note)


def publication_of(run: RunFolder) -> Publication | None:
    """Where a report was published, if it was. A file that cannot be read tells nothing."""
    try:
        return run.load(PUBLISHED)
    except PerfsuiteError:
        return None


def _row(source: Source, *, needed: bool = False) -> ReportRow:
    run = source.folder
    file = run.path(source.markdown)
    if needed and not file.is_file():
        raise NotReady(
            f"There is no report of {source.named} yet.",
            next_step=f"Call {source.markdown.makers} first, for {source.named}.",
        )
    known = publication_of(run)
    charts = run.root / "charts"
    return ReportRow(
        run_id=run.run_id,
        of=source.what,
        file=source.markdown.relative(run_id=run.run_id),
        size_bytes=file.stat().st_size,
        charts=len(list(charts.glob("*.png"))) if charts.is_dir() else 0,
        title=_title(file),
        published_at=(known.url or "") if known and known.state == "published" else "",
    )


def _title(file: Path) -> str:
    with file.open("rb") as opened:
        lines = opened.read(_HEAD).decode("utf-8", "replace").splitlines()
    return next((printable(line[2:]) for line in lines if line.startswith("# ")), "")
