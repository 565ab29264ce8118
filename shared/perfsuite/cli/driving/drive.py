"""Runs one after the other, from `start_workflow` to `get_workflow_summary`."""

import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import anyio

from perfsuite.artifacts import Artifact, RunFolder, RunStore, layout
from perfsuite.artifacts.locks import holding
from perfsuite.cli.driving.servers import Servers, Terms, with_servers
from perfsuite.cli.driving.stages import STAGES
from perfsuite.cli.driving.talk import Talk
from perfsuite.cli.driving.told import CallTold, RunTold, StageTold, Told
from perfsuite.cli.driving.watching import Watch
from perfsuite.cli.driving.wishes import Wishes, source_of
from perfsuite.cli.session import Consent
from perfsuite.errors import BadInput, Conflict, PerfsuiteError, RemoteError, StorageFailed
from perfsuite.settings import SuiteSettings
from perfsuite.workflow import Ledger, Stage

_LOCKS: Final = ".locks"
_LARGEST: Final = 64 * 1024 * 1024


def drive(wishes: Wishes, watch: Watch, consent: Consent, environ: Mapping[str, str] | None = None) -> Told:
    """Carry out what was asked for. What cannot begin is an error; what fails on the way is told."""
    environ = os.environ if environ is None else environ
    runs = RunStore(SuiteSettings.load(environ).artifacts_dir)
    work = Drive(wishes, watch, consent, runs)
    with ExitStack() as held:
        for lock in work.locks():
            held.enter_context(lock)
        return anyio.run(with_servers, Terms(consent, watch.warn, environ), work.carry_out)


