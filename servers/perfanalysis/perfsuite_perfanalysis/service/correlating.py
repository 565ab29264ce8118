"""Says what moved with the response times, and how much the system could take."""

from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.analyses import Finding, Input
from perfsuite.artifacts.correlations import Capacity, ClockCheck, CorrelationAnalysis, Pair
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfanalysis.service.collected import Collected, collected_metrics, metric_paths
from perfsuite_perfanalysis.service.course import RunCourse, course_of
from perfsuite_perfanalysis.service.inputs import noted, samples_and
from perfsuite_perfanalysis.service.scenes import Scenes, gather
from perfsuite_perfanalysis.service.work import Work

if TYPE_CHECKING:
    from perfsuite_perfanalysis.core.capacity import Points

TOOL: Final = "correlate_test_results"
MOST_FOUND: Final = 1_000
MOST_OTHERS: Final = 200
_TOLD: Final = 10
_REASONS: Final = 3


def correlate_test_results(runs: RunStore, run_id: str, work: Work | None = None) -> CorrelationAnalysis:
    """Put samples and metrics side by side; the same files give the same answer."""
    run = runs.open(run_id)
    found = (work := work or Work()).open(run)
    with Ledger(run).step("perfanalysis", "correlation_and_bottlenecks", tool=TOOL) as step:
        inputs = noted(run, step, samples_and(run, *metric_paths(run)))
        work.step("following the course of the run", 0.05)
        seen = course_of(found)
        work.step("reading metrics", 0.15)
        metrics = collected_metrics(run, seen.first_us, seen.span_s)
        analysis = correlation_of(run, seen, metrics, inputs, work)
        run.save(layout.CORRELATION_ANALYSIS, analysis)
        step.produced(run.path(layout.CORRELATION_ANALYSIS))
    return analysis


def correlation_of(
    run: RunFolder, seen: RunCourse, metrics: Collected, inputs: tuple[Input, ...], work: Work
) -> CorrelationAnalysis:
    """Pairs, clocks and capacity. Capacity needs no metrics."""
    from perfsuite_perfanalysis.core import methods_of_causes
    from perfsuite_perfanalysis.core.effects import is_calm
    from perfsuite_perfanalysis.core.screening import screen

    scenes = gather(seen, metrics, work)
    work.step("testing pairs", 0.75)
    pairs, untestable = screen(scenes.scenes)
    work.step("looking for the capacity", 0.9)
    capacity = capacity_of(seen)
    certain = [one for one in pairs if one.verdict == "moves_with"]
    others = [one for one in pairs if one.verdict != "moves_with"]
    is_calm_run = is_calm(untestable, [one.name for scene in scenes.scenes for one in scene.responses])
    reasons = _reasons(metrics, scenes, untestable if not pairs and not is_calm_run else None)
    return CorrelationAnalysis(
        run_id=run.run_id,
        status="not_available"
        if not pairs and not is_calm_run and capacity.verdict != "evaluated"
        else "partial"
        if reasons
        else "complete",
        reasons=reasons,
        inputs=inputs,
        methods=methods_of_causes.of_correlations(),
        findings=(*_pair_findings(certain), *_capacity_findings(capacity)),
        answer="moves_with" if certain else "insufficient_evidence" if pairs or is_calm_run else "not_evaluable",
        window_start=seen.moment(0.0),
        window_s=seen.span_s,
        grids=tuple(scenes.grids),
        clock=_clock(scenes),
        pairs_tested=len(pairs),
        pairs=(*certain[:MOST_FOUND], *others[:MOST_OTHERS]),
        pairs_left_out=max(0, len(certain) - MOST_FOUND) + max(0, len(others) - MOST_OTHERS),
        untestable=untestable,
        capacity=capacity,
    )


def capacity_of(seen: RunCourse) -> Capacity:
    """Throughput and response times against users."""
    from perfsuite_perfanalysis.core.capacity import find_capacity

    return find_capacity(points_of(seen))


