"""The methods by which numbers were computed, with their parameters, as files name them."""

from collections.abc import Sequence

from perfsuite.artifacts.analyses import Method
from perfsuite_perfanalysis.core import blocks, changes, generator, phases, verdicts


def of_results(block_s: float, percentiles: Sequence[str]) -> tuple[Method, ...]:
    """Of the analysis of samples."""
    return (
        Method(name="percentiles of all samples", parameters={"method": "linear", "wanted": ", ".join(percentiles)}),
        Method(
            name="steady state by users and MSER-5",
            parameters={"share_of_most_users": phases.RAMPED, "batch_s": phases.MSER_BATCH_S},
        ),
        Method(
            name="drift by Theil-Sen and Kendall with the effective sample size",
            parameters={"least_change": phases.DRIFT, "alpha": phases.SIGNIFICANT},
        ),
        Method(
            name="intervals by a bootstrap of blocks of time, of error rates by Wilson where that is wider",
            parameters={
                "replicates": blocks.REPLICATES,
                "confidence": blocks.CONFIDENCE,
                "shortest_block_s": blocks.SHORTEST_BLOCK_S,
                "counted_in_blocks_of_s": block_s,
            },
        ),
        Method(
            name="generator by readings in a row",
            parameters={"busy_pct": generator.BUSY_PCT, "collecting_pct": generator.COLLECTING_PCT},
        ),
    )


def of_comparison(noise_floor: float, floor_ms: float) -> tuple[Method, ...]:
    """Of the comparison of runs."""
    return (
        Method(
            name="ratios by a bootstrap of blocks of time",
            parameters={
                "replicates": blocks.REPLICATES,
                "confidence": blocks.CONFIDENCE,
                "shortest_block_s": blocks.SHORTEST_BLOCK_S,
                "fewest_blocks": blocks.FEWEST_BLOCKS,
                "run_effect_in_p": changes.RUN_EFFECT,
            },
        ),
        Method(name="error rates by Newcombe's interval of a difference", parameters={"floor": verdicts.SHARE_FLOOR}),
        Method(name="Benjamini-Hochberg over all tests of a pair", parameters={"q": verdicts.FALSE_DISCOVERIES}),
        Method(name="noise floor", parameters={"relative": noise_floor, "absolute_ms": floor_ms}),
        Method(
            name="tiers by the larger value over the smaller one",
            parameters={tier: least for least, tier in verdicts.TIERS},
        ),
    )
