"""A load test that is started, watched, stopped and collected by the tools of the jmeter server.

The test is the server's and outlives this process: Ctrl-C asks for its gentle end, a second one only ends the watch.
"""

import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup

from perfsuite.cli import exits
from perfsuite.cli.jmeter_views import Facts, View, findings, violations
from perfsuite.cli.session import Consent, Server
from perfsuite.errors import BadFile, PerfsuiteError, Refused

_GOING_ON: Final = frozenset({"queued", "starting", "running", "stopping"})
_REFRESH_S: Final = 2.0
_PAUSE_S: Final = 0.2
_LONGEST_SCENARIO: Final = 100


@dataclass(frozen=True)
class Order:
    """What was asked for on the command line. Without a plan, a run that exists is watched."""

    plan: Path | None
    run_id: str | None
    properties: dict[str, str]
    secrets: dict[str, str]
    remote_hosts: list[str]
    rerun: bool


@dataclass
class Outcome:
    """What came of it, as --json prints it."""

    run_id: str | None = None
    check: Facts | None = None
    started: Facts | None = None
    status: Facts = field(default_factory=dict)
    collected: Facts | None = None
    warnings: list[str] = field(default_factory=list)
    stop_asked: bool = False
    detached: bool = False

    @property
    def exit_code(self) -> int:
        if self.detached or self.stop_asked:
            return exits.INTERRUPTED
        return exits.DONE if self.status.get("state") == "finished" else exits.NOT_FINISHED

    def as_json(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "state": self.status.get("state"),
            "detached": self.detached,
            "exit_code": self.exit_code,
            "warnings": self.warnings,
            "check": self.check,
            "started": self.started,
            "status": self.status,
            "collected": self.collected,
        }


class Run:
    """A run from the check of its plan to its results, with an ear for Ctrl-C."""

    def __init__(self, order: Order, consent: Consent, view: View) -> None:
        self._order = order
        self._consent = consent
        self._view = view
        self._started = anyio.Event()
        self._found = Outcome(run_id=order.run_id)

    async def carry_out(self, server: Server) -> Outcome:
        """Check, start, watch, collect."""
        try:
            if self._order.plan is not None:
                self._found.check = await self._checked(server, self._order.plan)
            await self._watched(server)
            if not self._found.detached:
                self._found.collected = await self._collected(server)
        finally:
            self._view.close()
        return self._found

    async def _checked(self, server: Server, plan: Path) -> Facts:
        check = await server.ask(
            "validate_test_plan",
            failing=BadFile,
            next_step="Mend the plan, then run the same command again.",
            plan=str(plan),
            properties=self._order.properties,
            remote_hosts=self._order.remote_hosts,
        )
        if check.get("valid") is False:
            raise BadFile(
                f"JMeter cannot run {plan.name!r}: {' '.join(findings(check, 'error'))}",
                next_step="Mend the plan, then run the same command again.",
            )
        if check.get("allowed") is False:
            raise Refused(
                f"The guard rails do not let {plan.name!r} run: {' '.join(violations(check))}",
                next_step="Nothing was started. Change the plan, or ask whoever answers for the rules.",
            )
        for text in findings(check, "error", "warning"):
            self._warn(text)
        return check

    async def _watched(self, server: Server) -> None:
        failure: PerfsuiteError | None = None
        async with anyio.create_task_group() as tasks:
            with anyio.open_signal_receiver(signal.SIGINT) as signals:
                tasks.start_soon(self._obey, signals, server, tasks)
                # What is raised in a group of tasks would come out of it wrapped.
                try:
                    await self._start_and_follow(server)
                except PerfsuiteError as error:
                    failure = error
                tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _start_and_follow(self, server: Server) -> None:
        if self._order.plan is not None:
            self._found.started = await self._start(server, self._order.plan)
            self._found.run_id = str(self._found.started["run_id"])
        self._started.set()
        while self._found.status.get("state", "starting") in _GOING_ON:
            asked_at = anyio.current_time()
            self._found.status = await self._ask_about_run(server, "get_jmeter_run_status", wait_s=_REFRESH_S)
            if self._found.status.get("state") in _GOING_ON:
                self._view.show(self._found.status)
            if anyio.current_time() - asked_at < _PAUSE_S:
                await anyio.sleep(_PAUSE_S)

    async def _start(self, server: Server, plan: Path) -> Facts:
        order = self._order
        try:
            return await server.ask(
                "start_jmeter_test",
                failing=Refused,
                next_step="Nothing was started.",
                plan=str(plan),
                run_id=order.run_id,
                scenario=None if order.run_id else plan.stem[:_LONGEST_SCENARIO],
                properties=order.properties,
                secret_properties=order.secrets,
                remote_hosts=order.remote_hosts,
                rerun=order.rerun,
            )
        except Refused:
            if self._consent.answer == "nobody":
                raise Refused(
                    f"Nothing was started: this must be confirmed, and nobody could be asked: {self._consent.question}",
                    next_step="Run the command in a terminal, or add --yes if that is what you want.",
                ) from None
            if self._consent.answer == "no":
                raise Refused("Nothing was started, as you answered.", next_step="Run it again to be asked.") from None
            raise

    async def _obey(self, signals: AsyncIterator[signal.Signals], server: Server, tasks: TaskGroup) -> None:
        """The first Ctrl-C stops the test, the second one ends the watch; while a question is asked, it means no."""
        async for _ in signals:
            if self._consent.give_up():
                continue
            if self._found.stop_asked:
                break
            self._found.stop_asked = True
            self._view.say("Stopping the test gently. Ctrl-C again leaves it to itself.")
            tasks.start_soon(self._stop, server)
        self._found.detached = True
        self._warn(f"No longer watching. {self._come_back}")
        tasks.cancel_scope.cancel()

    async def _stop(self, server: Server) -> None:
        await self._started.wait()
        # Ctrl-C is the answer to the question that is asked before.
        self._consent.always = True
        try:
            await self._ask_about_run(server, "stop_jmeter_test", confirm=True)
        except PerfsuiteError as error:
            self._warn(str(error))

    async def _collected(self, server: Server) -> Facts | None:
        """The results, of which a run that failed or was cut off may have none."""
        try:
            found = await self._ask_about_run(server, "collect_jmeter_results")
            while found.get("state") == "working":
                found = await self._ask_about_run(server, "collect_jmeter_results")
        except PerfsuiteError as error:
            if self._found.status.get("state") == "finished":
                raise
            self._warn(str(error))
            return None
        result = found.get("result", found)
        return dict(result) if isinstance(result, Mapping) else found

    async def _ask_about_run(self, server: Server, tool: str, **arguments: Any) -> dict[str, Any]:
        return await server.ask(tool, next_step=self._come_back, run_id=self._found.run_id, **arguments)

    @property
    def _come_back(self) -> str:
        if self._found.run_id is None:
            return "Whether the test was started shows `perfsuite runs`."
        return f"`perfsuite run-jmeter --run-id {self._found.run_id}` watches the run again."

    def _warn(self, text: str) -> None:
        self._found.warnings.append(text)
        self._view.warn(text)
