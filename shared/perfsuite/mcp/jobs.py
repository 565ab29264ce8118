"""Work that outlives the call which started it.

Hosts cut a call off after about a minute. So a long tool waits a while and then says how far it is; the same call again
joins the same job, which is known by its run and its tool, and waits on. Whoever asks next is told the result, or the
error, once; after that the same call starts anew.
"""

import inspect
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

import anyio
from anyio.abc import TaskGroup
from pydantic import BaseModel, ConfigDict, Field

from perfsuite.errors import Cancelled, Conflict, LimitExceeded, NotFound
from perfsuite.mcp.logs import logger
from perfsuite.mcp.threads import in_thread

LONGEST_WAIT_S = 45
MOST_RUNNING = 8
MOST_FINISHED = 32
_TOLD_EVERY_S = 0.2
_TO_STOP_S = 5.0
_GRACE_S = 2.0

T = TypeVar("T")
Report = Callable[[float, float | None, str | None], Awaitable[None]]
Work = Callable[["JobContext"], T] | Callable[["JobContext"], Awaitable[T]]

WaitSeconds = Annotated[
    float,
    Field(
        ge=0,
        le=LONGEST_WAIT_S,
        description="Seconds to wait; the same call again waits on.",
    ),
]


def _unless_none() -> Any:
    """A field that answers leave out where there is nothing to say."""
    return Field(default=None, exclude_if=lambda value: value is None)


class JobReport(BaseModel, Generic[T]):
    """The result of long work, or how far it is."""

    model_config = ConfigDict(frozen=True)

    state: Literal["working", "done"]
    result: T | None = Field(default=None, description="null while working")
    elapsed_s: float
    done: float | None = _unless_none()
    total: float | None = _unless_none()
    message: str | None = _unless_none()
    next_step: str | None = _unless_none()


class CancelReport(BaseModel):
    """What came of an attempt to stop a job."""

    model_config = ConfigDict(frozen=True)

    state: Literal["cancelled", "stopping", "finished"]
    next_step: str


class JobContext:
    """What the work of a job sees of the world: whether to stop, and whom to tell how far it is."""

    def __init__(self) -> None:
        self.done: float | None = None
        self.total: float | None = None
        self.message: str | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], object]] = []

    @property
    def cancelled(self) -> bool:
        """Whether the work should end now."""
        return self._stop.is_set()

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Say how far the work is. What is less than before is not passed on."""
        if self.done is None or done > self.done:
            self.done, self.total, self.message = done, total, message

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Have this called when the work should end, for instance to interrupt a query."""
        with self._lock:
            if not self._stop.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def cancel(self) -> None:
        """Ask the work to end."""
        with self._lock:
            already = self._stop.is_set()
            self._stop.set()
        for callback in () if already else self._callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001 - one callback that fails must not keep the others from being called
                logger.exception("A callback failed while a job was being cancelled.")


@dataclass(eq=False)
class _Job:
    run_id: str
    tool: str
    arguments: Mapping[str, Any]
    is_async: bool
    context: JobContext = field(default_factory=JobContext)
    # Shielded: when the server is told to stop, its jobs are first asked to.
    scope: anyio.CancelScope = field(default_factory=partial(anyio.CancelScope, shield=True))
    finished: anyio.Event = field(default_factory=anyio.Event)
    started_at: float = field(default_factory=anyio.current_time)
    result: Any = None
    error: Exception | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.run_id, self.tool

    def cancel(self) -> None:
        self.context.cancel()
        if self.is_async:
            self.scope.cancel()

    async def do(self, work: Callable[[JobContext], Any]) -> None:
        """Do the work and keep what came of it. Nothing is raised: that would end the server."""
        try:
            with self.scope:
                self.result = await self._outcome(work)
            if self.scope.cancelled_caught:
                self.error = self._cancelled()
        except Exception as error:  # noqa: BLE001 - it is raised again for whoever asks next
            self.error = self._cancelled() if self.context.cancelled else error
        finally:
            self.finished.set()

    async def _outcome(self, work: Callable[[JobContext], Any]) -> Any:
        if self.is_async:
            return await work(self.context)
        return await in_thread(partial(work, self.context), name=f"{self.tool} {self.run_id}")

    def _cancelled(self) -> Cancelled:
        return Cancelled(
            f"`{self.tool}` for run {self.run_id!r} was cancelled before it was done.",
            next_step=f"Call `{self.tool}` again to start anew.",
        )

    def report(self) -> JobReport[Any]:
        elapsed = round(anyio.current_time() - self.started_at, 1)
        if self.finished.is_set():
            return JobReport(state="done", result=self.result, elapsed_s=elapsed)
        seen = self.context
        return JobReport(
            state="working",
            elapsed_s=elapsed,
            done=seen.done,
            total=seen.total,
            message=seen.message,
            next_step=f"Call `{self.tool}` again with the same arguments to wait on; `cancel_job` stops it.",
        )


