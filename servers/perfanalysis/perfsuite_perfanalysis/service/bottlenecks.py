"""Says what held the system back, on which evidence, and what speaks against it."""

from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.analyses import Input
from perfsuite.artifacts.bottlenecks import BottleneckAnalysis
from perfsuite.samples.definitions import Selection
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfanalysis.service.collected import Collected, collected_metrics, metric_paths
from perfsuite_perfanalysis.service.correlating import capacity_of, correlation_of
from perfsuite_perfanalysis.service.course import RunCourse, course_of
from perfsuite_perfanalysis.service.environment import resources_of, uncovered
from perfsuite_perfanalysis.service.inputs import noted, samples_and
from perfsuite_perfanalysis.service.reading import generator_of
from perfsuite_perfanalysis.service.work import Work

if TYPE_CHECKING:
    from perfsuite_perfanalysis.core.bottlenecks.facts import Facts, Machine

TOOL: Final = "identify_bottlenecks"
PART: Final = "bottlenecks"


def identify_bottlenecks(runs: RunStore, run_id: str, work: Work | None = None) -> BottleneckAnalysis:
    """Look for every class of bottlenecks; the same files give the same answer."""
    run = runs.open(run_id)
    found = (work := work or Work()).open(run)
    with Ledger(run).step("perfanalysis", "correlation_and_bottlenecks", tool=TOOL, part=PART) as step:
        inputs = noted(run, step, samples_and(run, run.path(layout.JMETER_HEALTH), *metric_paths(run)))
        work.step("following the course of the run", 0.05)
        seen = course_of(found)
        metrics = collected_metrics(run, seen.first_us, seen.span_s)
        analysis = _analysis(run, seen, metrics, inputs, work)
        run.save(layout.BOTTLENECK_ANALYSIS, analysis)
        step.produced(run.path(layout.BOTTLENECK_ANALYSIS))
    return analysis


def _analysis(
    run: RunFolder, seen: RunCourse, metrics: Collected, inputs: tuple[Input, ...], work: Work
) -> BottleneckAnalysis:
    from perfsuite_perfanalysis.core import methods_of_causes
    from perfsuite_perfanalysis.core.bottlenecks import look
    from perfsuite_perfanalysis.core.bottlenecks.looking import findings_of

    classes, found = look(_facts(run, seen, metrics, work))
    blind = [one for one in classes if one.verdict == "not_evaluable"]
    reasons = (
        *([metrics.nothing] if metrics.nothing else [*metrics.reasons, *uncovered(metrics, seen.span_s)]),
        *(f"{one.kind}: {one.reason}" for one in blind),
    )
    return BottleneckAnalysis(
        run_id=run.run_id,
        status="partial" if reasons else "complete",
        reasons=reasons,
        inputs=inputs,
        methods=methods_of_causes.of_bottlenecks(),
        findings=findings_of(found),
        window_start=seen.moment(0.0),
        window_s=seen.span_s,
        classes=classes,
        bottlenecks=found,
    )


def _facts(run: RunFolder, seen: RunCourse, metrics: Collected, work: Work) -> "Facts":
    from perfsuite.samples.grid import EVERYTHING
    from perfsuite_perfanalysis.core.alignment import Edges, load_on_grid
    from perfsuite_perfanalysis.core.bottlenecks.facts import Facts
    from perfsuite_perfanalysis.core.capacity import BUCKET_S

    correlation = correlation_of(run, seen, metrics, (), work)
    work.step("following every label", 0.92)
    grid = seen.grid(BUCKET_S)
    edges = Edges((grid.first_bucket_us - seen.first_us) / 1e6, BUCKET_S, grid.buckets)
    whole = edges.whole(0.0, seen.span_s)
    whole = whole if whole.stop > whole.start else slice(0, grid.buckets)
    codes = seen.found.by_response_code(Selection(kind=seen.kind))
    return Facts(
        at_s=edges.starts_s[whole],
        width_s=BUCKET_S,
        users=load_on_grid(seen.course.users, seen.course.width_s, edges)[whole],
        everything=grid.lines[EVERYTHING].within(whole),
        labels={label: line.within(whole) for (_, label), line in grid.lines.items() if label},
        phases=seen.phases,
        generator=generator_of(run, seen.course, seen.phases),
        capacity=correlation.capacity or capacity_of(seen),
        pairs=[one for one in correlation.pairs if one.verdict == "moves_with"],
        untestable=correlation.untestable,
        without_metrics=metrics.nothing or " ".join(f"{name!r} {why}." for name, why in metrics.unusable.items()),
        machines=_machines(metrics, seen, work),
        error_codes=[(code, errors) for code, _, errors in codes if errors],
        moment=seen.moment,
    )


def _machines(metrics: Collected, seen: RunCourse, work: Work) -> "list[Machine]":
    from perfsuite_perfanalysis.core.bottlenecks.facts import Machine

    work.step("looking at hosts and containers", 0.95)
    return [Machine(resource, series) for resource, series in resources_of(metrics, seen.windows)]
