"""What is done, what is not, and what comes next."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from perfsuite.artifacts import layout
from perfsuite.artifacts.folder import RunFolder
from perfsuite.artifacts.schemas import RunRecord, Source, StepRecord
from perfsuite.workflow import stages
from perfsuite.workflow.gates import has_rows, unmet
from perfsuite.workflow.stages import Gate, Stage, Step
from perfsuite.workflow.staleness import Key, key_of, stale_steps

State = Literal["not_started", "running", "done", "failed", "interrupted", "stale", "skipped", "partial"]
_SETTLED: frozenset[State] = frozenset({"done", "skipped"})
_TROUBLED: frozenset[State] = frozenset({"failed", "interrupted", "stale"})
# What a step or a stage is, when its parts differ: the first of these that one of them is.
_FIRST: tuple[State, ...] = ("running", "interrupted", "failed", "stale", "partial")


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class StepStatus(_Result):
    """`tool` is the one to call for it; `reasons` say why it is failed, interrupted, stale, partial or skipped.

    `notes` are about charts beyond those that are asked of the step: they hold nothing up.
    """

    step: str
    title: str
    state: State
    tool: str
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class StageStatus(_Result):
    """`missing` are the files without which the stage is not complete."""

    stage: str
    title: str
    state: State
    steps: tuple[StepStatus, ...]
    missing: tuple[str, ...] = ()
    stale_reasons: tuple[str, ...] = ()


class NextStep(_Result):
    """The first step that is not finished, and the tool that carries it out."""

    stage: str
    step: str
    tool: str
    why: str


class RunStatus(_Result):
    """`next` is None when the run is complete; `incomplete` says why its samples are not all there are."""

    run_id: str
    source: Source | None
    incomplete: str | None
    complete: bool
    stages: tuple[StageStatus, ...]
    next: NextStep | None


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment: its record, and which of the records that say `running` have a living process."""

    folder: RunFolder
    record: RunRecord
    living: Collection[Key]

    def status(self) -> RunStatus:
        """The state of every stage and step."""
        stale = stale_steps(self.folder, self.record)
        found = tuple(self._stage(stage, stale) for stage in self._stages())
        first = _first_unfinished(found)
        return RunStatus(
            run_id=self.record.run_id,
            source=self.source,
            incomplete=self.record.incomplete,
            complete=first is None,
            stages=found,
            next=first,
        )

    @property
    def source(self) -> Source | None:
        """Where the results come from: as recorded, else as the latest step shows."""
        if self.record.source:
            return self.record.source
        of_sources = [step for step in self.record.ledger if step.stage in stages.SOURCES]
        latest = max(of_sources, key=lambda step: step.started_at, default=None)
        return next((source for source in stages.SOURCES if latest and source == latest.stage), None)

    def _stages(self) -> tuple[Stage, ...]:
        return (stages.SOURCES[self.source or "blazemeter"], *stages.FOLLOWING)

    def _stage(self, stage: Stage, stale: dict[Key, list[str]]) -> StageStatus:
        if not self._is_wanted(stage):
            steps = tuple(_untouched(step, "skipped", f"The run names no {stage.needs}.") for step in stage.steps)
            return StageStatus(stage=stage.id, title=stage.title, state="skipped", steps=steps)
        steps = tuple(self._step(stage, step, stale) for step in stage.steps)
        return StageStatus(
            stage=stage.id,
            title=stage.title,
            state=_state_of_stage([step.state for step in steps]),
            steps=steps,
            missing=tuple(name for step in steps for name in step.missing),
            stale_reasons=tuple(reason for step in steps if step.state == "stale" for reason in step.reasons),
        )

    def _is_wanted(self, stage: Stage) -> bool:
        request = self.record.request
        asked = {None: True, "environment": request.environment, "confluence": request.confluence.space}[stage.needs]
        return bool(asked) or any(step.stage == stage.id for step in self.record.ledger)

    def _step(self, stage: Stage, step: Step, stale: dict[Key, list[str]]) -> StepStatus:
        records = [one for one in self.record.ledger if (one.stage, one.step) == (stage.id, step.id)]
        without_metrics = step.of_metrics and not self._has_metrics()
        unmet_ones = {} if without_metrics else self._unmet(stage, step)
        missing = tuple(unmet_ones.values())
        if not records:
            if without_metrics:
                return _untouched(step, "skipped", "The run has no metrics to draw.")
            return _untouched(step, "not_started", *self._other_sources()).model_copy(update={"missing": missing})
        of_parts = [(one, *self._of_record(one, stale)) for one in records]
        besides = [part for part in of_parts if part[1] in _TROUBLED and _is_besides(step, part[0])]
        told: list[tuple[State, list[str], str]] = [
            ("done", [], part[0].tool) if part in besides else (part[1], _named(step, part[0], part[2]), part[0].tool)
            for part in of_parts
        ]
        if missing and all(state == "done" for state, _, _ in told):
            told = [("partial", [f"It left no {name}." for name in missing], _maker(step, next(iter(unmet_ones))))]
        state = next((state for state in _FIRST if any(state == one for one, _, _ in told)), "done")
        decisive = [(reasons, tool) for one, reasons, tool in told if one == state]
        return StepStatus(
            step=step.id,
            title=step.title,
            state=state,
            tool=decisive[0][1],
            reasons=tuple(reason for reasons, _ in decisive for reason in reasons),
            missing=missing,
            notes=tuple(f"{state}: {note}" for one, state, why in besides for note in _named(step, one, why)),
        )

    def _of_record(self, record: StepRecord, stale: dict[Key, list[str]]) -> tuple[State, list[str]]:
        if record.state == "running":
            if key_of(record) in self.living:
                return "running", [f"It is running since {record.started_at:%Y-%m-%dT%H:%M:%SZ}."]
            return "interrupted", ["It began and did not end: its process was killed, or the disk was full."]
        if record.state == "failed":
            error = record.error
            if error is not None and error.cancelled:
                return "interrupted", [f"It was cancelled: call `{record.tool}` to start anew."]
            return "failed", [f"It failed: {error.message} {error.next_step}" if error else "It failed."]
        why = stale.get(key_of(record))
        return ("stale", why) if why else ("done", [])

    def _unmet(self, stage: Stage, step: Step) -> dict[Gate, str]:
        """The files of a step that are not there or not whole, and what is wrong with each."""
        produced = [output.path for one in self.record.ledger if one.stage == stage.id for output in one.outputs]
        faults = {gate: unmet(gate, self.folder, produced) for gate in step.gates}
        return {gate: fault for gate, fault in faults.items() if fault}

    def _has_metrics(self) -> bool:
        metrics = (layout.HOST_METRICS, layout.K8S_METRICS)
        produced = (output.path for one in self.record.ledger if one.stage == "datadog" for output in one.outputs)
        return any(
            has_rows(self.folder, path)
            for path in produced
            if any(artifact.match(path) is not None for artifact in metrics)
        )

    def _other_sources(self) -> Iterable[str]:
        if self.source is None:
            yield "The run has no results yet; `start_jmeter_test` or `perfsuite import` can bring them instead."