class Jobs:
    """The jobs of one server. Made by `Jobs.opened`, which stops them all at the end."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._jobs: dict[tuple[str, str], _Job] = {}

    @classmethod
    @asynccontextmanager
    async def opened(cls, *, grace_s: float = _GRACE_S) -> AsyncIterator["Jobs"]:
        """Keep jobs while the block lasts. Work that has not ended `grace_s` after it is left behind."""
        async with anyio.create_task_group() as tasks:
            jobs = cls(tasks)
            try:
                yield jobs
            finally:
                with anyio.CancelScope(shield=True):
                    await jobs._stop_all(grace_s)

    async def run(
        self, run_id: str, tool: str, work: Work[T], *, arguments: Mapping[str, Any], wait_s: float,
        report: Report | None = None,
    ) -> JobReport[T]:  # fmt: skip
        """Start this work, or join it when it runs already, and wait for it so long.

        A plain function works in a thread and should look at `cancelled`; an async one is cancelled where it waits.
        `arguments` tell one piece of work from another: all but `wait_s`.
        """
        job = self._joined(run_id, tool, arguments) or self._started(run_id, tool, work, arguments)
        await self._wait(job, wait_s, report)
        if job.finished.is_set():
            self._forget(job)
            if job.error is not None:
                raise job.error
        return cast("JobReport[T]", job.report())

    def joins(self, run_id: str, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether `run` would join this work rather than start it."""
        job = self._jobs.get((run_id, tool))
        return job is not None and job.arguments == arguments

    async def cancel(self, run_id: str, tool: str, *, wait_s: float = _TO_STOP_S) -> CancelReport:
        """Ask a job to stop, and say whether it did."""
        job = self._jobs.get((run_id, tool))
        if job is None:
            raise self._nothing_to_cancel(run_id, tool)
        job.cancel()
        with anyio.move_on_after(wait_s):
            await job.finished.wait()
        if not job.finished.is_set():
            return CancelReport(state="stopping", next_step=f"It stops soon. Call `{tool}` then to start anew.")
        if job.error is None:
            return CancelReport(state="finished", next_step=f"Too late. Call `{tool}` for the result.")
        self._forget(job)
        return CancelReport(state="cancelled", next_step=f"Call `{tool}` to start anew.")

    def _joined(self, run_id: str, tool: str, arguments: Mapping[str, Any]) -> _Job | None:
        job = self._jobs.get((run_id, tool))
        if job is None or job.arguments == arguments:
            return job
        if job.finished.is_set():
            return None
        names = {*job.arguments, *arguments}
        differ = sorted(name for name in names if job.arguments.get(name) != arguments.get(name))
        raise Conflict(
            f"`{tool}` is running for run {run_id!r} already, with other values of {', '.join(differ)}.",
            next_step="Call it as before to join it, or stop it by `cancel_job` first.",
        )

    def _started(self, run_id: str, tool: str, work: Work[T], arguments: Mapping[str, Any]) -> _Job:
        running = [job for job in self._jobs.values() if not job.finished.is_set()]
        if len(running) >= MOST_RUNNING:
            names = ", ".join(f"`{job.tool}` for {job.run_id!r}" for job in running)
            raise LimitExceeded(
                f"{len(running)} jobs are running already: {names}.",
                next_step="Wait for one of them, or stop one by `cancel_job`.",
            )
        job = _Job(run_id, tool, dict(arguments), inspect.iscoroutinefunction(work))
        self._jobs.pop(job.key, None)
        self._jobs[job.key] = job
        self._drop_oldest()
        self._tasks.start_soon(job.do, work)
        return job

    def _drop_oldest(self) -> None:
        finished = [job for job in self._jobs.values() if job.finished.is_set()]
        for job in finished[: max(0, len(finished) - MOST_FINISHED)]:
            self._forget(job)

    def _forget(self, job: _Job) -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]

    def _nothing_to_cancel(self, run_id: str, tool: str) -> NotFound:
        what = f"No job of `{tool}` runs for run {run_id!r}"
        known = ", ".join(
            f"`{job.tool}` for {job.run_id!r}" for job in self._jobs.values() if not job.finished.is_set()
        )
        if not known:
            return NotFound(f"{what}, and no other either.", next_step="There is nothing to stop.")
        return NotFound(
            f"{what}; running are: {known}.", next_step="Name one of those; there is nothing to stop otherwise."
        )

    async def _wait(self, job: _Job, wait_s: float, report: Report | None) -> None:
        told: float | None = None
        deadline = anyio.current_time() + wait_s
        while not job.finished.is_set() and (left := deadline - anyio.current_time()) > 0:
            with anyio.move_on_after(min(left, _TOLD_EVERY_S)):
                await job.finished.wait()
            now = job.context.done
            if report is not None and now is not None and (told is None or now > told):
                told = now
                await report(now, job.context.total, job.context.message)

    async def _stop_all(self, grace_s: float) -> None:
        running = [job for job in self._jobs.values() if not job.finished.is_set()]
        for job in running:
            job.cancel()
        with anyio.move_on_after(grace_s):
            for job in running:
                await job.finished.wait()
        for job in running:
            job.scope.cancel()
