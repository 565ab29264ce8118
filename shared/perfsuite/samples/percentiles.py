"""Percentiles over values that are counted, by four named methods.

The methods differ by half on a label of a hundred samples, so a number is never shown without its method's name.
"""

import numpy as np
from numpy.typing import NDArray

from perfsuite.samples.definitions import PercentileMethod

Values = NDArray[np.int64]


def percentiles(values: Values, counts: Values, wanted: list[float], method: PercentileMethod) -> list[float]:
    """The percentiles of `values` (ascending), each of which occurred `counts` times."""
    cumulated = np.cumsum(counts)
    total = int(cumulated[-1])
    fractions = np.asarray(wanted, dtype=np.float64) / 100.0
    match method:
        case "linear":
            position = fractions * (total - 1)
            return _between(values, cumulated, position)
        case "nearest-rank":
            # The rounding undoes binary fractions: 0.95 * 20 is 19.000000000000004 and must stay rank 19.
            rank = np.ceil(np.round(fractions * total, 9))
        case "jmeter-aggregate":
            rank = np.floor(fractions * total + 0.5)
        case "jmeter-dashboard":
            # Commons Math, estimation type LEGACY.
            return _between(values, cumulated, np.clip(fractions * (total + 1) - 1, 0, total - 1))
    found: list[float] = _at(values, cumulated, np.clip(rank, 1, total) - 1).astype(np.float64).tolist()
    return found


def _between(values: Values, cumulated: Values, position: NDArray[np.float64]) -> list[float]:
    below = np.floor(position)
    above = np.minimum(below + 1, cumulated[-1] - 1)
    low = _at(values, cumulated, below)
    result: list[float] = (low + (position - below) * (_at(values, cumulated, above) - low)).tolist()
    return result


def _at(values: Values, cumulated: Values, index: NDArray[np.float64]) -> Values:
    """The values at zero-based positions of the sorted, expanded list."""
    return values[np.searchsorted(cumulated, index.astype(np.int64), side="right")]
