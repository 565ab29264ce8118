"""The chart of the machine that made the load."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from perfsuite.artifacts.analyses import GeneratorHealth
from perfsuite_perfreport.core.charts.backdrop import ABOVE, Backdrop, from_zero, limit_line
from perfsuite_perfreport.core.charts.looks import INK
from perfsuite_perfreport.core.charts.sheet import Entry, Sheet, numbers, title

Floats = NDArray[np.float64]

BUSY_PCT: Final = 80.0
"""As the analysis judges it."""
_SHARES: Final = {
    "machine_cpu_pct": "processors of the machine", "java_cpu_pct": "of it, JMeter", "gc_pct": "garbage collection",
}  # fmt: skip
_SIZES: Final = {"rss_mb": "memory of the process", "heap_used_mb": "heap in use"}
MEASURES: Final = (*_SHARES, *_SIZES)


@dataclass(frozen=True)
class GeneratorReadings:
    """What its supervisor noted. What is not a number was not noted."""

    at_s: Floats
    values: dict[str, Floats]


def generator_health(sheet: Sheet, back: Backdrop, found: GeneratorReadings, health: GeneratorHealth | None) -> None:
    """Its processors and garbage collections above, its memory beneath."""
    look = sheet.look
    shares = {name: text for name, text in _SHARES.items() if name in found.values}
    sizes = {name: text for name, text in _SIZES.items() if name in found.values}
    back.heading(sheet, f"verdict: {health.verdict}" if health else "not judged yet")
    named = [*shares.values(), *sizes.values()]
    sheet.key(
        [*(Entry(text, look.color(i), look.dash(i)) for i, text in enumerate(named)),
         Entry(f"saturated from {BUSY_PCT:g} % on", INK, (0, (7, 2, 1.5, 2)))]
    )  # fmt: skip
    sheet.notes(back.notes(*([health.reason] if health else [])))
    upper = sheet.axes(right=20, above=ABOVE, to_y=0.62 if sizes else 1.0)
    for i, name in enumerate(shares):
        upper.plot(found.at_s, found.values[name], color=look.color(i), ls=look.dash(i), lw=1.5)
    upper.set_ylim(0, 104)
    limit_line(upper, BUSY_PCT)
    numbers(upper, "y")
    title(upper, "y", "share, %")
    back.under(sheet, upper)
    if sizes:
        upper.set_xlabel("")
        upper.tick_params(labelbottom=False)
        _sizes(sheet, back, found, {name: len(shares) + i for i, name in enumerate(sizes)})


def _sizes(sheet: Sheet, back: Backdrop, found: GeneratorReadings, places: dict[str, int]) -> None:
    lower = sheet.axes(right=20, above=ABOVE, from_y=0.7)
    for name, i in places.items():
        lower.plot(found.at_s, found.values[name], color=sheet.look.color(i), ls=sheet.look.dash(i), lw=1.5)
    from_zero(lower, np.concatenate([found.values[name] for name in places]).tolist(), 1.0)
    numbers(lower, "y", 3)
    title(lower, "y", "memory, MB")
    Backdrop(back.run_id, back.clock).under(sheet, lower)
