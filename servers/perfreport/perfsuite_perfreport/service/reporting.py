"""create_performance_test_report: from the analyses of a run to a report in every format."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perfsuite.artifacts import Artifact, RunFolder, RunStore, layout, sha256_of
from perfsuite.errors import Conflict
from perfsuite.mcp.jobs import JobContext
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger, RunningStep
from perfsuite_perfreport.core.markdown.blocks import Merged
from perfsuite_perfreport.core.reporting.assembling import assembled
from perfsuite_perfreport.models.answers import ReportAnswer, ReportFormat
from perfsuite_perfreport.models.report import REPORT, Report
from perfsuite_perfreport.service.charts import load_charts
from perfsuite_perfreport.service.edits import Kept, in_words
from perfsuite_perfreport.service.gathering import gather
from perfsuite_perfreport.service.pictures import drawn_pictures, pictures_in
from perfsuite_perfreport.service.templates import asset, find_template

TOOL: Final = "create_performance_test_report"
_MOST_TOLD: Final = 10
_LONGEST: Final = 300
_KEPT: Final = Kept(layout.REPORT_MARKDOWN, REPORT)


@dataclass(frozen=True)
class Asked:
    """What report is wanted. `folders` are where users keep their templates."""

    formats: tuple[ReportFormat, ...] = ("md", "html", "docx")
    template: str = "default"
    keep_edits: bool = True
    folders: tuple[Path, ...] = ()


def create_report(runs: RunStore, run_id: str, asked: Asked, job: JobContext | None = None) -> ReportAnswer:
    """Write the report, and say in short what it says. The same files give the same report."""
    job = job or JobContext()
    run = runs.open(run_id)
    template, file = find_template(asked.template, asked.folders)
    # A run that was not analysed must say so, and not that a chart cannot be drawn.
    run.load(layout.PERFORMANCE_ANALYSIS)
    _tell(job, "drawing charts", 0.02)
    drawn = drawn_pictures(runs, run, load_charts(asked.folders))
    with Ledger(run).step("perfreport", "report", tool=TOOL, inputs=[file]) as step:
        _tell(job, "reading the analyses", 0.3)
        report = assembled(gather(run, step, drawn))
        report = report.model_copy(update={"template": template.name, "template_sha256": sha256_of(file)})
        _tell(job, "writing the Markdown", 0.4)
        report, merge, notes = in_words(run, _KEPT, template, report, keep_edits=asked.keep_edits)
        _save(run, step, report, merge, asked.formats, job)
    return _answer(run, report, asked.formats, notes)


def _tell(job: JobContext, what: str, share: float) -> None:
    if job.cancelled:
        raise Conflict("The work was cancelled.", next_step=f"Call `{TOOL}` again to start anew.")
    job.progress(share, 1.0, what)


def _save(
    run: RunFolder, step: RunningStep, report: Report, merge: Merged, formats: tuple[ReportFormat, ...], job: JobContext
) -> None:
    from perfsuite_perfreport.core.markdown.tree import leaves_of

    run.save(REPORT, report)
    step.produced(run.path(layout.REPORT_METADATA))
    _put(run, step, layout.REPORT_MARKDOWN, merge.text.encode("utf-8"))
    leaves = leaves_of(merge.parts) if {"html", "docx"} & set(formats) else ()
    pictures = pictures_in(run, leaves)
    if "html" in formats:
        from perfsuite_perfreport.core.web.page import Assets, page

        _tell(job, "making the web page", 0.5)
        content = page(report, leaves, Assets(asset("report.css"), asset("report.js"), pictures))
        _put(run, step, layout.REPORT_HTML, content.encode("utf-8"))
    if "docx" in formats:
        from perfsuite_perfreport.core.word import word_document

        _tell(job, "making the Word document", 0.75)
        _put(run, step, layout.REPORT_DOCX, word_document(report, leaves, pictures))


def _put(run: RunFolder, step: RunningStep, artifact: Artifact, content: bytes) -> None:
    with run.staged(artifact) as staged:
        staged.write_bytes(content)
    step.produced(run.path(artifact))


def _answer(run: RunFolder, report: Report, formats: tuple[ReportFormat, ...], notes: list[str]) -> ReportAnswer:
    wanted: dict[str, Artifact] = {"html": layout.REPORT_HTML, "docx": layout.REPORT_DOCX}
    artifacts = (layout.REPORT_MARKDOWN, *(wanted[one] for one in wanted if one in formats), layout.REPORT_METADATA)
    missing = [printable(f"{one.what}: {one.why}. {one.next_step}", _LONGEST) for one in report.missing]
    return ReportAnswer(
        run_id=run.run_id,
        verdict=report.verdict,
        confidence=report.confidence,
        reason=printable(report.verdict_reason, _LONGEST),
        files=[one.relative(run_id=run.run_id) for one in artifacts],
        findings=len(report.findings),
        bottlenecks=len(report.bottlenecks),
        recommendations=len(report.advice),
        charts=len(report.pictures),
        missing=missing[:_MOST_TOLD],
        edited=[printable(one, 60) for one in report.edited[:_MOST_TOLD]],
        notes=notes,
        next_step="Give the user the files. `create_chart` adds charts, `publish_report` puts it on Confluence.",
    )
