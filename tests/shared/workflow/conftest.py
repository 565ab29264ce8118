"""A run with a ledger whose clock moves by a second at each look."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.artifacts.schemas import ConfluenceRequest, RunFacts, RunRequest, StepRecord
from perfsuite.errors import NotReady
from perfsuite.workflow import Gate, Ledger, NextStep, Step, StepStatus, stages

CONTENT = {
    ".json": b'{"status": "complete", "page_id": "7", "url": "https://wiki.example.com/7"}',
    ".png": b"\x89PNG\r\n\x1a\n",
    ".parquet": b"PAR1",
}
FACTS = RunFacts(source="import", request=RunRequest(environment="staging", confluence=ConfluenceRequest(space="PERF")))


def seconds() -> Iterator[datetime]:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    while True:
        now += timedelta(seconds=1)
        yield now


def file_of(gate: Gate, run: RunFolder) -> str:
    """The path of a file that a gate asks for."""
    names = dict.fromkeys(gate.artifacts[0].placeholders, "x") | dict(gate.names)
    if "run_id" in names:
        names["run_id"] = run.run_id
    return gate.artifacts[0].relative(**names)


@dataclass(frozen=True)
class Desk:
    """A run, its ledger, and short ways to do steps."""

    run: RunFolder
    ledger: Ledger

    def write(self, relative: str, content: bytes | None = None) -> Path:
        path = self.run.root / relative
        path.parent.mkdir(exist_ok=True)
        default = CONTENT.get(path.suffix, b"a,b\n1,2\n")
        path.write_bytes(default if content is None else content)
        return path

    def finish(
        self, stage: str, step: str, *, makes: Iterable[str] = (), uses: Iterable[Path | str] = (), part: str = ""
    ) -> None:
        with self.ledger.step(stage, step, tool=self.tool(stage, step), inputs=uses, part=part) as running:
            for relative in makes:
                running.produced(self.write(relative))

    def finish_well(self, stage: str, step: str) -> None:
        """Finish a step with every file that its gates ask for."""
        self.finish(stage, step, makes=[file_of(gate, self.run) for gate in self.step(stage, step).gates])

    def fail(self, stage: str, step: str, message: str = "No rows.") -> None:
        with suppress(NotReady), self.ledger.step(stage, step, tool=self.tool(stage, step)):
            raise NotReady(message, next_step="Call `other_tool` first.")

    def step(self, stage: str, step: str) -> Step:
        return stages.by_id(stage).step(step)

    def tool(self, stage: str, step: str) -> str:
        return self.step(stage, step).tool

    def record(self, stage: str, step: str, part: str = "") -> StepRecord:
        return next(one for one in self.run.record().ledger if (one.stage, one.step, one.part) == (stage, step, part))

    def seen(self, stage: str, step: str) -> StepStatus:
        found = next(one for one in self.ledger.status().stages if one.stage == stage)
        return next(one for one in found.steps if one.step == step)

    def stage_state(self, stage: str) -> str:
        return next(one.state for one in self.ledger.status().stages if one.stage == stage)

    def next(self) -> NextStep:
        following = self.ledger.status().next
        assert following is not None
        return following


@pytest.fixture
def new_desk(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Desk]:
    def make(facts: RunFacts = FACTS) -> Desk:
        clock = seconds()
        run = RunStore(tmp_path_factory.mktemp("artifacts")).create("r1", facts)
        return Desk(run, Ledger(run, clock=lambda: next(clock)))

    return make


@pytest.fixture
def desk(new_desk: Callable[..., Desk]) -> Desk:
    return new_desk()
