"""The tools of the blazemeter server."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from perfsuite.mcp.confirmation import Confirm, Confirmed, asks
from perfsuite.mcp.context import AppContext
from perfsuite.mcp.jobs import JobContext, JobReport, WaitSeconds
from perfsuite.mcp.registration import CHANGES_OUTSIDE, READ_ONLY, WRITES_RUN_FOLDER
from perfsuite.mcp.server import create_server
from perfsuite_blazemeter.models.aggregates import AggregateReport
from perfsuite_blazemeter.models.answers import (
    ErrorReport,
    LoadTestList,
    ProjectList,
    PublicReport,
    RunList,
    RunResults,
    RunStatus,
    StartedRun,
    StoppedRun,
    WorkspaceList,
)
from perfsuite_blazemeter.models.artifacts import ArtifactList, ProcessedArtifacts
from perfsuite_blazemeter.models.ids import MaybeMaster, MaybeRun, Run
from perfsuite_blazemeter.service import (
    aggregate,
    artifacts,
    ending,
    error_reports,
    listing,
    publishing,
    results,
    runs,
    sessions,
    starting,
    status,
)
from perfsuite_blazemeter.service import workspaces as spaces
from perfsuite_blazemeter.service.desk import ask, connection

server = create_server(
    "blazemeter",
    title="BlazeMeter",
    instructions="Load tests that ran on BlazeMeter: find, start and follow them, and bring their results into a run.",
    rules_page="blazemeter/AGENTS.md",
    has_jobs=True,
    warm_up=("samples",),
)

# Where nobody is asked, the question and the start are one call.
_QUESTION = 0.4
Text = Annotated[str, Field(max_length=200)]
Named = Annotated[Text | None, Field(description="Name or id.")]
Time = Annotated[Text | None, Field(description="ISO (UTC unless zoned), epoch or now-7d.")]
Start = Annotated[int, Field(ge=0, description="Rows to skip.")]
Limit = Annotated[int, Field(ge=1, le=50, description="Most rows.")]


async def start_question(test: str, project: str | None, workspace: str | None, alongside: bool) -> str:
    wanted = starting.StartQuestion(test, project, workspace, alongside)
    return await ask(lambda blazemeter: starting.question_of(blazemeter, wanted), share=_QUESTION)


def stop_question(run_id: str | None, master_id: int | None) -> str:
    return f"End the BlazeMeter run {master_id or run_id}?"


def publish_question(run_id: str | None, master_id: int | None) -> str:
    return f"Make the report of BlazeMeter run {master_id or run_id} readable for anybody who has the link?"


@server.tool(title="List workspaces", annotations=WRITES_RUN_FOLDER)
async def get_workspaces(
    ctx: AppContext, workspace: Named = None, account: Named = None, run_id: MaybeRun = None,
    start: Start = 0, limit: Limit = 50,
) -> WorkspaceList:  # fmt: skip
    """List the workspaces of all accounts, or find the one that is named; with `run_id` that is noted for the run."""
    question = spaces.WorkspaceQuestion(workspace, account, run_id, start, limit)
    return await ask(lambda blazemeter: spaces.list_workspaces(blazemeter, ctx.runs, question))


@server.tool(title="List projects", annotations=READ_ONLY)
async def get_projects(workspace: Named = None, start: Start = 0, limit: Limit = 50) -> ProjectList:
    """List the projects of a workspace, by default that of the key's owner."""
    return await ask(lambda blazemeter: listing.list_projects(blazemeter, workspace, start=start, limit=limit))


@server.tool(title="List tests", annotations=READ_ONLY)
async def get_tests(
    project: Named = None, workspace: Named = None, start: Start = 0, limit: Limit = 50
) -> LoadTestList:
    """List the tests of a project, or of a whole workspace, with the load they put on."""
    return await ask(lambda blazemeter: listing.list_tests(blazemeter, project, workspace, start=start, limit=limit))


@server.tool(title="List runs", annotations=READ_ONLY)
async def get_test_runs(
    test: Named = None, project: Named = None, workspace: Named = None, account: Named = None,
    start_time: Time = None, end_time: Time = None, start: Start = 0, limit: Limit = 20,
) -> RunList:  # fmt: skip
    """List runs, the newest first: of a test, a project, a workspace, or of all workspaces of an account."""
    question = runs.RunQuestion(test, project, workspace, account, start_time, end_time, start, limit)
    return await ask(lambda blazemeter: runs.list_runs(blazemeter, question, datetime.now(UTC)))


@server.tool(title="Start a test", annotations=CHANGES_OUTSIDE)
async def start_test(
    confirmed: Annotated[Confirmed, asks(start_question)],
    test: Annotated[str, Field(max_length=200, description="Name or id.")],
    project: Named = None,
    workspace: Named = None,
    alongside: Annotated[bool, Field(description="Start it although it runs already.")] = False,
    confirm: Confirm = False,
) -> StartedRun:
    """Start a test and return its master, which is the `run_id` for all other tools.

    Never call it twice for one wish: look with `get_test_runs` first.
    """
    wanted = starting.StartQuestion(test, project, workspace, alongside)
    return await ask(lambda blazemeter: starting.start_run(blazemeter, wanted), share=1 - _QUESTION)


