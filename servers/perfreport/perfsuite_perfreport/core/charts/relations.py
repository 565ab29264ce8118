"""Charts without a clock: response times against throughput and users, and their distribution."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from perfsuite.artifacts.analyses import Bin, LabelNumbers, OverTime
from perfsuite.artifacts.correlations import Capacity, Knee, Level, ScalabilityFit
from perfsuite_perfreport.core.charts.backdrop import Backdrop, from_zero, limit_line
from perfsuite_perfreport.core.charts.looks import BLACK, INK
from perfsuite_perfreport.core.charts.sheet import Entry, Sheet, number, numbers, title
from perfsuite_perfreport.core.charts.timelines import bucket_column
from perfsuite_perfreport.core.charts.units import rate_of, times_of

Floats = NDArray[np.float64]

_LIMIT: Final = (0, (7, 2, 1.5, 2))
_DOTTED: Final = (0, (2, 2))
_FURTHEST: Final = 2.0
"""Times the most users that were tried: beyond, the fitted curve says nothing."""
_NICE: Final = (1, 2, 5)
_POINTS: Final = 160


def latency_vs_throughput(sheet: Sheet, back: Backdrop, over: OverTime, method: str) -> None:
    """Each point is a stretch of the run: how much was done, and how long it took."""
    times, (per, rate) = times_of(sheet.look.unit), rate_of(sheet.look.unit)
    inside = [one for one in over.buckets if one.completed]
    x = np.array([one.completed / max(one.seconds, 1e-3) * per for one in inside])
    steady = np.array([_in_steady(back, one.from_s + one.seconds / 2) for one in inside], dtype=bool)
    back.heading(sheet, f"each point is {over.bucket_s:g} s, percentiles: {method}")
    series = [(name, times.of(bucket_column(inside, name))) for name in ("p50_ms", "p95_ms")]
    entries = [
        Entry(name[:3].upper(), sheet.look.color(i), None, marker)
        for i, ((name, _), marker) in enumerate(zip(series, "os", strict=True))
    ]
    sheet.key(entries)
    sheet.notes(["Filled points lie in the steady state, hollow ones outside of it."] if steady.any() else [])
    axes = sheet.axes(right=20, above=10)
    for i, ((_, y), marker) in enumerate(zip(series, "os", strict=True)):
        color = sheet.look.color(i)
        axes.scatter(x[steady], y[steady], s=16, marker=marker, color=color, alpha=0.75, lw=0)
        axes.scatter(x[~steady], y[~steady], s=14, marker=marker, facecolors="none", edgecolors=color, lw=0.9)
    from_zero(axes, np.concatenate([y for _, y in series]).tolist())
    axes.set_xlim(0, max([*x, 1e-9]) * 1.05)
    limit_line(axes, times.limit(sheet.look.sla_line))
    numbers(axes, "x", 8)
    numbers(axes, "y")
    title(axes, "x", f"completed requests, {rate}")
    title(axes, "y", f"response time, {times.unit}")


def latency_vs_users(sheet: Sheet, back: Backdrop, capacity: Capacity) -> None:
    """Response times and throughput at each level of users, with the fitted law of scalability."""
    times, (per, rate) = times_of(sheet.look.unit), rate_of(sheet.look.unit)
    levels = sorted(capacity.levels, key=lambda one: one.users)
    users = np.array([one.users for one in levels])
    fit = capacity.fit if capacity.fit and capacity.fit.verdict == "valid" else None
    back.heading(sheet, "each point is a level of concurrency")
    blue, red = sheet.look.color(0), sheet.look.color(1)
    fitted = [Entry("fitted law of scalability", BLACK, _DOTTED)] if fit else []
    sheet.key(
        [Entry("mean", blue, "solid", "o"), Entry("P95", red, (0, (5, 1.5)), "s"),
         Entry("throughput", sheet.look.color(2), "solid", "^"), *fitted]
    )  # fmt: skip
    sheet.notes(_capacity_notes(capacity))
    left = sheet.axes(right=24, to_x=0.5, above=10)
    right = sheet.axes(left=46, right=20, from_x=0.5, above=10)
    mean = times.of(np.array([one.mean_ms for one in levels]))
    p95 = times.of(np.array([np.nan if one.p95_ms is None else one.p95_ms for one in levels]))
    left.plot(users, mean, color=blue, marker="o", ms=4, lw=1.5)
    left.plot(users, p95, color=red, marker="s", ms=4, lw=1.5, ls=(0, (5, 1.5)))
    done = np.array([one.throughput_per_s for one in levels])
    right.plot(users, done * per, color=sheet.look.color(2), marker="^", ms=4.5, lw=1.5)
    if fit:
        _fitted(left, right, fit, levels, (times.factor, per))
    from_zero(left, [*mean, *p95])
    from_zero(right, (done * per).tolist())
    limit_line(left, times.limit(sheet.look.sla_line))
    for axes, text in ((left, f"response time, {times.unit}"), (right, f"requests, {rate}")):
        axes.set_xlim(0, max([*users, 1.0]) * 1.06)
        _knee(axes, capacity.knee)
        numbers(axes, "x", whole=True)
        numbers(axes, "y")
        title(axes, "x", "users")
        title(axes, "y", text)


def latency_distribution(sheet: Sheet, back: Backdrop, overall: LabelNumbers, method: str) -> None:
    """How many requests took how long, over all of the run, on a logarithmic scale; and the share that was done."""
    bins = [one for one in overall.distribution if one.samples]
    total = sum(one.samples for one in bins)
    back.heading(sheet, f"{number(total)} requests of the whole run", f"percentiles: {method}")
    marks = {name: value for name, value in overall.whole.percentiles_ms.items() if value}
    entry = [Entry("share of requests, left", sheet.look.color(0), is_area=True), Entry("done by then, right", BLACK)]
    limit = [Entry(f"limit: {number(sheet.look.sla_line)} ms", INK, _LIMIT)] if sheet.look.sla_line else []
    sheet.key([*entry, Entry("percentiles", sheet.look.color(1), _DOTTED), *limit])
    sheet.notes([" · ".join(f"{name[:-3].upper()} {number(value)} ms" for name, value in marks.items())])
    axes = sheet.axes(right=48, above=18)
    _bars(axes, bins, total, sheet.look.color(0))
    beside = axes.twinx()
    beside.spines["top"].set_visible(False)
    done = np.cumsum([one.samples for one in bins]) / max(total, 1) * 100
    beside.plot([one.to_ms for one in bins], done, color=BLACK, lw=1.3)
    beside.set_ylim(0, 104)
    beside.tick_params(labelsize=7.5)
    title(beside, "y", "done by then, %")
    _log_times(axes, bins)
    _marks(sheet, axes, marks, sheet.look.color(1))
    if sheet.look.sla_line:
        axes.axvline(sheet.look.sla_line, color=INK, ls=_LIMIT, lw=1.1)
    title(axes, "x", "response time, ms, logarithmic")
    title(axes, "y", "share of requests, %")


def _bars(axes: Axes, bins: list[Bin], total: int, color: str) -> None:
    lefts = np.array([max(one.from_ms, 0.5) for one in bins])
    widths = np.array([one.to_ms for one in bins]) - lefts
    share = np.array([one.samples for one in bins]) / max(total, 1) * 100
    axes.bar(lefts, share, np.maximum(widths, 1e-6), align="edge", color=color, alpha=0.75, lw=0)
    from_zero(axes, share.tolist())
    numbers(axes, "y")


def _log_times(axes: Axes, bins: list[Bin]) -> None:
    low = max(min((one.from_ms for one in bins), default=1.0), 0.5)
    high = max(max((one.to_ms for one in bins), default=10.0), low * 1.5)
    axes.set_xscale("log")
    axes.set_xlim(low / 1.1, high * 1.1)
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    nice = _NICE if len(decades) <= 5 else (1,)
    axes.xaxis.set_major_locator(FixedLocator([one * 10.0**decade for decade in decades for one in nice]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(number))


def _marks(sheet: Sheet, axes: Axes, marks: dict[str, float], color: str) -> None:
    """Lines at the percentiles, named above the axes where there is room for the name."""
    low, high = np.log(axes.get_xlim())
    wide = axes.get_position().width * sheet.width
    last = -1e9
    for name, value in sorted(marks.items(), key=lambda item: item[1]):
        axes.axvline(value, color=color, ls=_DOTTED, lw=1.1)
        place = (np.log(value) - low) / (high - low) * wide
        if place - last < 22:
            continue
        last = place
        axes.annotate(
            name[:-3].upper(), (value, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", fontsize=6.5, color=INK, annotation_clip=False,
        )  # fmt: skip


def _in_steady(back: Backdrop, at_s: float) -> bool:
    return any(one.name == "steady" and one.from_s <= at_s < one.to_s for one in back.phases)


def _fitted(left: Axes, right: Axes, fit: ScalabilityFit, levels: list[Level], factors: tuple[float, float]) -> None:
    """X(N) of the law, and the response times that Little's law makes of it: R = N / X(N) - Z."""
    users = np.linspace(0.5, max(one.users for one in levels) * 1.03, _POINTS)
    alpha, beta = fit.alpha or 0.0, fit.beta or 0.0
    per_s = (fit.lambda_per_s or 0.0) * users / (1 + alpha * (users - 1) + beta * users * (users - 1))
    think_s = float(np.median([one.think_time_s for one in levels]))
    with np.errstate(divide="ignore", invalid="ignore"):
        waits = np.maximum((users / per_s - think_s) * 1000, 0.0)
    left.plot(users, waits * factors[0], color=BLACK, ls=_DOTTED, lw=1.4)
    right.plot(users, per_s * factors[1], color=BLACK, ls=_DOTTED, lw=1.4)


def _knee(axes: Axes, knee: Knee | None) -> None:
    if knee and knee.users is not None and knee.verdict in ("plateau", "bend"):
        axes.axvline(knee.users, color=INK, lw=0.9, ls=(0, (4, 2)))
        axes.annotate(
            "knee", (knee.users, 1.0), xycoords=("data", "axes fraction"), xytext=(3, -8), textcoords="offset points",
            fontsize=6.5, color=INK,
        )  # fmt: skip


def _capacity_notes(capacity: Capacity) -> list[str]:
    found = [capacity.reason] if capacity.verdict == "not_evaluable" else []
    found += [f"Knee: {capacity.knee.reason}"] if capacity.knee else []
    if capacity.fit:
        found.append(f"Fit: {capacity.fit.reason}")
        if capacity.fit.verdict == "valid" and capacity.fit.peak_users and capacity.levels:
            most = max(one.users for one in capacity.levels)
            if capacity.fit.peak_users > most * _FURTHEST:
                found.append(f"The curve is not drawn beyond the {number(most)} users that were tried.")
    return found