def points_of(seen: RunCourse) -> "Points":
    """The whole run in buckets of ten seconds, without the two that are not whole."""
    import numpy as np

    from perfsuite.samples.grid import EVERYTHING
    from perfsuite_perfanalysis.core.alignment import Edges, load_on_grid
    from perfsuite_perfanalysis.core.capacity import BUCKET_S, Points

    grid = seen.grid(BUCKET_S)
    edges = Edges((grid.first_bucket_us - seen.first_us) / 1e6, BUCKET_S, grid.buckets)
    whole, line = edges.whole(0.0, seen.span_s), grid.lines[EVERYTHING]
    completed = line.completed[whole]
    return Points(
        at_s=edges.starts_s[whole],
        width_s=BUCKET_S,
        users=load_on_grid(seen.course.users, seen.course.width_s, edges)[whole],
        per_s=completed / BUCKET_S,
        mean_ms=line.mean_ms[whole],
        p95_ms=line.p95_ms[whole],
        error_rate=np.divide(line.errors[whole], completed, out=np.zeros(len(completed)), where=completed > 0),
    )


def _clock(scenes: Scenes) -> ClockCheck | None:
    from perfsuite_perfanalysis.core.confounders import check_clock

    checks = [
        check_clock(arrivals, scene.candidates, scene.width_s)
        for scene, arrivals in zip(scenes.scenes, scenes.arrivals, strict=True)
    ]
    told = [one for one in checks if one.verdict != "not_evaluable"]
    return next(iter(told or checks), None)


def _reasons(metrics: Collected, scenes: Scenes, untestable: dict[str, str] | None) -> tuple[str, ...]:
    """What is missing; `untestable` where that is why no pair could be tested."""
    if metrics.nothing:
        return (f"{metrics.nothing} Only the capacity could be looked at.",)
    unusable = [f"{name!r} {why}." for name, why in metrics.unusable.items()]
    if untestable is not None:
        unusable.append(" ".join(("No pair could be tested.", *why_untested(untestable))))
    return (*metrics.reasons, *scenes.reasons, *unusable)


def why_untested(untestable: dict[str, str]) -> list[str]:
    """The reasons, those of most metrics and responses first, each with one of them."""
    together: dict[str, list[str]] = {}
    for name, why in untestable.items():
        together.setdefault(why, []).append(name)
    most = sorted(together.items(), key=lambda one: (-len(one[1]), one[0]))[:_REASONS]
    return [f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {why}." for why, names in most]


def _pair_findings(certain: list[Pair]) -> list[Finding]:
    """One for each metric, by its most certain pair: the other responses are named beside it."""
    together: dict[tuple[str, str], list[Pair]] = {}
    for one in certain:
        together.setdefault((one.resource, one.metric), []).append(one)
    return [_pair_finding(*pairs) for pairs in list(together.values())[:_TOLD]]


def _pair_finding(one: Pair, *others: Pair) -> Finding:
    names = ", ".join(other.response for other in others[:_REASONS])
    more = f" So it does with {len(others)} more: {names}{', ...' if len(others) > _REASONS else ''}." if others else ""
    return Finding(
        id=one.id,
        kind="moves_with",
        severity="minor",
        subject=one.resource,
        text=one.text + more,
        evidence={
            "partial": one.partial,
            "raw": one.raw,
            "n": one.n,
            "n_effective": one.n_effective,
            "lag_s": one.lag_s,
            "interval_s": one.interval_s,
            "p_adjusted": one.p_adjusted,
        },
    )


def _capacity_findings(capacity: Capacity) -> list[Finding]:
    from perfsuite_perfanalysis.core.identity import finding_id

    knee = capacity.knee
    if knee is None or knee.verdict not in ("plateau", "bend"):
        return []
    return [
        Finding(
            id=finding_id("capacity", knee.verdict),
            kind=knee.verdict,
            severity="major" if knee.verdict == "plateau" else "minor",
            subject="",
            text=knee.reason,
            evidence={
                "users": knee.users,
                "users_low": knee.users_low,
                "users_high": knee.users_high,
                "throughput_per_s": knee.throughput_per_s,
                "bic_gain": knee.bic_gain,
            },
        )
    ]
