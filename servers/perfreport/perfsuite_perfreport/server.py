"""The tools of the perfreport server."""

from typing import Annotated

from mcp.server.mcpserver import Image
from mcp_types import ImageContent, TextContent
from pydantic import Field

from perfsuite.artifacts import RunId
from perfsuite.artifacts.schemas import ConfluenceRequest, RunRequest
from perfsuite.mcp.context import AppContext
from perfsuite.mcp.jobs import JobContext, JobReport, WaitSeconds
from perfsuite.mcp.pages import WORKFLOW, add_page
from perfsuite.mcp.registration import READ_ONLY, WRITES_RUN_FOLDER
from perfsuite.mcp.server import create_server
from perfsuite_perfreport.models.answers import ComparisonAnswer, ReportAnswer, ReportFormat, TemplateList
from perfsuite_perfreport.models.charts import DEFAULT, ChartList
from perfsuite_perfreport.models.workflow import ConfluenceMode, StartedWorkflow, WorkflowStatus, WorkflowSummary
from perfsuite_perfreport.service import charts, comparing, folders, progress, reporting, starting, summaries, templates

server = create_server(
    "perfreport",
    title="PerfReport",
    instructions="Reports, charts and summaries of analysed runs: `get_workflow_status` says what is left to do, "
    "`create_performance_test_report` writes the report.",
    rules_page="perfreport/AGENTS.md",
    has_jobs=True,
    warm_up=("samples", "charts", "reports"),
)
add_page(
    server,
    WORKFLOW,
    name="perfsuite_workflow",
    title="A performance test from end to end",
    description="Every call from results to a published report, what must be there before going on, and what to do "
    "when a call fails.",
)

Run = Annotated[RunId, Field(description="The run.")]
WorkflowName = Annotated[RunId, Field(description="A workflow's id, or that of a run alone.")]
Formats = Annotated[
    tuple[ReportFormat, ...], Field(min_length=1, max_length=3, description="Markdown is always written.")
]
KeepEdits = Annotated[bool, Field(description="Keep what was written by hand into the Markdown.")]
Name = Annotated[str | None, Field(min_length=1, max_length=200, description="As the user calls it.")]


@server.tool(title="Write the report of a run", annotations=WRITES_RUN_FOLDER)
async def create_performance_test_report(
    ctx: AppContext,
    run_id: Run,
    formats: Formats = ("md", "html", "docx"),
    template: Annotated[str, Field(max_length=40, description="One that `list_templates` names.")] = "default",
    keep_edits: KeepEdits = True,
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


@server.tool(title="Start a workflow", annotations=WRITES_RUN_FOLDER)
def start_workflow(
    ctx: AppContext,
    run_ids: Annotated[tuple[RunId, ...], Field(min_length=1, max_length=10, description="In order.")],
    workflow_id: Annotated[RunId | None, Field(description="By default made from the first run's.")] = None,
    environment: Annotated[Name, Field(description="A name in environments.yaml.")] = None,
    environment_type: Name = None,
    workspace: Annotated[Name, Field(description="In BlazeMeter.")] = None,
    confluence_mode: Annotated[ConfluenceMode | None, Field(description="Where to publish, if at all.")] = None,
    confluence_space: Name = None,
    confluence_parent: Name = None,
) -> StartedWorkflow:
    """Check what was asked for one run or several, open their ledgers and the workflow, and say what comes first.

    Call it before anything else, with everything that the user said. Runs that do not exist are made.
    """
    confluence = ConfluenceRequest(mode=confluence_mode, space=confluence_space, parent=confluence_parent)
    request = RunRequest(
        environment=environment, environment_type=environment_type, workspace=workspace, confluence=confluence
    )
    wanted = starting.Wanted(tuple(run_ids), workflow_id, request, folders.configuration(ctx.settings))
    return starting.start_workflow(ctx.runs, wanted)


@server.tool(title="Say how far a workflow is", annotations=READ_ONLY)
def get_workflow_status(ctx: AppContext, workflow_id: WorkflowName) -> WorkflowStatus:
    """Say what is done, failed and stale for every run of a workflow, and which tool to call next."""
    return progress.workflow_status(ctx.runs, workflow_id)


@server.tool(title="Sum a workflow up", annotations=WRITES_RUN_FOLDER)
def get_workflow_summary(ctx: AppContext, workflow_id: WorkflowName) -> WorkflowSummary:
    """Say what came of every run, with numbers side by side, tested differences, and the files, also as Markdown."""
    return summaries.workflow_summary(ctx.runs, workflow_id)


@server.tool(title="Draw charts of a run", annotations=WRITES_RUN_FOLDER, structured_output=False)
def create_chart(
    ctx: AppContext,
    run_id: Run,
    chart_id: Annotated[str, Field(max_length=40, description="One that `list_chart_types` names.")] = DEFAULT,
    resource: Annotated[
        str | None, Field(min_length=1, max_length=300, description="A host, service or container, for CPU and memory.")
    ] = None,
) -> list[TextContent | ImageContent]:
    """Draw a chart and show it, and say where it lies. `default` draws the six that every report has.

    `analyze_test_results` must have run. What else is missing is said with the tool that makes it.
    """
    config = charts.load_charts(folders.configuration(ctx.settings))
    return shown(charts.create_charts(ctx.runs, run_id, chart_id, resource, config))


@server.tool(title="List the charts", annotations=WRITES_RUN_FOLDER)
def list_chart_types(
    ctx: AppContext,
    run_id: Annotated[RunId | None, Field(description="Say of this run which can be drawn.")] = None,
) -> ChartList:
    """List the charts, what each is made from, and, of a run, which can be drawn and the resources measured."""
    return charts.list_charts(ctx.runs, run_id, charts.load_charts(folders.configuration(ctx.settings)))


@server.tool(title="Write the report of a comparison", annotations=WRITES_RUN_FOLDER)
async def create_comparison_report(
    ctx: AppContext,
    comparison_id: Annotated[RunId, Field(description="As `compare_test_runs` answered.")],
    formats: Formats = ("md", "html", "docx"),
    keep_edits: KeepEdits = True,
    wait_s: WaitSeconds = 45,
) -> JobReport[ComparisonAnswer]:
    """Write what `compare_test_runs` found: verdict, regressions first, requests side by side, charts, doubts."""

    def work(job: JobContext) -> ComparisonAnswer:
        return comparing.create_comparison_report(
            ctx.runs, comparison_id, tuple(formats), keep_edits=keep_edits, job=job
        )

    arguments = {"formats": list(formats), "keep_edits": keep_edits}
    return await ctx.job(comparison_id, "create_comparison_report", work, arguments=arguments, wait_s=wait_s)


def shown(found: charts.Charts) -> list[TextContent | ImageContent]:
    """The paths and notes as text, then the pictures, as many as clients take in one answer."""
    told = charts.told(found)
    pictures = [Image(data=one.png, format="png").to_image_content() for one in found.drawn[: told.pictures]]
    return [TextContent(type="text", text=told.text), *pictures]
