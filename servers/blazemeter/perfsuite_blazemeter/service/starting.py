"""Starts a test, once. Where the answer to that is lost, the run is looked for, and the start is not sent again."""

from dataclasses import dataclass, field
from typing import Final

import anyio

from perfsuite.errors import AccessDenied, Conflict, NotFound, PerfsuiteError, RateLimited, RemoteError, Unreachable
from perfsuite_blazemeter.client.api import BlazeMeter, Scope
from perfsuite_blazemeter.core.times import stamp
from perfsuite_blazemeter.models.answers import StartedRun
from perfsuite_blazemeter.models.entities import LoadTest, Master
from perfsuite_blazemeter.service import finding
from perfsuite_blazemeter.service.listing import load_of

_RECENT: Final = 20
_LOOKS: Final = 4
_BETWEEN_LOOKS_S: Final = 2.0
_FOUND: Final = "The answer to the start was lost; the run was found among those of the test. It was sent once."
_DECIDED: Final = (AccessDenied, NotFound, RateLimited)


@dataclass(frozen=True)
class StartQuestion:
    """Which test shall run."""

    test: str
    project: str | None = None
    workspace: str | None = None
    alongside: bool = False
    between_looks_s: float = field(default=_BETWEEN_LOOKS_S, repr=False)


async def question_of(blazemeter: BlazeMeter, wanted: StartQuestion) -> str:
    """What the user is asked, with the load as it is set up."""
    test = await finding.find_test(blazemeter, wanted.test, wanted.project, wanted.workspace)
    load = "; ".join(load_of(test)) or "load not said by BlazeMeter"
    return f"Start BlazeMeter test {finding.shown(test)}: {load}?"


async def start_run(blazemeter: BlazeMeter, wanted: StartQuestion) -> StartedRun:
    """Start the test, unless it runs already."""
    test = await finding.find_test(blazemeter, wanted.test, wanted.project, wanted.workspace)
    before = await _recent(blazemeter, test)
    if not wanted.alongside:
        _refuse_second(test, before)
    try:
        return _started(test, await blazemeter.start_test(test.id), [])
    except RemoteError as error:
        if isinstance(error, _DECIDED):
            raise
        found = await _looked_for(blazemeter, test, {run.id for run in before}, wanted, error)
        return _started(test, found, [_FOUND])


async def _recent(blazemeter: BlazeMeter, test: LoadTest) -> list[Master]:
    return list((await blazemeter.masters(Scope(test_id=test.id), limit=_RECENT)).items)


def _refuse_second(test: LoadTest, recent: list[Master]) -> None:
    for run in recent:
        if run.ended is None and not run.dumped:
            raise Conflict(
                f"Test {finding.shown(test)} runs already: master {run.id}, created {stamp(run.created)}.",
                next_step="Follow it by `check_test_status`. Only if the user wants two at once, set alongside=true.",
            )


async def _looked_for(
    blazemeter: BlazeMeter, test: LoadTest, known: set[int], wanted: StartQuestion, lost: RemoteError
) -> Master:
    """The run that was not there before, if there is one; else nobody knows, and the error says so."""
    for look in range(_LOOKS):
        if look:
            await anyio.sleep(wanted.between_looks_s)
        try:
            fresh = [run for run in await _recent(blazemeter, test) if run.id not in known]
        except PerfsuiteError:
            continue
        if len(fresh) == 1:
            return fresh[0]
        if fresh:
            raise _several(test, fresh, lost)
    raise _unknown(test, lost)


def _several(test: LoadTest, fresh: list[Master], lost: RemoteError) -> Conflict:
    ids = ", ".join(str(run.id) for run in fresh)
    return Conflict(
        f"{lost.message} Since then, several runs of test {finding.shown(test)} began: {ids}.",
        next_step="Do not start it again. Show them to the user, who can tell which one is theirs.",
    )


def _unknown(test: LoadTest, lost: RemoteError) -> RemoteError:
    kind = Unreachable if isinstance(lost, Unreachable) else RemoteError
    return kind(
        f"{lost.message} No new run of test {finding.shown(test)} is to be seen yet.",
        next_step=f"Do not start it again at once: look with `get_test_runs` for test {test.id} in a minute, first.",
    )


def _started(test: LoadTest, run: Master, notes: list[str]) -> StartedRun:
    return StartedRun(
        master_id=run.id,
        run_id=str(run.id),
        test=finding.shown(test),
        notes=notes,
        next_step="Engines boot for minutes. Call `check_test_status` with wait_s=45 until it has ended.",
    )
