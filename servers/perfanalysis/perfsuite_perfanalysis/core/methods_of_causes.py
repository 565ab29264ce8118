"""The methods by which metrics, correlations, bottlenecks and logs were judged, as files name them."""

from typing import Final

from perfsuite.artifacts.analyses import Method
from perfsuite_perfanalysis.core import (
    alignment,
    association,
    capacity,
    effects,
    knees,
    readings,
    resource_findings,
    resources,
    scalability,
    screening,
    series,
    thresholds,
)
from perfsuite_perfanalysis.core.bottlenecks import machines, onsets
from perfsuite_perfanalysis.core.logs import stacks, tally, templates

_SATURATED: Final = {
    "cpu_pct": thresholds.CPU_PCT,
    "memory_pct": thresholds.MEMORY_PCT,
    "throttled_pct": thresholds.THROTTLED_PCT,
    "sustained_s": resource_findings.SUSTAINED_S,
}


def of_resources() -> tuple[Method, ...]:
    """Of the analysis of hosts and containers."""
    return (
        Method(
            name="time above a threshold",
            parameters=_SATURATED,
        ),
        Method(
            name="trend by Theil-Sen and Kendall with the effective sample size",
            parameters={
                "alpha": resources.SIGNIFICANT,
                "least_change": resources.LEAST_CHANGE,
                "fewest": series.FEWEST,
            },
        ),
        Method(
            name="leaks by a rise of memory under constant load that does not level off",
            parameters={"shortest_s": resources.SOAK_S, "least_points": resources.LEAK_POINTS},
        ),
    )


def of_correlations() -> tuple[Method, ...]:
    """Of correlations and capacity."""
    return (
        Method(
            name="partial Spearman given the load, of levels and of changes, with Bartlett's effective sample size",
            parameters={
                "lags_each_way": association.LAGS,
                "fewest_buckets": association.FEWEST_BUCKETS,
                "least_correlation": screening.LEAST_CORRELATION,
                "least_points": effects.LEAST_POINTS,
                "least_share": effects.LEAST_SHARE,
                "least_slower": effects.LEAST_SLOWER,
                "least_errors": effects.LEAST_ERRORS,
                "longest_gap_in_intervals": alignment.LONGEST_GAP,
                "shortest_grid_s": readings.SHORTEST_GRID_S,
            },
        ),
        Method(name="Benjamini-Hochberg over all pairs", parameters={"q": screening.FALSE_DISCOVERIES}),
        Method(
            name="Universal Scalability Law by least squares with soft_l1, intervals by drawing buckets again",
            parameters={
                "fewest_levels": scalability.FEWEST_LEVELS,
                "span": scalability.SPAN,
                "furthest": scalability.FURTHEST,
                "replicates": scalability.REPLICATES,
            },
        ),
        Method(
            name="knee by a line of two parts against a straight one",
            parameters={"bic_gain": knees.BIC_GAIN, "slope_ratio": knees.BEND, "flat": knees.FLAT, "rise": knees.RISE},
        ),
        Method(name="Little's law", parameters={"same_think_time": capacity.SAME_THINKING}),
    )


def of_bottlenecks() -> tuple[Method, ...]:
    """Of bottlenecks, beyond the methods that their evidence comes from."""
    return (
        Method(
            name="onsets by buckets in a row beyond the calm level and its noise",
            parameters={"rise": onsets.RISE, "in_a_row": onsets.IN_A_ROW, "bucket_s": capacity.BUCKET_S},
        ),
        Method(
            name="saturation by time without a break above a threshold",
            parameters={**_SATURATED, "idle_pct": machines.IDLE_PCT},
        ),
        *of_correlations(),
    )


def of_logs() -> tuple[Method, ...]:
    """Of logs."""
    return (
        Method(
            name="templates by Drain over masked messages in sorted order",
            parameters={
                "similarity": templates.SIMILAR,
                "depth": templates.DEPTH,
                "most_branches": templates.MOST_BRANCHES,
                "most_messages": tally.MOST_MESSAGES,
            },
        ),
        Method(
            name="stack traces by innermost cause and own frames without line numbers",
            parameters={"version": 1, "frames": stacks.FRAMES},
        ),
        Method(
            name="onset of errors by Wilson intervals of buckets in a row",
            parameters={"in_a_row": onsets.IN_A_ROW, "bucket_s": capacity.BUCKET_S},
        ),
    )
