"""`perfsuite demo`: a load test from its start to its page, on this machine alone and without any account."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import anyio
import typer

from perfsuite.artifacts import RunId, RunStore, layout
from perfsuite.cli import exits, output
from perfsuite.cli.options import AsJson
from perfsuite.cli.run import print_told, watching
from perfsuite.errors import Conflict, PerfsuiteError
from perfsuite.settings import SuiteSettings

if TYPE_CHECKING:
    from types import FrameType

    from perfsuite.cli.driving.servers import Servers
    from perfsuite.cli.driving.told import Told
    from perfsuite.cli.driving.watching import Watch
    from perfsuite.cli.driving.wishes import Wishes
    from perfsuite.sandbox.demo import Demo

_LIVE: Final = ("queued", "starting", "running", "stopping")
_LONGEST_CLEANING_S: Final = 60
_WORKED: Final = "the demo worked, whatever the verdict is"
_PAGE: Final = "confluence-page.html"
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


def demo(
    seconds: Annotated[int, typer.Option(min=45, max=7200, help="How long the load test takes.")] = 90,
    users: Annotated[
        int | None, typer.Option(min=1, max=500, help="By default somewhat fewer than the shop takes.")
    ] = None,
    source: Annotated[
        Literal["jmeter", "blazemeter"],
        typer.Option(help="blazemeter: the results of the same test are fetched from the stand-in of BlazeMeter."),
    ] = "jmeter",
    run_id: Annotated[str | None, typer.Option(metavar="ID", help="The run to make; named by the time if not.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stand-ins open until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try everything without an account: a real load test, metrics, analyses, a report, and a page to publish it on."""
    from perfsuite.sandbox import demo as sandbox

    runs = RunStore(SuiteSettings.load().artifacts_dir)
    name = RunId(run_id or f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    folder = _new_folder(runs, name)
    watch = watching(as_json)
    with _heard(), sandbox.opened(folder, runs.root, users=users or sandbox.usual_users(), seconds=seconds) as there:
        trial = Trial(runs, name, folder, watch, there)
        told = trial.by_blazemeter() if source == "blazemeter" else trial.by_jmeter()
        told.exit_code = _exit_code(told)
        told.meaning = _WORKED if told.exit_code == exits.DONE else exits.MEANINGS[told.exit_code]
        _tell(trial, told, as_json=as_json)
        if keep and not told.interrupted:
            _wait(there, as_json=as_json)
    raise SystemExit(told.exit_code)


@dataclass(frozen=True)
class Trial:
    """One demo: a run, and everything it needs."""

    runs: RunStore
    run_id: RunId
    folder: Path
    watch: "Watch"
    there: "Demo"

    @property
    def page(self) -> Path:
        return self.folder / _PAGE

    def by_jmeter(self) -> "Told":
        """All stages, of a test that runs now."""
        return self._driven(self._wishes(self.run_id, load=True), self.there.environ)

    def by_blazemeter(self) -> "Told":
        """The test first, as a run of its own; then all stages with what the stand-in of BlazeMeter makes of it."""
        from perfsuite.sandbox.demo import MASTER_ID, WORKSPACE, at_blazemeter

        load_id = f"{self.run_id[:60]}-jm"
        tested = self._driven(
            self._wishes(load_id, load=True, only_stage="jmeter", publishes=False), self.there.environ
        )
        if tested.runs[0].ending != "done":
            return tested
        with at_blazemeter(Path(tested.runs[0].folder), self.folder / "blazemeter") as environment:
            wishes = self._wishes(self.run_id, source="blazemeter", workspace=WORKSPACE, master_id=MASTER_ID)
            return self._driven(wishes, {**self.there.environ, **environment})

    def _wishes(self, run_id: str, *, load: bool = False, publishes: bool = True, **more: Any) -> "Wishes":
        from perfsuite.cli.driving.wishes import Load, Publishing, Wishes
        from perfsuite.sandbox.demo import ENVIRONMENT, PARENT, SPACE

        return Wishes(
            run_ids=(run_id,), environment=ENVIRONMENT, environment_type="sandbox",
            load=Load(self.there.plan, self.there.properties) if load else None,
            publishing=Publishing("cloud", SPACE, PARENT) if publishes else None, **more,
        )  # fmt: skip

    def _driven(self, wishes: "Wishes", environ: Mapping[str, str]) -> "Told":
        from perfsuite.cli.driving.drive import drive
        from perfsuite.cli.session import Consent

        try:
            told = drive(wishes, self.watch, Consent(always=True, at_terminal=False), environ)
        finally:
            # Driving takes over the signals, and leaves them as they are by default.
            _hear()
            self._end_test(wishes.run_ids[0], environ)
        told.resume = None
        self._keep_page(told)
        return told

    def _keep_page(self, told: "Told") -> None:
        """The page as a file: the stand-in goes, and a demo is to be looked at."""
        from perfsuite.sandbox.confluence.copying import copy_of

        if told.runs[0].page_url:
            self.page.write_text(copy_of(told.runs[0].page_url), encoding="utf-8")

    def _end_test(self, run_id: str, environ: Mapping[str, str]) -> None:
        """A test outlives who started it; this one must not, whatever happened."""
        from perfsuite.cli.driving.servers import Terms, with_servers
        from perfsuite.cli.session import Consent

        state = self.runs.root / run_id / layout.JMETER_STATE.place
        if not state.is_file() or b'"ended"' in state.read_bytes():
            return
        terms = Terms(Consent(always=True, at_terminal=False), self.watch.warn, environ)
        with _deaf():
            try:
                anyio.run(with_servers, terms, lambda servers: _stopped(servers, run_id))
            except PerfsuiteError as error:
                self.watch.warn(f"The load test could not be ended: {error.message}")


async def _stopped(servers: "Servers", run_id: str) -> None:
    with anyio.move_on_after(_LONGEST_CLEANING_S):
        asked = {"run_id": run_id}
        found = await servers.call("jmeter", "get_jmeter_run_status", asked, next_step="")
        if (found.facts or {}).get("state") in _LIVE:
            await servers.call("jmeter", "stop_jmeter_test", {**asked, "confirm": True}, next_step="")


def _new_folder(runs: RunStore, run_id: RunId) -> Path:
    root = runs.root / run_id
    if root.exists():
        raise Conflict(f"There is a run {run_id!r} already.", next_step="Name another one by --run-id.")
    return root / "demo"


def _tell(trial: Trial, told: "Told", *, as_json: bool) -> None:
    page = str(trial.page) if trial.page.is_file() else None
    if as_json:
        truth = {"full_at_users": trial.there.full_at_users, "trouble": trial.there.trouble.truth}
        output.print_json({**told.model_dump(mode="json"), "page_copy": page, "truth": truth})
        return
    print_told(told)
    full = f"The shop takes {trial.there.full_at_users:g} users."
    output.show(f"What the analyses should have found: {trial.there.trouble.truth} {full}")
    if page:
        output.show(f"The page as it was published: {page}")


def _exit_code(told: "Told") -> int:
    """Whether the demo worked: that it finds a broken limit is what it is for."""
    if told.interrupted:
        return exits.INTERRUPTED
    return exits.DONE if all(run.ending == "done" for run in told.runs) else exits.STAGE_FAILED


def _wait(there: "Demo", *, as_json: bool) -> None:
    if not as_json:
        output.show(f"Confluence (sandbox): {there.confluence_url} until Ctrl-C.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return


@contextmanager
def _heard() -> Iterator[None]:
    """Be ended by SIGTERM as by Ctrl-C, so that everything is closed."""
    before = {number: signal.getsignal(number) for number in _STOPPING}
    _hear()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _hear() -> None:
    for number in _STOPPING:
        signal.signal(number, _interrupt)


@contextmanager
def _deaf() -> Iterator[None]:
    """Clean up in peace. It is not long."""
    for number in _STOPPING:
        signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        _hear()


def _interrupt(number: int, frame: "FrameType | None") -> None:
    del number, frame
    raise KeyboardInterrupt