@server.tool(title="End a run", annotations=CHANGES_OUTSIDE)
async def stop_test(
    ctx: AppContext,
    confirmed: Annotated[Confirmed, asks(stop_question)],
    run_id: MaybeRun = None,
    master_id: MaybeMaster = None,
    confirm: Confirm = False,
) -> StoppedRun:
    """End a run gracefully, or at once while its engines still boot."""
    return await ask(lambda blazemeter: ending.stop_run(blazemeter, ctx.runs, run_id, master_id))


@server.tool(title="Follow a run", annotations=WRITES_RUN_FOLDER)
async def check_test_status(
    ctx: AppContext, run_id: MaybeRun = None, master_id: MaybeMaster = None, wait_s: WaitSeconds = 0
) -> RunStatus:
    """Say whether a run has ended, what went wrong with its engines, and what to do next.

    With `wait_s` it returns at the end, or after that time. With `run_id` the end is noted for the run.
    """
    question = status.StatusQuestion(run_id, master_id, wait_s)
    return await ask(lambda blazemeter: status.check_run(blazemeter, ctx.runs, question))


@server.tool(title="Read a run's results", annotations=WRITES_RUN_FOLDER)
async def get_run_results(ctx: AppContext, run_id: Run, master_id: MaybeMaster = None) -> RunResults:
    """Read test, times, numbers and verdict of a run into its folder, which is made.

    It says which of the two times the load lies in; what BlazeMeter left out is null.
    """
    now = datetime.now(UTC)
    return await ask(lambda blazemeter: results.read_results(blazemeter, ctx.runs, run_id, master_id, now))


@server.tool(title="List what the engines left", annotations=WRITES_RUN_FOLDER)
async def get_artifact_file_list(
    ctx: AppContext, run_id: MaybeRun = None, master_id: MaybeMaster = None, start: Start = 0
) -> ArtifactList:
    """List the files of every session of a run that has ended, and whether their results can be fetched yet."""
    return await ask(lambda blazemeter: artifacts.list_artifacts(blazemeter, ctx.runs, run_id, master_id, start=start))


@server.tool(title="Bring a run's samples", annotations=WRITES_RUN_FOLDER)
async def process_session_artifacts(
    ctx: AppContext,
    run_id: Run,
    master_id: MaybeMaster = None,
    partial: Annotated[bool, Field(description="Go on without sessions whose results cannot be had.")] = False,
    wait_s: WaitSeconds = 45,
) -> JobReport[ProcessedArtifacts]:
    """Download and merge the results of all engines of a run that has ended, and read them into samples.

    Call it again while it says `working`, and after a failure: it goes on where it was stopped.
    """
    request = sessions.SessionsRequest(run_id, master_id, partial)

    def work(job: JobContext) -> ProcessedArtifacts:
        return sessions.bring_sessions(
            ctx.runs, request, connection, lambda share, what: job.progress(share, 1.0, what), lambda: job.cancelled
        )

    arguments = {"master_id": master_id, "partial": partial}
    return await ctx.job(run_id, "process_session_artifacts", work, arguments=arguments, wait_s=wait_s)


@server.tool(title="Read the statistics by label", annotations=WRITES_RUN_FOLDER)
async def get_aggregate_report(
    ctx: AppContext, run_id: Run, master_id: MaybeMaster = None, start: Start = 0
) -> AggregateReport:
    """Read BlazeMeter's statistics by label into the run, and say where the samples differ and why.

    Call it after `process_session_artifacts`. Its percentiles are by another method: never compare them with ours.
    """
    return await ask(lambda blazemeter: aggregate.report(blazemeter, ctx.runs, run_id, master_id, start=start))


@server.tool(title="List a run's errors", annotations=READ_ONLY)
async def get_error_report(
    ctx: AppContext,
    run_id: MaybeRun = None,
    master_id: MaybeMaster = None,
    start: Start = 0,
    limit: Limit = 20,
) -> ErrorReport:
    """List the errors of a run by label, code and message, each counted once."""
    return await ask(
        lambda blazemeter: error_reports.report_errors(
            blazemeter, ctx.runs, run_id, master_id, start=start, limit=limit
        )
    )


@server.tool(title="Publish a run's report", annotations=CHANGES_OUTSIDE)
async def get_public_report(
    ctx: AppContext,
    confirmed: Annotated[Confirmed, asks(publish_question)],
    run_id: MaybeRun = None,
    master_id: MaybeMaster = None,
    confirm: Confirm = False,
) -> PublicReport:
    """Make a link by which anybody can read the report of a run in BlazeMeter."""
    return await ask(lambda blazemeter: publishing.publish_report(blazemeter, ctx.runs, run_id, master_id))
