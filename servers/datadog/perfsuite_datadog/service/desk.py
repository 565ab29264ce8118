"""What a collection works with: Datadog, the environment, the run, the window, and a place to note what was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.errors import BadInput, RemoteError, Unreachable
from perfsuite.http import HttpSettings, within
from perfsuite.mcp.context import CallContext
from perfsuite.mcp.jobs import JobContext, JobReport
from perfsuite.settings import SuiteSettings
from perfsuite.workflow.ledger import Ledger, RunningStep
from perfsuite_datadog.client.api import Datadog
from perfsuite_datadog.client.metrics import api_key_is_valid
from perfsuite_datadog.core.catalog import FORMULAS
from perfsuite_datadog.core.windows import Asked, Span, needs_clock, resolve
from perfsuite_datadog.models.collection import COLLECTION, Collection, QueryRecord
from perfsuite_datadog.models.environments import Environment
from perfsuite_datadog.models.requests import CollectRequest
from perfsuite_datadog.service.configured import find_environment
from perfsuite_datadog.settings import DatadogSettings

R = TypeVar("R", bound=CollectRequest)
T = TypeVar("T")
_SKEWED: Final = (
    "`now` and whole buckets go by Datadog's. Samples that were timed here are that far off its metrics: set this "
    "clock right before you rely on what moves together."
)


@dataclass(frozen=True)
class Desk:
    """The collaborators of one call. `unreachable` keeps it from waiting for a network that is down, query by query."""

    datadog: Datadog
    settings: SuiteSettings
    runs: RunStore
    clock: Callable[[], datetime]
    progress: Callable[[float, float | None, str | None], None]
    unreachable: list[Unreachable] = field(default_factory=list)

    def now(self) -> datetime:
        """What time it is at Datadog, as far as it has told."""
        return self.clock() + timedelta(seconds=self.datadog.clock.ahead_s)

    def past(self) -> datetime:
        """Until when everything is over at Datadog for certain."""
        return self.clock() + timedelta(seconds=self.datadog.clock.least_s)

    def skew(self) -> list[str]:
        """What to know where the clock of Datadog and the one here differ."""
        told = self.datadog.clock.told("Datadog")
        return [f"{told} {_SKEWED}"] if told else []


@dataclass(frozen=True)
class Order:
    """What is to be collected, resolved: the environment, the window in UTC, and the run that gets the files."""

    name: str
    environment: Environment
    environment_file: Path
    window: Span
    run: RunFolder | None


async def collecting(
    ctx: CallContext, tool: str, request: R, work: Callable[[Desk, R], Awaitable[T]], *, wait_s: float
) -> JobReport[T]:
    """Do this work as a job of the run, or of the environment where no run is named."""

    async def at_desk(job: JobContext) -> T:
        async with opened(ctx, job) as desk:
            return await work(desk, request)

    key = request.run_id or request.environment or "now"
    return await ctx.job(key, tool, at_desk, arguments=request.model_dump(), wait_s=wait_s)


async def at_once(ctx: CallContext, work: Callable[[Desk], Awaitable[T]]) -> T:
    """Do work that takes a moment, without a job, for no longer than clients wait."""
    with within(HttpSettings.load().call_deadline_s):
        async with opened(ctx, JobContext()) as desk:
            return await work(desk)


@asynccontextmanager
async def opened(ctx: CallContext, job: JobContext) -> AsyncIterator[Desk]:
    """A desk, for as long as the block lasts."""
    async with Datadog(DatadogSettings.load(), HttpSettings.load()) as datadog:
        yield Desk(datadog, ctx.settings, ctx.runs, lambda: datetime.now(UTC), job.progress)


async def order(desk: Desk, request: CollectRequest) -> Order:
    """Resolve what was asked: what is given counts, and a run fills in the rest."""
    run = desk.runs.open(request.run_id) if request.run_id else None
    found = find_environment(desk.settings, environment_name(run, request.environment))
    load = run.record().window if run else None
    asked = Asked(
        start=request.from_time,
        end=request.to_time,
        run=(load.first_sample_at, load.last_sample_at) if load else None,
        run_id=run.run_id if run else None,
    )
    if needs_clock(asked, desk.clock()):
        await _look_at_clock(desk)
    return Order(found.name, found.environment, found.path, resolve(asked, desk.now()), run)


async def _look_at_clock(desk: Desk) -> None:
    """Have Datadog tell the time. Where it does not, ours counts, and the questions that follow say what is wrong."""
    try:
        await api_key_is_valid(desk.datadog)
    except Unreachable as error:
        desk.unreachable.append(error)
    except RemoteError:
        return


def environment_name(run: RunFolder | None, asked: str) -> str:
    """The environment that is meant: the one given, else the one that the run was made for."""
    name = asked or (run.record().request.environment if run else None)
    if name is None:
        raise BadInput(
            "No environment is named" + (f", and run {run.run_id!r} names none." if run else "."),
            next_step="Call `load_environment` with `run_id` and `environment`, as environments.yaml names it.",
        )
    return name


def recording(task: Order, step: str, tool: str, part: str) -> AbstractContextManager[RunningStep | None]:
    """Record a step of the run while the block runs; nothing where there is no run."""
    if task.run is None:
        return nullcontext()
    return Ledger(task.run).step("datadog", step, tool=tool, part=part, inputs=[task.environment_file])


def note_queries(step: RunningStep | None, queries: Sequence[QueryRecord]) -> None:
    """Write these queries into collection.json, in place of what the same parts noted earlier."""
    if step is None or not queries:
        return
    run = step.folder
    parts = {_part(one) for one in queries}
    with run.lock():
        kept = [one for one in noted_queries(run) if _part(one) not in parts]
        ordered = sorted([*kept, *queries], key=_part)
        step.produced(run.save(COLLECTION, Collection(queries=tuple(ordered), formulas=FORMULAS)))


def noted_queries(run: RunFolder) -> tuple[QueryRecord, ...]:
    """What collection.json says, if it is there."""
    return run.load(COLLECTION).queries if run.path(COLLECTION).is_file() else ()


def next_collection(task: Order, done: str) -> str:
    """What to call after this."""
    if task.run is None:
        return "Give `run_id` to have all values written into a run."
    others = {
        "get_host_metrics": bool(task.environment.hosts),
        "get_kubernetes_metrics": bool(task.environment.kubernetes.services or task.environment.kubernetes.pods),
        "get_logs": True,
    }
    made = {done, *(one.tool for one in task.run.record().ledger if (one.stage, one.state) == ("datadog", "done"))}
    names = [f"`{tool}`" for tool, wanted in others.items() if wanted and tool not in made]
    if not names:
        return f"Call `analyze_test_results` for run {task.run.run_id!r}."
    return f"Call {' and '.join(names)} for run {task.run.run_id!r} too, then analyse it."


def _part(one: QueryRecord) -> tuple[str, str, str]:
    return one.tool, one.environment, one.part
