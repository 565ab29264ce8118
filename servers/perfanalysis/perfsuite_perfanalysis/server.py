"""The tools of the perfanalysis server."""

from typing import Annotated

from pydantic import Field

from perfsuite.artifacts import RunId
from perfsuite.mcp.context import AppContext
from perfsuite.mcp.jobs import JobContext, JobReport, WaitSeconds
from perfsuite.mcp.registration import READ_ONLY, WRITES_RUN_FOLDER
from perfsuite.mcp.server import create_server
from perfsuite.samples.definitions import DEFAULT_PERCENTILES, PercentileMethod
from perfsuite_perfanalysis.models.digest import Digest
from perfsuite_perfanalysis.models.questions import About, KindOrAny, Percentile, SampleAnswer, SampleQuestion, SortBy
from perfsuite_perfanalysis.models.standing import AnalysisStatus
from perfsuite_perfanalysis.service import (
    bottlenecks,
    cause_digests,
    comparing,
    correlating,
    digests,
    environment,
    logs,
    querying,
    results,
    slas,
    standing,
)
from perfsuite_perfanalysis.service.work import Work

server = create_server(
    "perfanalysis",
    title="PerfAnalysis",
    instructions="Exact numbers about load-test runs, and findings that say how sure they are: start with "
    "`analyze_test_results`; `get_analysis_status` says what is left.",
    rules_page="perfanalysis/AGENTS.md",
    has_jobs=True,
    warm_up=("samples", "analysis"),
)


Run = Annotated[RunId, Field(description="The run.")]


@server.tool(title="Analyse the samples of a run", annotations=WRITES_RUN_FOLDER)
async def analyze_test_results(
    ctx: AppContext,
    run_id: Run,
    sla_profile: Annotated[
        str | None, Field(max_length=500, description="An `id` of slas.yaml; by default the run's scenario.")
    ] = None,
    wait_s: WaitSeconds = 45,
) -> JobReport[Digest]:
    """Analyse steady state, drift, labels, errors, SLA verdicts and data quality, and write performance_analysis.json.

    Call it first, and again while it says `working`. A digest comes back; the file has all.
    """

    def work(job: JobContext) -> Digest:
        limits = slas.find_slas(ctx.settings)
        return digests.results_digest(
            results.analyze_test_results(ctx.runs, run_id, limits, sla_profile, Work(job))
        )  # fmt: skip

    arguments = {"sla_profile": sla_profile}
    return await ctx.job(run_id, "analyze_test_results", work, arguments=arguments, wait_s=wait_s)


@server.tool(title="Analyse hosts and containers", annotations=WRITES_RUN_FOLDER)
async def analyze_environment_metrics(ctx: AppContext, run_id: Run, wait_s: WaitSeconds = 45) -> JobReport[Digest]:
    """Analyse use, headroom, throttling, restarts, trends and leaks by host, service and container.

    The Datadog tools collect the metrics before it; without them the file says what that costs.
    """

    def work(job: JobContext) -> Digest:
        return cause_digests.environment_digest(environment.analyze_environment_metrics(ctx.runs, run_id, Work(job)))

    return await ctx.job(run_id, "analyze_environment_metrics", work, arguments={}, wait_s=wait_s)


@server.tool(title="Compare runs", annotations=WRITES_RUN_FOLDER)
async def compare_test_runs(
    ctx: AppContext,
    run_ids: Annotated[tuple[RunId, ...], Field(min_length=1, max_length=10, description="Runs to compare.")],
    baseline: Annotated[RunId, Field(description="The run they are compared with.")],
    noise_floor: Annotated[float, Field(ge=0.01, le=1, description="Smaller relative changes are noise.")] = 0.1,
    floor_ms: Annotated[float, Field(ge=0, le=10_000, description="And so are smaller changes in ms.")] = 10,
    wait_s: WaitSeconds = 45,
) -> JobReport[Digest]:
    """Say for every label and metric whether a run is slower, faster, within noise, or not to be told.

    The runs need samples and a steady state of 5 minutes under the same load. comparison.json has all changes.
    """
    asked = comparing.Asked(tuple(run_ids), baseline, noise_floor, floor_ms)

    def work(job: JobContext) -> Digest:
        found = comparing.compare_test_runs(ctx.runs, asked, Work(job))
        return digests.comparison_digest(found, comparing.place_of(ctx.runs, found))

    arguments = {"run_ids": list(run_ids), "noise_floor": noise_floor, "floor_ms": floor_ms}
    return await ctx.job(baseline, "compare_test_runs", work, arguments=arguments, wait_s=wait_s)


