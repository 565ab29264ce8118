"""Long work on a run: how far it is, and how it is stopped."""

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from perfsuite import samples
from perfsuite.artifacts import RunFolder
from perfsuite.errors import Cancelled
from perfsuite.mcp.jobs import JobContext

if TYPE_CHECKING:
    from perfsuite.samples.engine import Engine
    from perfsuite.samples.queries import Samples


class Work:
    """What an analysis tells of itself while it goes on. Cancelling stops the question that runs, or the next step."""

    def __init__(self, job: JobContext | None = None) -> None:
        self._job = job or JobContext()
        self._engine: Engine | None = None
        self._job.on_cancel(self._interrupt)

    def step(self, what: str, share: float) -> None:
        """Say what comes next, and which share of the whole is done; ends the work where it is not wanted any more."""
        if self._job.cancelled:
            raise Cancelled("The work was cancelled.", next_step="Call the tool again to start anew.")
        self._job.progress(share, 1.0, what)

    def open(self, run: RunFolder) -> "Samples":
        """The samples of a run, with questions that can be interrupted."""
        return replace(samples.open(run), watch=self._watch)

    def _watch(self, engine: "Engine") -> None:
        self._engine = engine

    def _interrupt(self) -> None:
        import duckdb

        if self._engine is not None:
            # The question may have ended, and its connection with it.
            with suppress(duckdb.Error):
                self._engine.interrupt()
