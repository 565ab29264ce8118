"""The tools of the jmeter server."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from perfsuite.artifacts import RunId
from perfsuite.mcp.confirmation import Confirm, Confirmed, asks
from perfsuite.mcp.context import AppContext
from perfsuite.mcp.jobs import JobContext, JobReport, WaitSeconds
from perfsuite.mcp.registration import CHANGES_OUTSIDE, READ_ONLY, WRITES_RUN_FOLDER
from perfsuite.mcp.server import create_server
from perfsuite_jmeter.models.engine import EngineReport
from perfsuite_jmeter.models.live import CollectedRun, LiveStatus, LogAnalysis
from perfsuite_jmeter.models.plan import PlanCheck
from perfsuite_jmeter.models.runs import RunList, ScriptList, StartedRun, StartRequest, StoppedRun
from perfsuite_jmeter.service import collecting, desk, engines, logs, runs, scripts, status
from perfsuite_jmeter.service.plans import Question
from perfsuite_jmeter.settings import JMeterSettings

server = create_server(
    "jmeter",
    title="JMeter",
    instructions="Load tests by the real JMeter that outlive this server: check a plan, start, follow, collect.",
    rules_page="jmeter/AGENTS.md",
    has_jobs=True,
    warm_up=("samples",),
)

Plan = Annotated[str, Field(description="Path of the .jmx file.")]
Properties = Annotated[dict[str, str] | None, Field(description="JMeter properties, as -J gives them.")]
Secrets = Annotated[
    dict[str, str] | None, Field(description="Property to the environment variable that holds its value.")
]
Hosts = Annotated[tuple[str, ...], Field(description="JMeter engines that run the test, HOST:PORT.")]
Run = Annotated[RunId, Field(description="The run.")]
Start = Annotated[int, Field(ge=0, description="Rows to skip.")]
Limit = Annotated[int, Field(ge=1, le=100, description="Most rows.")]


Text = Annotated[str | None, Field(max_length=100, description="For a new run id, where `run_id` is not given.")]


def start_question(
    ctx: AppContext,
    plan: str,
    properties: dict[str, str] | None,
    secret_properties: dict[str, str] | None,
    remote_hosts: tuple[str, ...],
) -> str | None:
    return desk.start_question(ctx.settings, Path(plan), properties or {}, secret_properties or {}, remote_hosts)


def stop_question(run_id: str) -> str:
    return f"Stop the load test of run {run_id!r}?"


@server.tool(title="Check the JMeter engine", annotations=READ_ONLY)
async def check_jmeter_engine(
    ctx: AppContext, refresh: Annotated[bool, Field(description="Try again what was tried before.")] = False
) -> EngineReport:
    """Say which JMeter and Java are used, what else was looked at, and why that is not usable.

    Call it when a plan cannot be loaded or started, or after JMETER_HOME or JAVA_HOME changed.
    """
    return await engines.check_engine(JMeterSettings.load(), refresh=refresh, report=ctx.report)


@server.tool(title="Check a test plan", annotations=READ_ONLY)
def validate_test_plan(
    ctx: AppContext, plan: Plan, properties: Properties = None, remote_hosts: Hosts = ()
) -> PlanCheck:
    """Say what a plan will do: users, duration, hosts, files, dangers, and whether JMeter and the guard rails take it.

    Call it before `start_jmeter_test`, with the same properties. Nothing of the plan runs.
    """
    return desk.check_plan(ctx.settings, Question(Path(plan), properties or {}, remote_hosts))


@server.tool(title="Start a load test", annotations=CHANGES_OUTSIDE)
def start_jmeter_test(
    ctx: AppContext,
    confirmed: Annotated[Confirmed, asks(start_question)],
    plan: Plan,
    run_id: Annotated[RunId | None, Field(description="A new run, or an old one with `rerun`.")] = None,
    scenario: Text = None,
    test_type: Text = None,
    version: Text = None,
    properties: Properties = None,
    secret_properties: Secrets = None,
    remote_hosts: Hosts = (),
    rerun: Annotated[bool, Field(description="Repeat a run that has ended; the earlier attempt is kept.")] = False,
    confirm: Confirm = False,
) -> StartedRun:
    """Start a plan and return in seconds: the test goes on by itself, whatever becomes of the client and this server.

    Never call it twice for one wish: look first with `get_jmeter_run_status` or `list_jmeter_runs`.
    """
    request = StartRequest(
        plan=Path(plan),
        run_id=run_id,
        scenario=scenario,
        type=test_type,
        version=version,
        properties=properties or {},
        secret_properties=secret_properties or {},
        remote_hosts=remote_hosts,
        rerun=rerun,
    )
    return desk.start(ctx.runs, ctx.settings, request)


@server.tool(title="Follow a load test", annotations=READ_ONLY)
async def get_jmeter_run_status(ctx: AppContext, run_id: Run, wait_s: WaitSeconds = 0) -> LiveStatus:
    """Say how a run goes: state, users, throughput, statistics by label so far, errors, time left, generator health.

    With `wait_s` it returns when the test has ended, or after that time. Any server answers for any run.
    """
    return await status.run_status(ctx.runs, run_id, wait_s=wait_s, report=ctx.report)


@server.tool(title="Stop a load test", annotations=CHANGES_OUTSIDE)
def stop_jmeter_test(
    ctx: AppContext, confirmed: Annotated[Confirmed, asks(stop_question)], run_id: Run, confirm: Confirm = False
) -> StoppedRun:
    """End a test gently, then harder, and say how far that went. What was measured until then is kept."""
    return runs.stop_run(ctx.runs, run_id)


@server.tool(title="List the load tests", annotations=READ_ONLY)
def list_jmeter_runs(ctx: AppContext, start: Start = 0, limit: Limit = 20) -> RunList:
    """List the runs of JMeter, the newest first: state, plan, users, and the tool to call next."""
    return runs.list_runs(ctx.runs, start=start, limit=limit)


@server.tool(title="List the test plans", annotations=READ_ONLY)
def list_jmeter_scripts(ctx: AppContext, start: Start = 0, limit: Limit = 20) -> ScriptList:
    """List the plans in the folder of scripts, with their thread groups."""
    return scripts.list_scripts(JMeterSettings.load().scripts_dir, start=start, limit=limit)


@server.tool(title="Collect the results of a load test", annotations=WRITES_RUN_FOLDER)
async def collect_jmeter_results(ctx: AppContext, run_id: Run, wait_s: WaitSeconds = 45) -> JobReport[CollectedRun]:
    """Bring the results of a run that has ended into its folder: samples, aggregate report, log, checked counts.

    Call it after the test, and again while it says `working`. Then `query_samples` and the analyses can read them.
    """

    def work(job: JobContext) -> CollectedRun:
        return collecting.collect_results(ctx.runs, run_id, lambda what, share: job.progress(share, 1.0, what))

    return await ctx.job(run_id, "collect_jmeter_results", work, arguments={}, wait_s=wait_s)


@server.tool(title="Read the log of a load test", annotations=READ_ONLY)
def analyze_jmeter_log(
    ctx: AppContext,
    run_id: Run,
    file: Annotated[str | None, Field(description="Another log in the run folder; JMeter's own by default.")] = None,
    start: Start = 0,
    limit: Limit = 20,
) -> LogAnalysis:
    """Group the entries of a run's log by what they say: how often, first and last seen, and what they mean."""
    return logs.analyze_log(ctx.runs, run_id, file=file, start=start, limit=limit)