class Drive:
    """Everything that was asked for on one command line."""

    def __init__(self, wishes: Wishes, watch: Watch, consent: Consent, runs: RunStore) -> None:
        self._wishes = wishes
        self._watch = watch
        self._consent = consent
        self._runs = runs
        self._sources = {run_id: source_of(wishes, runs, run_id) for run_id in wishes.run_ids}
        self._stages = {run_id: wishes.stages(source) for run_id, source in self._sources.items()}
        self._began = time.monotonic()
        self._told = Told(started_at=datetime.now(UTC))
        self._told.runs = [RunTold(run_id=run_id, source=source) for run_id, source in self._sources.items()]
        for run_id in wishes.run_ids:
            self._refuse_lacking(run_id)

    def locks(self) -> Iterator[Any]:
        """A lock for each run, so that nobody else drives it meanwhile."""
        folder = self._runs.root / _LOCKS
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(
                f"The artifacts folder cannot be written to: {error.strerror}.",
                next_step="Point PERFSUITE_ARTIFACTS_DIR at a writable folder.",
            ) from error
        for run_id in self._wishes.run_ids:
            busy = Conflict(
                f"Another `perfsuite run` is driving run {run_id!r}.",
                next_step=f"Wait for it to end; `perfsuite status {run_id}` says how far it is.",
            )
            yield holding(folder / f"drive-{run_id.casefold()}.lock", busy=busy)

    async def carry_out(self, servers: Servers) -> Told:
        """Do all of it, with an ear for Ctrl-C."""
        failure: PerfsuiteError | None = None
        async with anyio.create_task_group() as tasks:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                tasks.start_soon(self._obey, signals, tasks.cancel_scope)
                # What is raised in a group of tasks would come out of it wrapped.
                try:
                    await self._all(servers)
                except PerfsuiteError as error:
                    failure = error
                tasks.cancel_scope.cancel()
        self._watch.clear()
        if failure is not None:
            raise failure
        return self._closed()

    async def _obey(self, signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
        """While a question is asked, Ctrl-C means no; else it ends everything in good order."""
        async for _ in signals:
            if not self._consent.give_up():
                self._told.interrupted = True
                scope.cancel()

    async def _all(self, servers: Servers) -> None:
        await self._begin(servers)
        for told in self._told.runs:
            await self._run(servers, told)
        await self._sum_up(servers)

    async def _begin(self, servers: Servers) -> None:
        try:
            found = await self._ask(servers, "start_workflow", self._wishes.request(), "Nothing was begun.")
        except RemoteError as error:
            if type(error) is not RemoteError:
                raise
            # The tool's own words: what was asked for cannot be.
            raise BadInput(error.message, next_step=error.next_step) from None
        self._told.workflow_id = str(found["workflow_id"])
        self._told.notes = list(found["notes"])
        for note in self._told.notes:
            self._watch.say(note)

    async def _run(self, servers: Servers, told: RunTold) -> None:
        """The stages of a run, until one fails."""
        stages = self._stages[told.run_id]
        told.stages = [StageTold(stage=one.id, title=one.title, ending="not_reached") for one in stages]
        try:
            run = self._runs.open(told.run_id)
            told.folder = str(run.root)
            for stage, stage_told in zip(stages, told.stages, strict=True):
                await self._stage(servers, run, stage, stage_told)
                if stage_told.ending == "failed":
                    told.ending, told.why = "failed", f"{stage.title}: {stage_told.why}"
                    return
        except PerfsuiteError as error:
            told.ending, told.why = "failed", error.message
            self._watch.failed(error.message)
            return
        except anyio.get_cancelled_exc_class():
            told.ending = "interrupted"
            raise
        told.ending = "done"

    async def _stage(self, servers: Servers, run: RunFolder, stage: Stage, told: StageTold) -> None:
        """One stage. That it failed is told, and never raised."""
        self._watch.stage(run.run_id, stage.title)
        if why := _not_wanted(run, stage):
            told.ending, told.why = "skipped", why
            self._watch.skipped(stage.title, why)
            return
        talk = Talk(servers, run, self._wishes, self._watch, stage, told, keeps=self._wishes.keeps(stage))
        began = time.monotonic()
        try:
            await STAGES[stage.id](talk)
            told.ending = "done"
        except anyio.get_cancelled_exc_class():
            told.ending = "interrupted"
            raise
        except PerfsuiteError as error:
            told.ending, told.why = "failed", self._words(error)
            self._watch.failed(told.why)
        finally:
            told.seconds = round(time.monotonic() - began, 3)
            talk.finish()

    def _words(self, error: PerfsuiteError) -> str:
        """What a stage failed of. A question that nobody answered is told as that."""
        asked = isinstance(error, RemoteError) and self._consent.answer
        if asked == "nobody":
            question = self._consent.question
            self._consent.answer = None
            return f"This must be confirmed, and nobody could be asked: {question} Add --yes if that is what you want."
        return error.message

    async def _sum_up(self, servers: Servers) -> None:
        try:
            asked = {"workflow_id": self._told.workflow_id}
            found = await self._ask(servers, "get_workflow_summary", asked, "The runs are as they were told.")
        except PerfsuiteError as error:
            self._watch.warn(f"There is no summary: {error.message}")
            return
        file = self._runs.root / str(found["file"])
        self._told.summary_file = str(file)
        self._told.summary = file.read_text(encoding="utf-8")
        outcomes = {one["run_id"]: one for one in found["runs"]}
        for told in self._told.runs:
            outcome = outcomes.get(told.run_id, {})
            told.outcome, told.sla = outcome.get("outcome"), outcome.get("sla")
            _look_into(self._runs, told)

    async def _ask(self, servers: Servers, tool: str, asked: Mapping[str, Any], next_step: str) -> Mapping[str, Any]:
        began = time.monotonic()
        answer = await servers.call("perfreport", tool, asked, next_step=next_step)
        self._told.calls.append(
            CallTold(
                server="perfreport",
                tool=tool,
                times=1,
                seconds=round(time.monotonic() - began, 3),
                characters=len(answer.text),
                images=answer.images,
            )
        )
        return answer.facts or {}

    def _refuse_lacking(self, run_id: str) -> None:
        """What a stage cannot do without is asked for before anything begins."""
        wishes, known, first = self._wishes, self._known_request(run_id), self._stages[run_id][0]
        has_workspace = wishes.workspace or known.get("workspace")
        if first.id == "blazemeter" and not has_workspace and not wishes.keeps(first):
            raise BadInput(f"No workspace is named for run {run_id!r}.", next_step="Name it by --workspace.")
        if wishes.only_stage == "datadog" and not (wishes.environment or known.get("environment")):
            raise BadInput(f"No environment is named for run {run_id!r}.", next_step="Name it by --env.")
        space = known.get("confluence", {}).get("space")
        if wishes.only_stage == "confluence" and not (wishes.publishing or space):
            raise BadInput(
                f"Nothing says where the report of run {run_id!r} goes.",
                next_step="Give --confluence with --space and --parent.",
            )

    def _known_request(self, run_id: str) -> dict[str, Any]:
        try:
            return self._runs.open(run_id).record().request.model_dump()
        except PerfsuiteError:
            return {}

    def _closed(self) -> Told:
        told = self._told
        told.seconds = round(time.monotonic() - self._began, 3)
        told.warnings = self._watch.warnings
        told.judge()
        if told.interrupted or any(run.ending != "done" for run in told.runs):
            told.resume = self._wishes.goes_on
        return told


def _not_wanted(run: RunFolder, stage: Stage) -> str:
    """Why a stage has nothing to do; empty where it has."""
    request = run.record().request
    if stage.needs == "environment" and not request.environment:
        return "No environment is named (--env), so no metrics and logs are collected."
    if stage.needs == "confluence" and not request.confluence.space:
        return "No space is named (--confluence), so nothing is published."
    return ""


def _look_into(runs: RunStore, told: RunTold) -> None:
    """What the files of a run say: the verdict of its report, where it was published, and which files there are."""
    try:
        run = runs.open(told.run_id)
        record = run.record()
    except PerfsuiteError:
        return
    report = _json(run, layout.REPORT_METADATA) if _is_fresh(run, "perfreport", "report") else {}
    told.verdict, told.reason = report.get("verdict"), report.get("verdict_reason")
    told.page_url = _json(run, layout.PUBLISHED).get("url")
    paths = {output.path for one in record.ledger if one.state == "done" for output in one.outputs}
    told.files = sorted(path for path in paths if run.file_or_none(path) is not None)


def _is_fresh(run: RunFolder, stage: str, step: str) -> bool:
    """Whether a step is done, and nothing it was made from has changed."""
    steps = [two for one in Ledger(run).status().stages if one.stage == stage for two in one.steps]
    return any(one.step == step and one.state == "done" for one in steps)


def _json(run: RunFolder, artifact: Artifact) -> dict[str, Any]:
    names = dict.fromkeys(artifact.placeholders, run.run_id)
    path = run.file_or_none(artifact.relative(**names))
    return _read(path) if path is not None else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes()) if path.stat().st_size <= _LARGEST else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
