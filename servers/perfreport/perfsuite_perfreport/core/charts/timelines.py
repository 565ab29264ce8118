"""Charts over time, from the course of a run: throughput, percentiles, users, errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from perfsuite.artifacts.analyses import OverTime, TimeBucket
from perfsuite_perfreport.core.charts.backdrop import ABOVE, Backdrop, blocks, empty, from_zero, limit_line
from perfsuite_perfreport.core.charts.looks import BLACK, GREY, INK, Look
from perfsuite_perfreport.core.charts.sheet import Entry, Sheet, number, numbers, title
from perfsuite_perfreport.core.charts.units import Times, rate_of, times_of

Floats = NDArray[np.float64]

RIGHT: Final = 48.0
_MOST_CODES: Final = 6
_USERS: Final = Entry("users", GREY, (0, (4, 1.5)))
_LIMIT: Final = (0, (7, 2, 1.5, 2))


@dataclass(frozen=True)
class CodesOverTime:
    """Failed samples by response code and bucket, the most frequent code first."""

    bucket_s: float
    buckets: int
    counts: dict[str, Floats]
    """By code and reason, as shown."""
    completed: Floats


def throughput_users(sheet: Sheet, back: Backdrop, over: OverTime) -> None:
    """Completed requests and errors by time, and the users that made them."""
    factor, unit = rate_of(sheet.look.unit)
    over = _whole(over)
    at_s, seconds = _middles(over)
    done = _column(over, "completed") / seconds * factor
    failed = _column(over, "errors") / seconds * factor
    blue, red = sheet.look.color(0), sheet.look.color(1)
    back.heading(sheet, f"each point is {_width(over)}")
    users = _users(over)
    has_users = bool(np.isfinite(users).any())
    sheet.key([Entry("completed", blue), Entry("failed", red, sheet.look.dash(1)), *([_USERS] if has_users else [])])
    sheet.notes(back.notes(*([] if has_users else [_NO_USERS])))
    axes = sheet.axes(right=RIGHT if has_users else 20, above=ABOVE)
    axes.fill_between(at_s, done, color=blue, alpha=0.12, lw=0)
    axes.plot(at_s, done, color=blue, lw=1.6)
    axes.plot(at_s, failed, color=red, lw=1.4, ls=sheet.look.dash(1))
    from_zero(axes, [*done, *failed])
    numbers(axes, "y")
    title(axes, "y", f"requests, {unit}")
    if has_users:
        users_axis(axes, at_s, users)
    back.under(sheet, axes)


_NO_USERS: Final = "The results do not say how many users there were."


def percentiles_over_time(sheet: Sheet, back: Backdrop, over: OverTime, method: str) -> None:
    """Percentiles of all requests by time."""
    times = times_of(sheet.look.unit)
    at_s, _ = _middles(over)
    names = over.buckets[0].percentiles_ms if over.buckets else {}
    every = {name: times.of(_percentile(over, name)) for name in names}
    lines = {name: values for name, values in every.items() if np.isfinite(values).any()}
    withheld = [_shown(name) for name in every if name not in lines]
    back.heading(sheet, f"each point is {_width(over)}, percentiles: {method}")
    entries = [Entry(_shown(name), sheet.look.color(i), sheet.look.dash(i)) for i, name in enumerate(lines)]
    sheet.key([*entries, *_limit_entry(sheet.look, times)])
    told = [f"There are too few samples in {_width(over)} for {' and '.join(withheld)}."] if withheld and lines else []
    sheet.notes(back.notes(*told))
    axes = sheet.axes(above=ABOVE, right=20)
    for i, line in enumerate(lines.values()):
        axes.plot(at_s, line, color=sheet.look.color(i), ls=sheet.look.dash(i), lw=1.6)
    values = np.concatenate([*lines.values()]) if lines else np.zeros(0)
    from_zero(axes, values.tolist())
    if not np.isfinite(values).any():
        empty(axes, "There are too few samples for percentiles over time.")
    limit_line(axes, times.limit(sheet.look.sla_line))
    _time_axis(axes, times)
    back.under(sheet, axes)


def p90_users(sheet: Sheet, back: Backdrop, over: OverTime, method: str) -> None:
    """The 90th percentile by time, with the users."""
    times = times_of(sheet.look.unit)
    at_s, _ = _middles(over)
    p90, users = times.of(_percentile(over, "p90_ms")), _users(over)
    has_users = bool(np.isfinite(users).any())
    blue = sheet.look.color(0)
    back.heading(sheet, f"each point is {_width(over)}, percentiles: {method}")
    sheet.key([Entry("P90", blue), *([_USERS] if has_users else []), *_limit_entry(sheet.look, times)])
    sheet.notes(back.notes(*([] if has_users else [_NO_USERS])))
    axes = sheet.axes(right=RIGHT if has_users else 20, above=ABOVE)
    axes.plot(at_s, p90, color=blue, lw=1.8)
    if not np.isfinite(p90).any():
        empty(axes, "There are too few samples for a 90th percentile over time.")
    from_zero(axes, p90.tolist())
    limit_line(axes, times.limit(sheet.look.sla_line))
    _time_axis(axes, times, "P90 of response times")
    if has_users:
        users_axis(axes, at_s, users)
    back.under(sheet, axes)


def errors_by_code(sheet: Sheet, back: Backdrop, codes: CodesOverTime) -> None:
    """Failures by code and time as a rate, and their share of all requests."""
    edges = np.arange(codes.buckets + 1) * codes.bucket_s
    widths = np.minimum(codes.bucket_s, np.maximum(back.clock.span_s - edges[:-1], 1e-3))
    shown = _folded(codes.counts)
    back.heading(sheet, f"each bar is {codes.bucket_s:g} s", _total_errors(codes))
    folded = len(codes.counts) > len(shown)
    colors = [GREY if folded and i == len(shown) - 1 else sheet.look.color(i) for i in range(len(shown))]
    entries = [Entry(code, color, is_area=True) for code, color in zip(shown, colors, strict=True)]
    sheet.key([*entries, *([Entry("share of requests that failed", BLACK)] if shown else [])])
    sheet.notes(back.notes())
    axes = sheet.axes(right=RIGHT, above=ABOVE)
    below = np.zeros(codes.buckets)
    for i, counts in enumerate(shown.values()):
        rate = counts / widths
        blocks(axes, edges[:-1], below, widths, rate, colors[i])
        below = below + rate
    from_zero(axes, below.tolist())
    numbers(axes, "y")
    title(axes, "y", "failed requests per second")
    if shown:
        _share(axes, edges[:-1] + widths / 2, codes)
    else:
        empty(axes, f"No request failed: {number(float(codes.completed.sum()))} of them were completed.")
    back.under(sheet, axes)


def users_axis(axes: Axes, at_s: Floats, users: Floats) -> None:
    """Users as steps, on an axis at the right."""
    beside = _beside(axes)
    beside.step(at_s, users, where="mid", color=_USERS.color, ls=_USERS.dash, lw=1.3)
    from_zero(beside, users.tolist(), 1.0)
    numbers(beside, "y", whole=True)
    title(beside, "y", "users")


def users_of(over: OverTime) -> tuple[Floats, Floats]:
    """Moments and users."""
    return _middles(over)[0], _users(over)


def users_entry() -> Entry:
    return _USERS


def _share(axes: Axes, at_s: Floats, codes: CodesOverTime) -> None:
    failed = np.sum([*codes.counts.values()], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(codes.completed > 0, failed / codes.completed * 100, np.nan)
    beside = _beside(axes, above=True)
    whole = at_s[-1] - at_s[-2] > codes.bucket_s * 2 / 3 if len(at_s) > 1 else True
    drawn = slice(None) if whole else slice(-1)
    beside.plot(at_s[drawn], share[drawn], color=BLACK, lw=1.2)
    from_zero(beside, share.tolist())
    numbers(beside, "y")
    title(beside, "y", "failed requests, %")


def _beside(axes: Axes, *, above: bool = False) -> Axes:
    """Axes with a scale at the right, whose lines lie above or below those of the others."""
    beside = axes.twinx()
    beside.spines["top"].set_visible(False)
    for side in ("left", "right", "bottom"):
        beside.spines[side].set_visible(side == "right")
    beside.tick_params(labelsize=7.5, colors=INK, left=False, right=False)
    beside.patch.set_visible(False)
    axes.patch.set_visible(False)
    axes.set_zorder(beside.get_zorder() + (-1 if above else 1))
    return beside


def _folded(counts: dict[str, Floats]) -> dict[str, Floats]:
    """The most frequent codes, and all others as one."""
    if len(counts) <= _MOST_CODES:
        return counts
    names = list(counts)
    rest = names[_MOST_CODES - 1 :]
    return {
        **{name: counts[name] for name in names[: _MOST_CODES - 1]},
        f"{len(rest)} other codes": np.sum([counts[name] for name in rest], axis=0),
    }


def _total_errors(codes: CodesOverTime) -> str:
    failed = float(sum(counts.sum() for counts in codes.counts.values()))
    done = float(codes.completed.sum())
    return f"{number(failed)} of {number(done)} failed" + (f" ({failed / done:.2%})" if done else "")


def _limit_entry(look: Look, times: Times) -> list[Entry]:
    if look.sla_line is None:
        return []
    return [Entry(f"limit: {number(times.factor * look.sla_line)} {times.unit}", INK, _LIMIT)]


def _time_axis(axes: Axes, times: Times, what: str = "response time") -> None:
    numbers(axes, "y")
    title(axes, "y", f"{what}, {times.unit}")


def _whole(over: OverTime) -> OverTime:
    """Without a last bucket that is a fragment: the rates of a second look like a fall."""
    *others, last = over.buckets
    return over.model_copy(update={"buckets": tuple(others)}) if others and last.seconds < over.bucket_s / 3 else over


def _middles(over: OverTime) -> tuple[Floats, Floats]:
    from_s = np.array([one.from_s for one in over.buckets])
    seconds = np.maximum(np.array([one.seconds for one in over.buckets]), 1e-3)
    return from_s + seconds / 2, seconds


def _column(over: OverTime, name: str) -> Floats:
    return np.array([getattr(one, name) for one in over.buckets], dtype=float)


def _users(over: OverTime) -> Floats:
    return np.array([np.nan if one.users is None else one.users for one in over.buckets], dtype=float)


def _percentile(over: OverTime, name: str) -> Floats:
    return np.array([_known(one, name) for one in over.buckets], dtype=float)


def _known(bucket: TimeBucket, name: str) -> float:
    value = bucket.percentiles_ms.get(name)
    return np.nan if value is None else value


def _shown(percentile: str) -> str:
    return percentile.removesuffix("_ms").upper()


def _width(over: OverTime) -> str:
    return f"{over.bucket_s:g} s"


def bucket_column(buckets: Sequence[TimeBucket], name: str) -> Floats:
    """A percentile of every bucket; not a number where nothing ended."""
    return np.array([_known(one, name) for one in buckets], dtype=float)


def percentile_line(over: OverTime, name: str) -> tuple[Floats, Floats]:
    """Moments, and a percentile in milliseconds."""
    return _middles(over)[0], _percentile(over, name)


def throughput_line(over: OverTime) -> tuple[Floats, Floats]:
    """Moments, and completed requests per second."""
    over = _whole(over)
    at_s, seconds = _middles(over)
    return at_s, _column(over, "completed") / seconds
