"""What BlazeMeter says about a run: test and run, both windows, numbers and verdict, kept in test_config.json."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import anyio

from perfsuite.artifacts import RunStore
from perfsuite.artifacts.schemas import RunRecord, Window
from perfsuite.errors import BadFile, NotReady
from perfsuite.workflow.ledger import RunningStep
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.core.phases import phase_of
from perfsuite_blazemeter.core.verdicts import verdict_of
from perfsuite_blazemeter.core.windows import doubts, numbers_of, remarks, unproven, windows_of
from perfsuite_blazemeter.models.answers import Phase, RunResults
from perfsuite_blazemeter.models.config import CONFIG, Identity, RunConfig, Verdict
from perfsuite_blazemeter.models.entities import Archived, Master, Named, Project
from perfsuite_blazemeter.models.ids import master_of, run_folder
from perfsuite_blazemeter.models.reports import CiStatus, Summary, SummaryRow, Thresholds
from perfsuite_blazemeter.service.besides import besides
from perfsuite_blazemeter.service.recording import STAGE, Entry, proven, recorded
from perfsuite_blazemeter.service.status import OVER, observe

TOOL: Final = "get_run_results"
_NEXT: Final[dict[Phase, str]] = {
    "ended": "Call `process_session_artifacts` for the samples, then `get_aggregate_report`.",
    "archived": "There is nothing more to fetch: take a run that is not archived, or one that was exported.",
}
_NO_SAMPLES: Final = (
    "BlazeMeter shows no samples: `check_test_status` says what went wrong with its engines. Only if nothing did, "
    "`process_session_artifacts` may find some."
)
_KEPT: Final = "It is archived now: numbers, times and verdict are those that were read before that."
_ARCHIVED: Final = "Its reports are archived: there are no numbers. That says nothing about how it went."
_NOT_ENDED: Final = "The numbers are not final. Call `check_test_status` with wait_s=45, then this again at its end."
_SKEWED: Final = "Its times go by its own; `now-2h`, and whatever was timed here, by this one: set this one right."
_MOST_SHOWN: Final = 20
T = TypeVar("T")


@dataclass
class _Found:
    """What the endpoints said, and what they did not."""

    master: Master
    phase: Phase
    summary: Summary | None = None
    thresholds: Thresholds | None = None
    ci: CiStatus | None = None
    test: Identity = field(default_factory=Identity)
    project: Identity = field(default_factory=Identity)
    workspace: Identity = field(default_factory=Identity)
    notes: list[str] = field(default_factory=list)

    @property
    def row(self) -> SummaryRow | None:
        return self.summary.overall if self.summary else None


async def read_results(
    blazemeter: BlazeMeter, runs: RunStore, run_id: str, master_id: int | None, now: datetime
) -> RunResults:
    """Read what there is about a run, and keep it."""
    wanted = master_of(runs, run_id, master_id)

    async def fetch() -> RunConfig:
        found = await _found(blazemeter, wanted)
        there = now + timedelta(seconds=blazemeter.clock.ahead_s)
        return _with_known(_config(run_id, found, there), _earlier(runs, run_id))

    config = await recorded(runs, Entry(run_id, "read_run_results", TOOL, wanted), fetch, _keep)
    answer = answer_of(config)
    # It is about this machine, and no two looks at it say quite the same: nothing for a file that is kept.
    skew = blazemeter.clock.told("BlazeMeter")
    return answer.model_copy(update={"notes": [*answer.notes, f"{skew} {_SKEWED}"]}) if skew else answer


async def _found(blazemeter: BlazeMeter, master_id: int) -> _Found:
    master, status = await observe(blazemeter, master_id)
    found = _Found(master, phase_of(status, master))
    if isinstance(summary := await blazemeter.summary(master_id), Archived):
        found.phase = "archived"
    else:
        found.summary = summary
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_add_verdict, blazemeter, found)
        tasks.start_soon(_add_names, blazemeter, found)
    return found


async def _add_verdict(blazemeter: BlazeMeter, found: _Found) -> None:
    if found.phase == "archived":
        return
    master_id = found.master.id
    found.thresholds = await _noted(found, lambda: blazemeter.thresholds(master_id), "What became of the thresholds")
    found.ci = await _noted(found, lambda: blazemeter.ci_status(master_id), "The CI status")


async def _add_names(blazemeter: BlazeMeter, found: _Found) -> None:
    test_id, project_id = found.master.test_id, found.master.project_id
    found.test, _ = await _named(found, "test", test_id, blazemeter.test)
    found.project, project = await _named(found, "project", project_id, blazemeter.project)
    workspace_id = project.workspace_id if isinstance(project, Project) else None
    found.workspace, _ = await _named(found, "workspace", workspace_id, blazemeter.workspace)


async def _named(
    found: _Found, what: str, number: int | None, fetch: Callable[[int], Awaitable[Named]]
) -> tuple[Identity, Named | None]:
    if number is None:
        return Identity(), None
    one = await _noted(found, lambda: fetch(number), f"The name of {what} {number}")
    return Identity(id=number, name=one.name if one else None), one


async def _noted(found: _Found, fetch: Callable[[], Awaitable[T | Archived]], about: str) -> T | None:
    one, note = await besides(fetch, about)
    found.notes += [note] if note else []
    return one


def _config(run_id: str, found: _Found, now: datetime) -> RunConfig:
    master, row = found.master, found.row
    windows, numbers = windows_of(master, row), numbers_of(row)
    said = remarks(row, numbers) if found.summary is not None else []
    return RunConfig(
        run_id=run_id,
        master_id=master.id,
        name=master.name,
        state=found.phase,
        test=found.test,
        project=found.project,
        workspace=found.workspace,
        windows=windows,
        max_users=_users(found),
        locations=tuple(filter(None, master.locations)),
        numbers=numbers,
        verdict=_verdict(found),
        notes=(*found.notes, *said, *doubts(windows, now)),
    )


def _earlier(runs: RunStore, run_id: str) -> RunConfig | None:
    """What an earlier call kept. What cannot be read is read from BlazeMeter anew."""
    run = run_folder(runs, run_id)
    try:
        return run.load(CONFIG) if run else None
    except (NotReady, BadFile):
        return None


def _with_known(config: RunConfig, earlier: RunConfig | None) -> RunConfig:
    """What is archived does not take the place of what was known before."""
    if config.state != "archived":
        return config
    if earlier is None or earlier.numbers.samples is None:
        return config.model_copy(update={"notes": (_ARCHIVED, *config.notes)})
    known = ("windows", "max_users", "locations", "numbers", "verdict")
    kept = {name: getattr(earlier, name) for name in known}
    return config.model_copy(update={**kept, "notes": (_KEPT, *config.notes)})


def _verdict(found: _Found) -> Verdict:
    why = unproven(found.row, archived=found.phase == "archived")
    return verdict_of(found.thresholds, found.master.report_status, found.ci, unproven=why)


def _users(found: _Found) -> int | None:
    if found.master.max_users is not None:
        return found.master.max_users
    in_row = found.row.max_users if found.row else None
    return in_row if in_row is not None else found.summary.max_users if found.summary else None


def _keep(step: RunningStep, config: RunConfig) -> None:
    step.produced(step.folder.save(CONFIG, config))
    step.folder.update(lambda record: _described(record, config))
    if config.state in OVER:
        proven(step.folder, "confirm_run_ended", TOOL)
    if config.workspace.id is not None:
        proven(step.folder, "find_workspace", TOOL)


def _described(record: RunRecord, config: RunConfig) -> RunRecord:
    """Where it comes from and when the load was. The samples themselves know that better, once they are there."""
    if record.request.workspace is None and config.workspace.name:
        request = record.request.model_copy(update={"workspace": config.workspace.name})
        record = record.model_copy(update={"request": request})
    if record.fidelity == "samples":
        return record.model_copy(update={"source": STAGE})
    windows = config.windows
    first, last = windows.samples.start, windows.samples.end
    known = windows.use == "samples" and first is not None and last is not None
    window = Window.model_validate({"first_sample_at": first, "last_sample_at": last}) if known else None
    return record.model_copy(update={"source": STAGE, "window": window, "fidelity": "aggregate" if known else None})


def _next_step(config: RunConfig) -> str:
    if config.state == "ended" and not config.numbers.samples:
        return _NO_SAMPLES
    return _NEXT.get(config.state, _NOT_ENDED)


def answer_of(config: RunConfig) -> RunResults:
    """What is kept, as far as it fits into an answer."""
    shown: dict[str, Any] = config.model_dump(mode="json", exclude={"schema_version", "run_id", "state"})
    criteria, notes = shown["verdict"]["criteria"], shown["notes"]
    if len(criteria) > _MOST_SHOWN:
        shown["verdict"]["criteria"] = sorted(criteria, key=lambda one: one["passed"] is not False)[:_MOST_SHOWN]
        notes.append(
            f"{_MOST_SHOWN} of {len(criteria)} thresholds are shown, those that failed first; the file has all."
        )
    shown["locations"] = shown["locations"][:_MOST_SHOWN]
    return RunResults(
        **shown,
        run_id=config.run_id,
        state=config.state,
        file=CONFIG.place,
        next_step=_next_step(config),
    )
