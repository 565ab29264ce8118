"""What was asked for, and what of it cannot be."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from perfsuite.artifacts import RunStore
from perfsuite.artifacts.schemas import RunRecord, Source
from perfsuite.errors import BadInput, NotFound
from perfsuite.workflow import Stage, stages

SourceName = Literal["blazemeter", "jmeter", "import", "existing"]
StageName = Literal["blazemeter", "jmeter", "datadog", "perfanalysis", "perfreport", "confluence"]
Mode = Literal["cloud", "onprem"]
_MOST_RUNS: Final = 10


@dataclass(frozen=True)
class Load:
    """A JMeter test that is to be started."""

    plan: Path
    properties: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    remote_hosts: Sequence[str] = ()


@dataclass(frozen=True)
class Publishing:
    """Where reports go."""

    mode: Mode
    space: str
    parent: str


@dataclass(frozen=True)
class Wishes:
    """The command line. `source` is None where the run itself tells."""

    run_ids: tuple[str, ...]
    workflow_id: str | None = None
    source: SourceName | None = None
    environment: str | None = None
    environment_type: str | None = None
    workspace: str | None = None
    master_id: int | None = None
    load: Load | None = None
    sla_profile: str | None = None
    publishing: Publishing | None = None
    from_stage: StageName | None = None
    only_stage: StageName | None = None
    resumes: bool = False

    def __post_init__(self) -> None:
        for problem, remedy in self._problems():
            raise BadInput(problem, next_step=remedy)

    @property
    def goes_on(self) -> str:
        """The command that goes on where this one was stopped."""
        words = [word for run_id in self.run_ids for word in ("--run-id", run_id)]
        words += ["--workflow-id", self.workflow_id] if self.workflow_id else []
        words += ["--source", self.source] if self.source in ("blazemeter", "jmeter") else []
        if self.load is not None:
            words += ["--plan", str(self.load.plan)]
            words += [word for name, value in self.load.properties.items() for word in ("-J", f"{name}={value}")]
            words += [word for name, value in self.load.secrets.items() for word in ("--secret", f"{name}={value}")]
            words += ["--remote", ",".join(self.load.remote_hosts)] if self.load.remote_hosts else []
        words += ["--master-id", str(self.master_id)] if self.master_id is not None else []
        words += ["--sla-profile", self.sla_profile] if self.sla_profile else []
        return f"perfsuite run {shlex.join([*words, '--resume'])}"

    def stages(self, source: Source) -> tuple[Stage, ...]:
        """The stages that are to be carried out, in their order."""
        every = (stages.SOURCES[source], *stages.FOLLOWING)
        if self.only_stage is not None:
            return (self._named(every, self.only_stage),)
        if self.from_stage is not None:
            return every[every.index(self._named(every, self.from_stage)) :]
        return every

    def redoes(self, stage: Stage) -> bool:
        """Whether a stage is carried out again although it may be done."""
        return stage.id in (self.from_stage, self.only_stage)

    def keeps(self, stage: Stage) -> bool:
        """Whether what is done of a stage stays as it is: a test or a download is not repeated because nothing was
        said of it."""
        is_source = stage.id in stages.SOURCES and self.source in (None, "existing") and self.load is None
        return self.resumes or (is_source and not self.redoes(stage))

    def request(self) -> dict[str, object]:
        """The arguments of `start_workflow`."""
        asked: dict[str, object] = {
            "run_ids": list(self.run_ids),
            "workflow_id": self.workflow_id,
            "environment": self.environment,
            "environment_type": self.environment_type,
            "workspace": self.workspace,
        }
        if self.publishing is not None:
            asked |= {f"confluence_{name}": value for name, value in vars(self.publishing).items()}
        return asked

    def _named(self, every: tuple[Stage, ...], name: str) -> Stage:
        found = next((stage for stage in every if stage.id == name), None)
        if found is None:
            raise BadInput(
                f"A run whose results come from {every[0].id!r} has no stage {name!r}.",
                next_step=f"Name one of {', '.join(stage.id for stage in every)}.",
            )
        return found

    def _problems(self) -> Iterator[tuple[str, str]]:
        if not 1 <= len(self.run_ids) <= _MOST_RUNS:
            yield f"{len(self.run_ids)} runs were named.", f"Name 1 to {_MOST_RUNS} by --run-id."
        if len({one.casefold() for one in self.run_ids}) != len(self.run_ids):
            yield "A run was named twice.", "Name each run once."
        if sum((self.from_stage is not None, self.only_stage is not None, self.resumes)) > 1:
            yield "--resume, --from and --only go on in different ways.", "Give one of them."
        if self.source == "jmeter" and self.load is None and not self._goes_back:
            yield "A JMeter test needs a plan.", "Name it by --plan."
        if self.load is not None and self.source not in (None, "jmeter"):
            yield f"A plan was named, but the results come from {self.source!r}.", "Leave out --plan or --source."
        if self.master_id is not None and len(self.run_ids) > 1:
            yield "A BlazeMeter run was named by --master-id for several runs.", "Drive these runs one by one."

    @property
    def _goes_back(self) -> bool:
        """Whether it goes on with what is there."""
        return self.resumes or self.from_stage is not None or self.only_stage is not None


def source_of(wishes: Wishes, runs: RunStore, run_id: str) -> Source:
    """Where the results of a run come from: as asked, else as the run itself says."""
    record = _record(runs, run_id)
    known = record.source if record else None
    if wishes.source in ("blazemeter", "jmeter", "import"):
        return wishes.source
    if wishes.load is not None:
        return "jmeter"
    if known is not None:
        return known
    if wishes.source is None and (wishes.workspace or (record and record.request.workspace)):
        return "blazemeter"
    there = [run.run_id for run in runs.runs()]
    what = f"Run {run_id!r} has no results" if record else f"Run {run_id!r} does not exist; there are {len(there)} runs"
    raise NotFound(
        f"{what}, and nothing says where they come from.",
        next_step="Name --plan for a JMeter test, --source blazemeter with --workspace, or bring results in by "
        f"`perfsuite import FILE --run-id {run_id}`.",
    )


def _record(runs: RunStore, run_id: str) -> RunRecord | None:
    try:
        return runs.open(run_id).record()
    except NotFound:
        return None