@server.tool(title="Correlate the test with metrics", annotations=WRITES_RUN_FOLDER)
async def correlate_test_results(ctx: AppContext, run_id: Run, wait_s: WaitSeconds = 45) -> JobReport[Digest]:
    """Say which metrics move with the response times beyond what the load explains, and where the capacity ends.

    `insufficient_evidence` is an answer: then claim nothing.
    """

    def work(job: JobContext) -> Digest:
        return cause_digests.correlation_digest(correlating.correlate_test_results(ctx.runs, run_id, Work(job)))

    return await ctx.job(run_id, "correlate_test_results", work, arguments={}, wait_s=wait_s)


@server.tool(title="Look for bottlenecks", annotations=WRITES_RUN_FOLDER)
async def identify_bottlenecks(ctx: AppContext, run_id: Run, wait_s: WaitSeconds = 45) -> JobReport[Digest]:
    """Say what held the system back: class, evidence, what speaks against it, confidence, onset, next check.

    The load generator comes first. A class without its metrics is `not_evaluable`, which is not an all-clear.
    """

    def work(job: JobContext) -> Digest:
        return cause_digests.bottleneck_digest(bottlenecks.identify_bottlenecks(ctx.runs, run_id, Work(job)))

    return await ctx.job(run_id, "identify_bottlenecks", work, arguments={}, wait_s=wait_s)


@server.tool(title="Group logs and failures", annotations=WRITES_RUN_FOLDER)
async def analyze_logs(
    ctx: AppContext,
    run_id: Run,
    baseline_run_id: Annotated[RunId | None, Field(description="An earlier run, to tell what is new.")] = None,
    wait_s: WaitSeconds = 45,
) -> JobReport[Digest]:
    """Group what jmeter.log, service logs and failed samples say: how often, since when, at which load, what is new."""

    def work(job: JobContext) -> Digest:
        return cause_digests.log_digest(logs.analyze_logs(ctx.runs, run_id, baseline_run_id, Work(job)))

    arguments = {"baseline_run_id": baseline_run_id}
    return await ctx.job(run_id, "analyze_logs", work, arguments=arguments, wait_s=wait_s)


@server.tool(title="Say how far the analyses are", annotations=READ_ONLY)
def get_analysis_status(ctx: AppContext, run_id: Run) -> AnalysisStatus:
    """Say which analyses of a run are done, stale or missing, and which tool to call next."""
    return standing.analysis_status(ctx.runs, run_id)


@server.tool(title="Ask about the samples of a run", annotations=READ_ONLY)
def query_samples(
    ctx: AppContext,
    run_id: Run,
    about: Annotated[About, Field(description="What the rows are.")] = "labels",
    labels: Annotated[tuple[str, ...], Field(description="Only these; * and ? match any text.", max_length=50)] = (),
    kind: Annotated[KindOrAny, Field(description="Requests, transactions, parts of requests.")] = "sample",
    sort_by: Annotated[SortBy, Field(description="Order of `labels`, most first.")] = "slowest",
    percentiles: Annotated[
        tuple[Percentile, ...], Field(min_length=1, max_length=10, description="0 to 100.")
    ] = DEFAULT_PERCENTILES,
    percentile_method: Annotated[PercentileMethod, Field(description="How they are defined.")] = "linear",
    bucket_s: Annotated[float | None, Field(gt=0, description="Width of `time_series` rows in seconds.")] = None,
    from_s: Annotated[float | None, Field(ge=0, description="Seconds after the first sample.")] = None,
    to_s: Annotated[float | None, Field(gt=0, description="Seconds after the first sample.")] = None,
    start: Annotated[int, Field(ge=0, description="Rows to skip.")] = 0,
    limit: Annotated[int, Field(ge=1, le=200, description="Most rows.")] = 20,
) -> SampleAnswer:
    """Give exact statistics by label, over time, by response code, or the errors by cause, of an imported run.

    Ask this rather than reading result files. The run must hold samples (`perfsuite import`, or a stage that ran it).
    """
    question = SampleQuestion(
        about=about,
        labels=labels,
        kind=kind,
        sort_by=sort_by,
        percentiles=percentiles,
        percentile_method=percentile_method,
        bucket_s=bucket_s,
        from_s=from_s,
        to_s=to_s,
        start=start,
        limit=limit,
    )
    return querying.query_samples(ctx.runs, run_id, question)
