"""Slow imports, by family, one at a time.

Two threads that import the same package at once can meet it half made. So every family is imported under one lock:
shortly after the start in a thread, or before the first call if that comes sooner.
"""

import asyncio
import atexit
import gc
import importlib
import threading
from collections.abc import Sequence

from perfsuite.errors import BadInput
from perfsuite.mcp import threads
from perfsuite.mcp.logs import logger

FAMILIES = {
    "samples": ("numpy", "duckdb", "perfsuite.samples.queries"),
    "analysis": ("scipy.optimize", "scipy.stats", "pandas", "drain3.drain"),
    "charts": ("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.font_manager"),
    "reports": ("jinja2.sandbox", "lxml.html", "markdown", "bokeh.plotting", "bokeh.embed.util", "docx"),
}
DELAY_S = 0.3

# What is frozen is not taken down at the end either, and DuckDB would call that a leak, at length.
atexit.register(gc.unfreeze)

one_at_a_time = threading.Lock()
"""Whoever imports in a thread holds this."""
_loaded: set[str] = set()


class WarmUp:
    """The families that a server needs."""

    def __init__(self, families: Sequence[str]) -> None:
        unknown = sorted(set(families) - set(FAMILIES))
        if unknown:
            raise BadInput(
                f"Unknown families of imports: {unknown!r}.", next_step=f"Take some of {sorted(FAMILIES)!r}."
            )
        self.families = tuple(families)

    def schedule(self) -> None:
        """Begin a little later, when the client has got its first answers."""
        if not self._is_done():
            asyncio.get_running_loop().call_later(DELAY_S, lambda: threads.start(self._load, name="warm-up"))

    async def finish(self) -> None:
        """Return when everything is imported."""
        if not self._is_done():
            await threads.in_thread(self._load, name="warm-up")

    def _is_done(self) -> bool:
        return _loaded.issuperset(self.families)

    def _load(self) -> None:
        for family in self.families:
            with one_at_a_time:
                if family not in _loaded:
                    _import(family)
                    _loaded.add(family)
                    # It stays for good: to look through all of it for garbage, again and again, would stop the server
                    # for a tenth of a second.
                    gc.freeze()


def _import(family: str) -> None:
    try:
        for module in FAMILIES[family]:
            importlib.import_module(module)
    except ImportError:
        # The tool that needs it will say so to whoever calls it.
        logger.exception("The imports of %r failed.", family)
