"""The tools of the perfreport server."""

from typing import Annotated

from pydantic import Field

from perfsuite.artifacts import RunId
from perfsuite.mcp.context import AppContext
from perfsuite.mcp.jobs import JobContext, JobReport, WaitSeconds
from perfsuite.mcp.registration import READ_ONLY, WRITES_RUN_FOLDER
from perfsuite.mcp.server import create_server
from perfsuite_perfreport.models.answers import ReportAnswer, ReportFormat, TemplateList
from perfsuite_perfreport.service import folders, reporting, templates

server = create_server(
    "perfreport",
    title="PerfReport",
    instructions="Reports, charts and summaries of analysed runs: `get_workflow_status` says what is left to do, "
    "`create_performance_test_report` writes the report.",
    rules_page="perfreport/AGENTS.md",
    has_jobs=True,
    warm_up=("samples",),
)

Run = Annotated[RunId, Field(description="The run.")]


@server.tool(title="Write the report of a run", annotations=WRITES_RUN_FOLDER)
async def create_performance_test_report(
    ctx: AppContext,
    run_id: Run,
    formats: Annotated[
        tuple[ReportFormat, ...], Field(min_length=1, max_length=3, description="Markdown is always written.")
    ] = ("md", "html", "docx"),
    template: Annotated[str, Field(max_length=40, description="One that `list_templates` names.")] = "default",
    keep_edits: Annotated[bool, Field(description="Keep what was written by hand into the Markdown.")] = True,
    wait_s: WaitSeconds = 45,
) -> JobReport[ReportAnswer]:
    """Write the report as Markdown, web page and Word document, and say its verdict and how sure it is.

    Only `analyze_test_results` must have run; what else is missing, the report says. Draw charts before it. Edit the
    Markdown and call it again: the edit is kept, and reaches every format.
    """
    asked = reporting.Asked(tuple(formats), template, keep_edits, folders.configuration(ctx.settings))

    def work(job: JobContext) -> ReportAnswer:
        return reporting.create_report(ctx.runs, run_id, asked, job)

    arguments = {"formats": list(formats), "template": template, "keep_edits": keep_edits}
    return await ctx.job(run_id, "create_performance_test_report", work, arguments=arguments, wait_s=wait_s)


@server.tool(title="List the templates of reports", annotations=READ_ONLY)
def list_templates(ctx: AppContext) -> TemplateList:
    """List the templates of reports, and say where to put one of your own."""
    return templates.list_templates(folders.configuration(ctx.settings))
