"""The tools of the datadog server."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from perfsuite.mcp.context import AppContext
from perfsuite.mcp.jobs import JobReport, WaitSeconds
from perfsuite.mcp.registration import READ_ONLY, WRITES_RUN_FOLDER
from perfsuite.mcp.server import create_server
from perfsuite_datadog.models.logs import MOST_EVENTS, CollectedEvents, EventRequest
from perfsuite_datadog.models.metrics import AccessCheck, Collected, LoadedEnvironment
from perfsuite_datadog.models.requests import CollectRequest, KpiRequest
from perfsuite_datadog.service import access, desk, environments, host_metrics, kpis, kubernetes_metrics, logs

server = create_server(
    "datadog",
    title="Datadog",
    instructions="Metrics, logs and traces of a load test from Datadog. Start with `load_environment`.",
    rules_page="datadog/AGENTS.md",
    has_jobs=True,
)


def _text(value: object) -> object:
    """Epoch times come as numbers too, and what is left out as null."""
    return "" if value is None else str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_text)]
Environment = Annotated[Text, Field(max_length=100, description="As in environments.yaml; a run knows its own.")]
Run = Annotated[Text, Field(max_length=64, description="The run that gets the files.")]
From = Annotated[Text, Field(description="ISO, epoch or now-2h; else the run's first sample.")]
To = Annotated[Text, Field(description="Else the run's last sample, or now.")]
LogType = Annotated[
    Text,
    Field(
        max_length=80, description="errors (default), warnings, http_errors, exceptions, all, or a key of log_queries."
    ),
]
SpanType = Annotated[
    Text, Field(max_length=80, description="errors (default), http_errors, slow, all, or a key of apm_queries.")
]
Query = Annotated[Text, Field(max_length=4000, description="A Datadog search in place of the type.")]
Limit = Annotated[int, Field(ge=0, le=MOST_EVENTS, description="Most events to fetch; 0 for all.")]


@server.tool(title="Load an environment", annotations=WRITES_RUN_FOLDER)
def load_environment(ctx: AppContext, environment: Environment = "", run_id: Run = "") -> LoadedEnvironment:
    """Say which hosts, services and custom queries an environment has, and make it the one of the run.

    Call it first. Nothing is asked of Datadog.
    """
    return environments.load_environment(ctx.runs, ctx.settings, environment, run_id)


@server.tool(title="Check the access to Datadog", annotations=READ_ONLY)
async def check_datadog_access(ctx: AppContext) -> AccessCheck:
    """Say whether site, API key and application key are right, and which permissions are missing.

    Call it when Datadog refuses something: a 403 alone does not tell these apart.
    """
    return await desk.at_once(ctx, access.check_datadog_access)


@server.tool(title="Collect metrics of hosts", annotations=WRITES_RUN_FOLDER)
async def get_host_metrics(
    ctx: AppContext,
    environment: Environment = "",
    run_id: Run = "",
    from_time: From = "",
    to_time: To = "",
    wait_s: WaitSeconds = 45,
) -> JobReport[Collected]:
    """Collect CPU, memory, disk and network of all hosts of an environment; hottest first, with averages and peaks.

    Call it after `load_environment`, and again while it says `working`. Without a run, only the summary comes back.
    """
    request = CollectRequest(environment=environment, run_id=run_id, from_time=from_time, to_time=to_time)
    return await desk.collecting(ctx, host_metrics.TOOL, request, host_metrics.get_host_metrics, wait_s=wait_s)


@server.tool(title="Collect metrics of Kubernetes", annotations=WRITES_RUN_FOLDER)
async def get_kubernetes_metrics(
    ctx: AppContext,
    environment: Environment = "",
    run_id: Run = "",
    from_time: From = "",
    to_time: To = "",
    wait_s: WaitSeconds = 45,
) -> JobReport[Collected]:
    """Collect CPU and memory of all containers of an environment, against their limits; the hottest one, throttling.

    Call it after `load_environment`, and again while it says `working`.
    """
    request = CollectRequest(environment=environment, run_id=run_id, from_time=from_time, to_time=to_time)
    work = kubernetes_metrics.get_kubernetes_metrics
    return await desk.collecting(ctx, kubernetes_metrics.TOOL, request, work, wait_s=wait_s)


@server.tool(title="Collect metrics of your own", annotations=WRITES_RUN_FOLDER)
async def get_kpi_timeseries(
    ctx: AppContext,
    queries: Annotated[tuple[str, ...], Field(max_length=50, description="Keys of kpi_queries; all by default.")] = (),
    environment: Environment = "",
    run_id: Run = "",
    from_time: From = "",
    to_time: To = "",
    wait_s: WaitSeconds = 45,
) -> JobReport[Collected]:
    """Collect what the KPI queries in custom_queries.yaml give, for each host or service that they are for.

    Name all that you want in one call: the next call replaces their files.
    """
    request = KpiRequest(environment=environment, run_id=run_id, from_time=from_time, to_time=to_time, queries=queries)
    return await desk.collecting(ctx, kpis.TOOL, request, kpis.get_kpi_timeseries, wait_s=wait_s)


@server.tool(title="Collect logs", annotations=WRITES_RUN_FOLDER)
async def get_logs(
    ctx: AppContext,
    type: LogType = "",  # noqa: A002 - the name that goes into the file
    query: Query = "",
    environment: Environment = "",
    run_id: Run = "",
    from_time: From = "",
    to_time: To = "",
    limit: Limit = 0,
    wait_s: WaitSeconds = 45,
) -> JobReport[CollectedEvents]:
    """Collect log lines of an environment into the run, with counts by status, service and error kind.

    `missing` says what is not there where it is not `complete`. Without a run, few lines are looked at.
    """
    window = {"environment": environment, "run_id": run_id, "from_time": from_time, "to_time": to_time}
    request = EventRequest(**window, type=type, query=query, limit=limit)
    return await desk.collecting(ctx, logs.GET_LOGS, request, logs.get_logs, wait_s=wait_s)


@server.tool(title="Collect traces", annotations=WRITES_RUN_FOLDER)
async def get_apm_traces(
    ctx: AppContext,
    type: SpanType = "",  # noqa: A002 - the name that goes into the file
    query: Query = "",
    environment: Environment = "",
    run_id: Run = "",
    from_time: From = "",
    to_time: To = "",
    limit: Limit = 0,
    wait_s: WaitSeconds = 45,
) -> JobReport[CollectedEvents]:
    """Collect spans of an environment into the run, as `get_logs` does with lines.

    Datadog allows about 300 such requests in an hour, of 1000 spans each.
    """
    window = {"environment": environment, "run_id": run_id, "from_time": from_time, "to_time": to_time}
    request = EventRequest(**window, type=type, query=query, limit=limit)
    return await desk.collecting(ctx, logs.GET_APM_TRACES, request, logs.get_apm_traces, wait_s=wait_s)
