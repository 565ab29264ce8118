"""Groups what logs and failures say, and writes the groups to their file."""

from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.analyses import Input
from perfsuite.artifacts.log_findings import LogAnalysis, LogSource
from perfsuite.errors import BadInput
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfanalysis.service.course import RunCourse, course_of
from perfsuite_perfanalysis.service.inputs import noted, samples_and
from perfsuite_perfanalysis.service.log_files import log_paths, read_errors, read_logs
from perfsuite_perfanalysis.service.work import Work

if TYPE_CHECKING:
    from perfsuite_perfanalysis.core.logs.entries import Entry
    from perfsuite_perfanalysis.core.logs.standing import Timeline
    from perfsuite_perfanalysis.core.logs.tally import Tally

TOOL: Final = "analyze_logs"
MOST_GROUPS: Final = 1_000


def analyze_logs(
    runs: RunStore, run_id: str, baseline_run_id: str | None = None, work: Work | None = None
) -> LogAnalysis:
    """Group the logs of a run; the same files give the same groups, in whatever order they hold them."""
    if baseline_run_id == run_id:
        raise BadInput("A run cannot be its own baseline.", next_step="Name an earlier run, or leave it out.")
    run = runs.open(run_id)
    baseline = runs.open(baseline_run_id) if baseline_run_id is not None else None
    found = (work := work or Work()).open(run)
    with Ledger(run).step("perfanalysis", "logs", tool=TOOL) as step:
        inputs = noted(run, step, samples_and(run, *log_paths(run)))
        work.step("following the course of the run", 0.1)
        seen = course_of(found)
        analysis = _analysis(run, baseline, seen, inputs, work)
        run.save(layout.LOG_ANALYSIS, analysis)
        step.produced(run.path(layout.LOG_ANALYSIS))
    return analysis


def _analysis(
    run: RunFolder, baseline: RunFolder | None, seen: RunCourse, inputs: tuple[Input, ...], work: Work
) -> LogAnalysis:
    from perfsuite_perfanalysis.core import methods_of_causes
    from perfsuite_perfanalysis.core.logs.standing import log_findings, told
    from perfsuite_perfanalysis.core.logs.tally import Tally

    timeline = _timeline(seen)
    onset = timeline.error_onset_s
    tally = Tally(None if onset is None else seen.first_us + round(onset * 1e6))
    sources, problems = _read(run, seen, tally, work)
    if baseline is not None:
        work.step("reading the logs of the baseline", 0.6)
        problems += _read_baseline(baseline, tally, work)
    work.step("grouping", 0.8)
    groups = tuple(told(one, timeline, has_baseline=baseline is not None) for one in tally.groups())
    if tally.folded:
        problems.append(f"{tally.folded} entries say too many different things and stand together.")
    reasons = (*_missing(sources), *problems)
    return LogAnalysis(
        run_id=run.run_id,
        status="not_available"
        if not any(one.entries for one in sources) and reasons
        else "partial"
        if reasons
        else "complete",
        reasons=reasons,
        inputs=inputs,
        methods=methods_of_causes.of_logs(),
        findings=log_findings(groups),
        window_start=seen.moment(0.0),
        window_s=seen.span_s,
        baseline_run_id=baseline.run_id if baseline else None,
        error_onset_s=onset,
        sources=tuple(sources),
        entries=tally.entries,
        groups=groups[:MOST_GROUPS],
        groups_left_out=max(0, len(groups) - MOST_GROUPS),
    )


def _read(run: RunFolder, seen: RunCourse, tally: "Tally", work: Work) -> tuple[list[LogSource], list[str]]:
    sources, problems = read_logs(run, tally.take, lambda: work.step("reading logs", 0.3))
    work.step("grouping failures", 0.5)
    return [*sources, read_errors(seen.found, seen.kind, tally.take)], problems


def _read_baseline(baseline: RunFolder, tally: "Tally", work: Work) -> list[str]:
    def take(entry: "Entry") -> None:
        tally.take(entry, is_baseline=True)

    sources, problems = read_logs(baseline, take, lambda: work.step("reading the logs of the baseline", 0.65))
    if baseline.path(layout.SAMPLES).is_file():
        there = course_of(work.open(baseline))
        sources.append(read_errors(there.found, there.kind, take))
    if not sources:
        problems.append(f"The baseline {baseline.run_id!r} has neither logs nor samples, so everything is new to it.")
    return [f"Baseline: {one}" if not one.startswith("The baseline") else one for one in problems]


def _timeline(seen: RunCourse) -> "Timeline":
    from perfsuite.samples.grid import EVERYTHING, sample_grid
    from perfsuite_perfanalysis.core.alignment import Edges, load_on_grid
    from perfsuite_perfanalysis.core.bottlenecks.onsets import find_error_onset
    from perfsuite_perfanalysis.core.capacity import BUCKET_S
    from perfsuite_perfanalysis.core.logs.standing import Timeline

    grid = sample_grid(seen.found, BUCKET_S, seen.kind)
    edges = Edges((grid.first_bucket_us - seen.first_us) / 1e6, BUCKET_S, grid.buckets)
    line = grid.lines[EVERYTHING]
    rise = find_error_onset(line.errors, line.completed)
    return Timeline(
        at_s=edges.starts_s,
        width_s=BUCKET_S,
        users=load_on_grid(seen.course.users, seen.course.width_s, edges),
        arrivals=line.arrivals,
        completed=line.completed,
        errors=line.errors,
        span_s=seen.span_s,
        first_us=seen.first_us,
        error_onset_s=None if rise is None else max(0.0, float(edges.starts_s[rise.at])),
        moment=seen.moment,
    )


def _missing(sources: list[LogSource]) -> list[str]:
    kinds = {one.kind for one in sources}
    missing = []
    if "jmeter_log" not in kinds:
        missing.append("There is no jmeter.log, so what went wrong in the generator itself is not known.")
    if "service_log" not in kinds:
        missing.append("No logs of the service were collected (`get_logs`), so only the test's side is told.")
    return missing