def _is_besides(step: Step, record: StepRecord) -> bool:
    return bool(step.charts and record.part) and record.part not in step.charts


def _named(step: Step, record: StepRecord, reasons: list[str]) -> list[str]:
    """Which chart it is, and how it is drawn again, for steps that keep several."""
    if not (step.charts and record.part and reasons):
        return reasons
    chart_id, _, resource = record.part.partition("-")
    call = f"chart_id={chart_id!r}" + (f" and resource={resource!r}" if resource else "")
    return [f"chart {record.part}: {'; '.join(reasons)}: call `{record.tool}` with {call}"]


def _maker(step: Step, gate: Gate) -> str:
    """The tool of a step that makes a file that it lacks."""
    makers = gate.artifacts[0].written_by
    return next((tool for tool in (step.tool, *step.others) if tool in makers), step.tool)


def _untouched(step: Step, state: State, *reasons: str) -> StepStatus:
    return StepStatus(step=step.id, title=step.title, state=state, tool=step.tool, reasons=reasons)


def _state_of_stage(states: Collection[State]) -> State:
    if first := next((state for state in _FIRST if state in states), None):
        return first
    if all(state in _SETTLED for state in states):
        return "done"
    return "partial" if "done" in states else "not_started"


def _first_unfinished(found: Iterable[StageStatus]) -> NextStep | None:
    for stage in found:
        for step in stage.steps:
            if stage.state != "skipped" and step.state not in _SETTLED:
                others = stages.by_id(stage.stage).step(step.step).others
                also = [f"Another part of it: {' and '.join(f'`{tool}`' for tool in others)}."] if others else []
                why = " ".join([*(step.reasons or ["It has not run yet."]), *also])
                return NextStep(stage=stage.stage, step=step.step, tool=step.tool, why=why)
    return None
