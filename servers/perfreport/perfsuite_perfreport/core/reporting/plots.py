"""The lines that the web page draws: what the analyses hold, and nothing computed anew."""

from collections.abc import Iterator
from typing import Final

from perfsuite.artifacts.analyses import OverTime, PerformanceAnalysis
from perfsuite.artifacts.correlations import CorrelationAnalysis
from perfsuite_perfreport.core.reporting.numbers import name
from perfsuite_perfreport.core.reporting.sources import CORRELATION, PERFORMANCE, Sources
from perfsuite_perfreport.models.report import Line, Plot

_MOST_LABELS: Final = 8


def plots(sources: Sources) -> tuple[Plot, ...]:
    """Those over time first; they share their axis."""
    found = sources.performance
    over_time = _over_time(found.over_time) if found.over_time and found.over_time.buckets else ()
    drawn = (*over_time, *sources.metric_plots, *_by_users(sources.correlation), *_distribution(found))
    return tuple(_known(plot) for plot in drawn if any(_is_known(line) for line in plot.lines))


def _known(plot: Plot) -> Plot:
    """Without the lines of which nothing is known."""
    kept = {key: tuple(filter(_is_known, getattr(plot, key))) for key in ("lines", "second_lines")}
    return plot.model_copy(update=kept)


def _is_known(line: Line) -> bool:
    return any(value is not None for value in line.values)


def _over_time(found: OverTime) -> Iterator[Plot]:
    at = tuple(one.from_s for one in found.buckets)
    where = f"{PERFORMANCE}: over_time.buckets"
    users = Line(name="users", values=tuple(one.users for one in found.buckets))
    rates = [_rates(found, "completed"), _rates(found, "errors")]
    yield Plot(
        id="throughput", title="Throughput, failures and users", x="time_s", unit="per second", at=at,
        lines=tuple(rates), second_unit="users", second_lines=(users,), source=where,
    )  # fmt: skip
    keys = list(found.buckets[0].percentiles_ms)
    times = [
        Line(name=key.removesuffix("_ms"), values=tuple(one.percentiles_ms.get(key) for one in found.buckets))
        for key in keys
    ]
    yield Plot(
        id="percentiles", title="Response times", x="time_s", unit="ms", at=at, lines=tuple(times), second_unit="users",
        second_lines=(users,), source=where,
    )  # fmt: skip
    yield from _labels(found)


def _rates(found: OverTime, key: str) -> Line:
    counts = (one.completed if key == "completed" else one.errors for one in found.buckets)
    seconds = (one.seconds for one in found.buckets)
    values = tuple(count / width if width else None for count, width in zip(counts, seconds, strict=True))
    return Line(name=key, values=values)


def _labels(found: OverTime) -> Iterator[Plot]:
    width = found.label_bucket_s
    if width is None or not found.labels:
        return
    # Where buckets hold too few samples for a p95, all that can be told of them is the median.
    has_p95 = any(_most(one.p95_ms) for one in found.labels)
    times = [(one.label, one.p95_ms if has_p95 else one.p50_ms) for one in found.labels]
    slowest = sorted(times, key=lambda one: (-_most(one[1]), one[0]))[:_MOST_LABELS]
    at = tuple(number * width for number in range(len(slowest[0][1])))
    yield Plot(
        id="labels", title=f"{'p95' if has_p95 else 'Median'} of the slowest transactions", x="time_s", unit="ms",
        at=at,
        lines=tuple(Line(name=name(label), values=values) for label, values in slowest),
        source=f"{PERFORMANCE}: over_time.labels",
    )  # fmt: skip


def _most(values: tuple[float | None, ...]) -> float:
    return max((value for value in values if value is not None), default=0.0)


def _by_users(found: CorrelationAnalysis | None) -> Iterator[Plot]:
    levels = found.capacity.levels if found and found.capacity else ()
    if len(levels) < 2:
        return
    yield Plot(
        id="capacity", title="Throughput and response times by users", x="users", unit="per second",
        at=tuple(one.users for one in levels),
        lines=(Line(name="throughput", values=tuple(one.throughput_per_s for one in levels)),),
        second_unit="ms",
        second_lines=(
            Line(name="mean", values=tuple(one.mean_ms for one in levels)),
            Line(name="p95", values=tuple(one.p95_ms for one in levels)),
        ),
        source=f"{CORRELATION}: capacity.levels",
    )  # fmt: skip


def _distribution(found: PerformanceAnalysis) -> Iterator[Plot]:
    bins = found.overall.distribution if found.overall else ()
    if not bins:
        return
    yield Plot(
        id="distribution", title="Distribution of response times", x="ms", unit="samples",
        at=tuple((one.from_ms + one.to_ms) / 2 for one in bins),
        lines=(Line(name="samples", values=tuple(one.samples for one in bins)),),
        source=f"{PERFORMANCE}: overall.distribution",
    )  # fmt: skip
