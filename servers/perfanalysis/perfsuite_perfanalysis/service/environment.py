"""Analyses the metrics of hosts and containers, and writes what was found to its file."""

from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.analyses import Finding, Input
from perfsuite.artifacts.infrastructure import InfrastructureAnalysis, Resource
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfanalysis.service.collected import Collected, collected_metrics, metric_paths
from perfsuite_perfanalysis.service.course import RunCourse, course_of
from perfsuite_perfanalysis.service.inputs import noted, samples_and
from perfsuite_perfanalysis.service.work import Work

if TYPE_CHECKING:
    from perfsuite_perfanalysis.core.readings import MetricSeries
    from perfsuite_perfanalysis.core.resources import Windows

TOOL: Final = "analyze_environment_metrics"
MOST_RESOURCES: Final = 1_000


def analyze_environment_metrics(runs: RunStore, run_id: str, work: Work | None = None) -> InfrastructureAnalysis:
    """Analyse the metrics of a run; the same metrics and samples give the same file."""
    run = runs.open(run_id)
    found = (work := work or Work()).open(run)
    with Ledger(run).step("perfanalysis", "environment_metrics", tool=TOOL) as step:
        inputs = noted(run, step, samples_and(run, *metric_paths(run)))
        work.step("following the course of the run", 0.1)
        seen = course_of(found)
        work.step("reading metrics", 0.4)
        metrics = collected_metrics(run, seen.first_us, seen.span_s)
        analysis = _analysis(run, seen, metrics, inputs, work)
        run.save(layout.INFRASTRUCTURE_ANALYSIS, analysis)
        step.produced(run.path(layout.INFRASTRUCTURE_ANALYSIS))
    return analysis


def _analysis(
    run: RunFolder, seen: RunCourse, metrics: Collected, inputs: tuple[Input, ...], work: Work
) -> InfrastructureAnalysis:
    from perfsuite_perfanalysis.core import methods_of_causes
    from perfsuite_perfanalysis.core.resources import services_of

    work.step("looking at hosts and containers", 0.5)
    resources = tuple(resource for resource, _ in resources_of(metrics, seen.windows))
    nothing = metrics.nothing or ("" if resources else "No reading lies within the time of the test.")
    reasons = (
        (nothing,)
        if nothing
        else (*metrics.reasons, *uncovered(metrics, seen.span_s), *map(_unusable, metrics.unusable.items()))
    )
    return InfrastructureAnalysis(
        run_id=run.run_id,
        status="not_available" if nothing else "partial" if reasons else "complete",
        reasons=reasons,
        inputs=inputs,
        methods=methods_of_causes.of_resources(),
        percentile_method="linear",
        findings=_findings(resources),
        window_start=seen.moment(0.0),
        window_s=seen.span_s,
        steady_from_s=seen.phases.steady_from_s,
        steady_to_s=seen.phases.steady_to_s,
        hosts=sum(one.scope == "host" for one in resources),
        containers=sum(one.scope == "container" for one in resources),
        resources=resources,
        services=services_of(resources),
        unusable_files=metrics.unusable,
    )


def resources_of(metrics: Collected, windows: "Windows") -> "list[tuple[Resource, dict[str, MetricSeries]]]":
    """Every host and container with readings in the run, and its series."""
    from perfsuite_perfanalysis.core.readings import of_subjects
    from perfsuite_perfanalysis.core.resources import resource_of

    subjects = list(of_subjects(metrics.series))
    if len(subjects) > MOST_RESOURCES:
        metrics.reasons.append(f"Of {len(subjects)} hosts and containers the first {MOST_RESOURCES} were looked at.")
    found = [(resource_of(subject, series, windows), series) for subject, series in subjects[:MOST_RESOURCES]]
    return [(resource, series) for resource, series in found if resource is not None]


def uncovered(metrics: Collected, span_s: float) -> list[str]:
    """Whose metrics end before the test, or begin after it did."""
    from perfsuite_perfanalysis.core.coverage import ENOUGH, thin

    names = thin(metrics.series, 0.0, span_s, ENOUGH)
    return [f"Metrics do not cover the whole test: {', '.join(names)}. Collect them again for it."] if names else []


def _findings(resources: tuple[Resource, ...]) -> tuple[Finding, ...]:
    from perfsuite_perfanalysis.core.resource_findings import resource_findings

    return resource_findings(resources)


def _unusable(one: tuple[str, str]) -> str:
    return f"{one[0]!r} {one[1]}."
