"""Starting a run again: never while it lives, never by accident, and the earlier attempts are kept whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jmeter.running import Desk, desk_in, steps, until
from perfsuite.artifacts import layout
from perfsuite.artifacts.schemas import Window
from perfsuite.errors import Conflict, NotFound, StorageFailed
from perfsuite.workflow import Ledger


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as found:
        yield found


def finish(desk: Desk, **more: Any) -> None:
    desk.start(properties={"seconds": "0.3"}, **more)
    desk.ended()


def test_a_live_run_is_never_started_again(desk: Desk) -> None:
    desk.start()
    before = desk.supervisor()
    for rerun in (False, True):
        with pytest.raises(Conflict, match=r"is running: it was started already") as raised:
            desk.start(rerun=rerun)
        assert "`stop_jmeter_test`" in raised.value.next_step
    assert desk.supervisor() == before


def test_a_run_that_has_ended_is_not_started_again_by_accident(desk: Desk) -> None:
    finish(desk)
    with pytest.raises(Conflict, match=r"exists already: it is finished.*`rerun`, which keeps the earlier attempt"):
        desk.start()
    assert desk.state() == "finished"


def test_a_rerun_keeps_the_earlier_attempts_whole(desk: Desk) -> None:
    finish(desk)
    folder = desk.run().root / "jmeter"
    (folder / "live.json").write_text("{}", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    again = desk.start(properties={"seconds": "0.3"}, rerun=True)
    assert (again.attempt, again.earlier_attempt) == (2, "jmeter/attempts/1")
    kept = {path.name: path.read_bytes() for path in (folder / "attempts" / "1").iterdir() if path.is_file()}
    assert kept == before
    assert not (folder / "live.json").exists()
    desk.ended()
    assert desk.start(properties={"seconds": "0.3"}, rerun=True).earlier_attempt == "jmeter/attempts/2"
    assert desk.ended().condition.state == "finished"
    assert sorted(path.name for path in (folder / "attempts").iterdir()) == ["1", "2"]
    # Nothing is ever added to old results.
    assert desk.text("test-results.csv").count("timeStamp") == 1
    assert desk.supervisor().attempt == 3


def test_a_rerun_removes_what_was_made_from_the_attempt_before(desk: Desk) -> None:
    finish(desk)
    run = desk.run()
    with Ledger(run).step("jmeter", "collect", tool="collect_jmeter_results") as step:
        run.path(layout.SAMPLES).write_bytes(b"PAR1")
        step.produced(run.path(layout.SAMPLES))
        step.produced(run.path(layout.JMETER_RESULTS))
    with Ledger(run).step("perfanalysis", "test_results", tool="analyze_test_results") as step:
        step.used(run.path(layout.SAMPLES))
    moment = desk.supervisor().started_at
    run.update(lambda record: record.model_copy(
        update={"window": Window(first_sample_at=moment, last_sample_at=moment)}
    ))  # fmt: skip
    desk.start(properties={"seconds": "0.3"}, rerun=True)
    assert not run.path(layout.SAMPLES).exists()
    assert set(steps(desk)) == {"validate_plan", "check_guard_rails", "start"}
    assert run.record().window is None
    analysed = next(one for one in Ledger(run).status().stages if one.stage == "perfanalysis")
    assert analysed.steps[0].state == "stale"


def test_a_rerun_of_what_never_was_is_an_error(desk: Desk) -> None:
    with pytest.raises(NotFound, match="'r1' does not exist"):
        desk.start(rerun=True)
    assert not desk.runs.runs()


def test_a_move_of_the_earlier_attempt_that_was_killed_is_gone_on_with(desk: Desk) -> None:
    finish(desk)
    folder = desk.run().root / "jmeter"
    moving = folder / "attempts" / ".moving-1"
    moving.mkdir(parents=True)
    until(lambda: not desk.seen().facts.supervisor_alive)
    (folder / "state.json").rename(moving / "state.json")
    assert desk.start(properties={"seconds": "0.3"}, rerun=True).earlier_attempt == "jmeter/attempts/1"
    kept = {path.name for path in (folder / "attempts" / "1").iterdir()}
    assert {"state.json", "run-spec.json", "plan.jmx", "test-results.csv"} <= kept
    assert [path.name for path in (folder / "attempts").iterdir()] == ["1"]


def test_an_earlier_attempt_that_cannot_be_moved_stays_what_it_is(desk: Desk) -> None:
    finish(desk)
    folder = desk.run().root / "jmeter"
    (folder / "attempts").write_text("in the way", encoding="utf-8")
    with pytest.raises(StorageFailed, match="could not be moved away: Not a directory"):
        desk.start(rerun=True)
    assert desk.state() == "finished"
