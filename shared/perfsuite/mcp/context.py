"""What a tool gets besides its arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Resolve

from perfsuite.mcp.jobs import JobReport, Jobs, Report, Work
from perfsuite.settings import SuiteSettings

if TYPE_CHECKING:
    from perfsuite.artifacts import RunStore

T = TypeVar("T")


class Suite:
    """What all calls share, for as long as the server runs.

    Settings are read when they are first needed: a wrong one must be the error of a call, which an agent sees, and not
    a server that does not start, which nobody understands.
    """

    def __init__(self, jobs: Jobs, environ: Mapping[str, str] | None = None) -> None:
        self.jobs = jobs
        self._environ = environ

    @cached_property
    def settings(self) -> SuiteSettings:
        return SuiteSettings.load(self._environ)

    @cached_property
    def runs(self) -> "RunStore":
        from perfsuite.artifacts import RunStore

        return RunStore(self.settings.artifacts_dir)


@dataclass(frozen=True)
class CallContext:
    """What one call sees."""

    suite: Suite
    report: Report

    @property
    def settings(self) -> SuiteSettings:
        return self.suite.settings

    @property
    def runs(self) -> "RunStore":
        return self.suite.runs

    async def job(
        self, run_id: str, tool: str, work: Work[T], *, arguments: Mapping[str, Any], wait_s: float
    ) -> JobReport[T]:
        """Start or join long work, wait for it so long, and tell the caller meanwhile how far it is."""
        return await self.suite.jobs.run(
            run_id, tool, work, arguments=arguments, wait_s=wait_s, report=self.report
        )  # fmt: skip

    def joins(self, run_id: str, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether `job` would join work that goes on already: the user was asked before it began."""
        return self.suite.jobs.joins(run_id, tool, arguments)


async def _call_context(ctx: Context[Suite]) -> CallContext:
    return CallContext(ctx.request_context.lifespan_context, ctx.report_progress)


AppContext = Annotated[CallContext, Resolve(_call_context)]
