"""Laws that hold whatever was done, in whatever order, and however it ended."""

import os
import signal
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from perfsuite.workflow import stages

ORDER = [(stage, step.id) for stage in (stages.IMPORT, *stages.FOLLOWING) for step in stage.steps]
HOW = ("finish", "fail", "kill")

slow = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
events = st.lists(st.tuples(st.integers(0, len(ORDER) - 1), st.sampled_from(HOW)), max_size=12)


def kill(desk: Any, stage: str, step: str) -> None:
    child = os.fork()
    if child == 0:
        with desk.ledger.step(stage, step, tool="any"):
            os.kill(os.getpid(), signal.SIGKILL)
    _, how = os.waitpid(child, 0)
    assert os.WTERMSIG(how) == signal.SIGKILL


def do(desk: Any, stage: str, step: str, how: str) -> None:
    if how == "finish":
        desk.finish_well(stage, step)
    elif how == "fail":
        desk.fail(stage, step)
    else:
        kill(desk, stage, step)


EXPECTED = {"finish": "done", "fail": "failed", "kill": "interrupted"}


@slow
@given(events)
@example([(number, "finish") for number in range(len(ORDER))])
def test_the_first_unfinished_step_is_next_after_any_history(
    new_desk: Callable[..., Any], history: list[tuple[int, str]]
) -> None:
    desk = new_desk()
    last: dict[int, str] = {}
    for number, how in history:
        stage, step = ORDER[number]
        do(desk, stage.id, step, how)
        last[number] = how
    status = desk.ledger.status()
    seen = [step.state for stage in status.stages for step in stage.steps]
    unfinished = [number for number in range(len(ORDER)) if seen[number] not in {"done", "skipped"}]
    for number, how in last.items():
        assert seen[number] == EXPECTED[how]
    for number in set(range(len(ORDER))) - set(last):
        assert seen[number] in {"not_started", "skipped"}
    assert status.complete is (not unfinished)
    following = status.next
    assert (following is None) is (not unfinished)
    if following:
        stage, step = ORDER[unfinished[0]]
        assert (following.stage, following.step) == (stage.id, step)


@slow
@given(st.lists(st.sampled_from(HOW), max_size=5))
def test_a_step_that_ends_well_is_done_whatever_came_before(new_desk: Callable[..., Any], before: list[str]) -> None:
    desk = new_desk()
    for how in [*before, "finish"]:
        do(desk, "import", "collect", how)
    assert desk.seen("import", "collect").state == "done"
    assert len(desk.run.record().ledger) == 1


@slow
@given(st.lists(st.integers(0, 4), min_size=1, max_size=5, unique=True))
def test_exactly_the_steps_below_a_change_are_stale(new_desk: Callable[..., Any], changed: list[int]) -> None:
    """A chain of parts, each made from the one before: a change of file n makes n + 1 and all after it stale."""
    desk = new_desk()
    files = [f"datadog/kpi_metrics_{number}.csv" for number in range(6)]
    desk.write(files[0])
    for number in range(5):
        uses = [desk.run.root / files[number]]
        desk.finish("datadog", "metrics", part=str(number), uses=uses, makes=[files[number + 1]])
    for number in changed:
        desk.write(files[number], b"something else\n")
    reasons = desk.seen("datadog", "metrics").reasons
    assert len(reasons) == 5 - min(changed)
    assert all(any(file in reason for reason in reasons) for file in files[min(changed) : 5])
