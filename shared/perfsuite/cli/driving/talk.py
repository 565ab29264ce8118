"""One run's conversation with the servers: what is done already, what a call answered, and whether its files are there.

The ledger is the truth: a step is done when the ledger says so, whatever a tool answered, and whoever carried it out.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import anyio

from perfsuite.artifacts import RunFolder
from perfsuite.cli.driving.servers import Servers
from perfsuite.cli.driving.told import CallTold, StageTold, StepTold
from perfsuite.cli.driving.watching import Watch
from perfsuite.cli.driving.wishes import Wishes
from perfsuite.cli.session import Answer
from perfsuite.errors import Conflict, NotReady
from perfsuite.workflow import Ledger, Stage, StageStatus, StepStatus

Facts = Mapping[str, Any]
_PAUSE_S: Final = 0.2
_LOOK_AGAIN_S: Final = 0.2
_FOR_OTHERS_S: Final = 120
_SETTLED: Final = ("done", "skipped")


def is_working(facts: Facts) -> bool:
    """Whether long work goes on, so that the same call joins it again."""
    return facts.get("state") == "working" and "result" in facts


@dataclass(frozen=True)
class Call:
    """A tool and what it is given. `part` names what it leaves in the ledger where a step takes several calls of it."""

    server: str
    tool: str
    arguments: Facts
    part: str | None = None
    may_repeat: bool = True
    goes_on: Callable[[Facts], bool] = is_working


@dataclass
class Talk:
    """A run, in one of its stages."""

    servers: Servers
    run: RunFolder
    wishes: Wishes
    watch: Watch
    stage: Stage
    told: StageTold
    keeps: bool
    """Whether what is done and not stale is left as it is."""
    _left_alone: set[str] = field(default_factory=set)

    @property
    def run_id(self) -> str:
        return str(self.run.run_id)

    def status(self) -> StageStatus:
        """What the ledger says of this stage."""
        found = (one for one in Ledger(self.run).status().stages if one.stage == self.stage.id)
        return next(found, _untouched(self.stage))

    async def step(self, steps: str | tuple[str, ...], *calls: Call, even_if_done: bool = False) -> list[Facts]:
        """Carry out steps by these calls, unless they are done, and see that they left what they must."""
        names = (steps,) if isinstance(steps, str) else steps
        title = " · ".join(self.stage.step(name).title for name in names)
        await self._until_free(names)
        if why := self._why_not(names):
            self._left_alone.update(names)
            self.watch.skipped(title, why)
            return []
        if self.keeps and not even_if_done and self._is_done(names, calls):
            self._left_alone.update(names)
            self.watch.kept(title)
            return []
        self.watch.step(title)
        began = time.monotonic()
        answers = [await self.call(one) for one in calls]
        self._require(names)
        self.watch.done(title, time.monotonic() - began)
        return answers

    async def call(self, call: Call) -> Facts:
        """What a tool answers at last: it is called again for as long as its work goes on."""
        note = self._noted(call)
        while True:
            began = time.monotonic()
            answer = await self.servers.call(
                call.server, call.tool, call.arguments, may_repeat=call.may_repeat, next_step=self._come_back,
                progress=self.watch.progress,
            )  # fmt: skip
            took = time.monotonic() - began
            _add(note, answer, took)
            facts = answer.facts or {}
            if not call.goes_on(facts):
                result = facts.get("result")
                return dict(result) if "elapsed_s" in facts and isinstance(result, Mapping) else facts
            await anyio.sleep(max(0.0, _PAUSE_S - took))

    def leave_alone(self) -> None:
        """Say that the whole stage was done by somebody else."""
        self._left_alone.update(step.id for step in self.stage.steps)
        self.watch.kept(self.stage.title)

    def finish(self) -> None:
        """Write down what the ledger says at the end."""
        times = {
            one.step: (one.ended_at - one.started_at).total_seconds()
            for one in self.run.record().ledger
            if one.stage == self.stage.id and one.ended_at is not None
        }
        self.told.steps = [_step_told(one, times.get(one.step)) for one in self.status().steps]
        if self.told.ending == "done" and len(self._left_alone) == len(self.stage.steps):
            self.told.ending = "kept"

    @property
    def _come_back(self) -> str:
        return f"`{self.wishes.goes_on}` goes on from there."

    def _of(self, names: tuple[str, ...]) -> list[StepStatus]:
        return [one for one in self.status().steps if one.step in names]

    def _why_not(self, names: tuple[str, ...]) -> str:
        """Why there is nothing to be done; empty where there is."""
        found = self._of(names)
        return " ".join(found[0].reasons) if all(one.state == "skipped" for one in found) else ""

    def _is_done(self, names: tuple[str, ...], calls: tuple[Call, ...]) -> bool:
        """Whether every step is, by each of these calls: one of two may have been killed before the other."""
        if any(one.state not in _SETTLED for one in self._of(names)):
            return False
        done = [one for one in self.run.record().ledger if one.stage == self.stage.id and one.step in names]
        return all(any(one.tool == call.tool and call.part in (None, one.part) for one in done) for call in calls)

    async def _until_free(self, names: tuple[str, ...]) -> None:
        """Wait for another process that carries these steps out: a server may outlive its client for a moment."""
        for _ in range(round(_FOR_OTHERS_S / _LOOK_AGAIN_S)):
            running = [one for one in self._of(names) if one.state == "running"]
            if not running:
                return
            self.watch.progress(0, None, f"another process carries out {running[0].title!r}")
            await anyio.sleep(_LOOK_AGAIN_S)
        raise Conflict(
            f"Another process carries out {running[0].title!r} of run {self.run_id!r}.",
            next_step=f"Wait for it to end; `perfsuite status {self.run_id}` says when it has.",
        )

    def _require(self, names: tuple[str, ...]) -> None:
        for one in self._of(names):
            why = "; ".join(one.reasons or (f"It left no {name}." for name in one.missing))
            if one.state == "stale":
                self.watch.warn(f"{one.title} is stale: {why}")
            elif one.state not in _SETTLED:
                raise NotReady(f"{one.title} is {one.state.replace('_', ' ')}: {why}", next_step=self._come_back)

    def _noted(self, call: Call) -> CallTold:
        for one in self.told.calls:
            if one.tool == call.tool:
                return one
        note = CallTold(server=call.server, tool=call.tool, times=0, seconds=0, characters=0, images=0)
        self.told.calls.append(note)
        return note


def _untouched(stage: Stage) -> StageStatus:
    """That of a source which has not begun: the ledger does not know yet that results will come from it."""
    steps = (StepStatus(step=one.id, title=one.title, state="not_started", tool=one.tool) for one in stage.steps)
    return StageStatus(stage=stage.id, title=stage.title, state="not_started", steps=tuple(steps))


def _add(note: CallTold, answer: Answer, seconds: float) -> None:
    note.times += 1
    note.seconds = round(note.seconds + seconds, 3)
    note.characters += len(answer.text)
    note.images += answer.images


def _step_told(one: StepStatus, seconds: float | None) -> StepTold:
    return StepTold(
        step=one.step, title=one.title, state=one.state, tool=one.tool, seconds=seconds, reasons=list(one.reasons)
    )
