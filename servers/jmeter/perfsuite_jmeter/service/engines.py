"""What `check_jmeter_engine` does."""

import asyncio
from functools import partial
from typing import Final

from perfsuite.mcp.jobs import Report
from perfsuite.mcp.threads import in_thread
from perfsuite_jmeter.client.engines.discovery import NEXT_STEP, Survey, look_at_javas, survey
from perfsuite_jmeter.models.engine import EngineReport
from perfsuite_jmeter.settings import JMeterSettings

_TOLD_EVERY_S: Final = 0.2
_GROOVY_STEP: Final = (
    "Plans with JSR223 elements or __groovy need another Java: set JAVA_HOME to one of version 8 to 17, "
    "then call `check_jmeter_engine`."
)


class Seen:
    """How far a thread is, for a loop that looks now and then."""

    def __init__(self, report: Report | None) -> None:
        self._report = report
        self._news: tuple[float, str] | None = None
        self._told = -1.0

    def __call__(self, what: str, share: float) -> None:
        self._news = share, what

    async def tell(self) -> None:
        """Pass on what is new."""
        if self._report is not None and self._news is not None and self._news[0] > self._told:
            self._told, what = self._news
            await self._report(self._told, 1.0, what)


async def check_engine(
    settings: JMeterSettings, *, refresh: bool = False, report: Report | None = None
) -> EngineReport:
    """Look for a JMeter that works, telling meanwhile how far that is."""
    seen = Seen(report)
    look = partial(_looked, settings, refresh=refresh, seen=seen)
    work = asyncio.ensure_future(in_thread(look, name="check_jmeter_engine"))
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=_TOLD_EVERY_S)
            await seen.tell()
        return await work
    finally:
        work.cancel()


def _looked(settings: JMeterSettings, *, refresh: bool, seen: Seen) -> EngineReport:
    found = survey(settings, refresh=refresh, progress=seen)
    return EngineReport(
        used=found.engine,
        candidates=list(found.candidates),
        javas=look_at_javas(settings),
        notes=_notes(found, settings),
        next_step=_next_step(found),
    )


def _notes(found: Survey, settings: JMeterSettings) -> list[str]:
    notes = ["Looked for in this order: JMETER_HOME, `jmeter` on PATH, the extra `perfsuite[jmeter]`."]
    if found.engine is None:
        return notes
    notes.append(f"JMeter gets {settings.heap} of memory; PERFSUITE_JMETER_HEAP changes that.")
    if settings.jmeter_home is not None and found.engine.source != "JMETER_HOME":
        notes.append(f"JMETER_HOME is set, but what it names is not used. {found.engine.passed_over[0]}.")
    if found.engine.groovy_problem:
        notes.append(f"{found.engine.groovy_problem}. Users that meet a script end without a sample.")
    return notes


def _next_step(found: Survey) -> str:
    if found.engine is None:
        return NEXT_STEP
    if found.engine.groovy_problem:
        return _GROOVY_STEP
    if found.engine.passed_over:
        return "If another JMeter was meant, correct what is said about it, then call `check_jmeter_engine`."
    return "Nothing is missing. `validate_test_plan` checks a plan."
