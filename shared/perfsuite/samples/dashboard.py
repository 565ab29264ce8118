"""The numbers of JMeter's HTML dashboard (`statistics.json`), by its rules, for checking the one against the other.

Its rules are not ours: sub-results count as samples, transactions are left out of the total alone, and percentiles look
at the last 20,000 values of a label only.
"""

from typing import Any, Final

import numpy as np

from perfsuite.samples.definitions import Apdex, Choice, percentile_key
from perfsuite.samples.engine import Engine
from perfsuite.samples.percentiles import percentiles
from perfsuite.samples.staging import STAGED
from perfsuite.samples.statistics import Statistics, nothing

WINDOW: Final = 20_000
_TRANSACTION: Final = "kind = 'transaction'"


def dashboard_statistics(engine: Engine, choice: Choice) -> tuple[list[Statistics], Statistics]:
    """Every label and the total, from the staged rows."""
    found = engine.rows(_query("label", choice.apdex) + " GROUP BY label ORDER BY label", what="computing statistics")
    labels = [_statistics(row, choice) for row in found]
    empty = engine.rows(
        f"SELECT DISTINCT label FROM {STAGED} WHERE is_empty_transaction "
        f"AND label NOT IN (SELECT label FROM {STAGED} WHERE NOT is_empty_transaction) ORDER BY label"
    )
    labels += [nothing(label, "transaction", choice) for (label,) in empty]
    [total] = engine.rows(_query("'TOTAL'", choice.apdex) + f" AND NOT {_TRANSACTION}")
    return labels, _statistics(total, choice) if total[2] else nothing("TOTAL", "sample", choice)


def _query(label: str, apdex: Apdex) -> str:
    return f"""
        SELECT {label} AS label, bool_or({_TRANSACTION}) AS is_transaction, count(*) AS n,
               count(*) FILTER (NOT success) AS errors, sum(elapsed_us)::DOUBLE AS total_us,
               sum(elapsed_us::DOUBLE * elapsed_us) AS squares, min(elapsed_us) AS least, max(elapsed_us) AS most,
               min(started_us) AS first_us, max(started_us + elapsed_us) AS last_us,
               sum(bytes)::DOUBLE AS bytes, sum(sent_bytes)::DOUBLE AS sent_bytes,
               count(*) FILTER (success AND elapsed_us <= {apdex.satisfied_ms * 1000}) AS satisfied,
               count(*) FILTER (success AND elapsed_us <= {apdex.tolerated_ms * 1000}) AS within,
               max_by(elapsed_us, rowid, {WINDOW}) AS recent
        FROM {STAGED} WHERE NOT is_empty_transaction
    """


def _statistics(row: tuple[Any, ...], choice: Choice) -> Statistics:
    (
        label,
        is_transaction,
        n,
        errors,
        total,
        squares,
        least,
        most,
        first,
        last,
        size,
        sent,
        satisfied,
        within,
        recent,
    ) = row
    span_s = (last - first) / 1e6
    mean = total / n
    values = np.sort(np.asarray(recent, dtype=np.int64))
    found = percentiles(values, np.ones_like(values), list(choice.percentiles), "jmeter-dashboard")
    return Statistics(
        label=label,
        kind="transaction" if is_transaction else "sample",
        samples=n,
        errors=errors,
        error_rate=errors / n,
        mean_ms=mean / 1e3,
        min_ms=least / 1e3,
        max_ms=most / 1e3,
        percentiles_ms={percentile_key(p): v / 1e3 for p, v in zip(choice.percentiles, found, strict=True)},
        stdev_ms=float(np.sqrt(max(0.0, squares / n - mean * mean))) / 1e3,
        throughput_per_s=n / span_s if span_s > 0 else None,
        received_kb_per_s=size / 1024 / span_s if size is not None and span_s > 0 else None,
        sent_kb_per_s=sent / 1024 / span_s if sent is not None and span_s > 0 else None,
        apdex=(satisfied + within) / 2 / n,
        first_us=first,
        last_us=last,
    )
