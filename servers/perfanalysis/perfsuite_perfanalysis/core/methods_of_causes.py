"""The methods by which metrics, correlations, bottlenecks and logs were judged, as files name them."""

from perfsuite.artifacts.analyses import Method
from perfsuite_perfanalysis.core import resource_findings, resources, series, thresholds


def of_resources() -> tuple[Method, ...]:
    """Of the analysis of hosts and containers."""
    return (
        Method(
            name="time above a threshold",
            parameters={
                "cpu_pct": thresholds.CPU_PCT,
                "memory_pct": thresholds.MEMORY_PCT,
                "throttled_pct": thresholds.THROTTLED_PCT,
                "sustained_s": resource_findings.SUSTAINED_S,
            },
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
