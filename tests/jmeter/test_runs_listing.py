"""The lists of runs and of plans."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jmeter.running import PLAN, Desk, desk_in, until
from perfsuite.artifacts import layout
from perfsuite.errors import NotFound
from perfsuite_jmeter.service.runs import list_runs, stop_run
from perfsuite_jmeter.service.scripts import list_scripts


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as found:
        yield found


def test_every_run_is_listed_with_what_comes_next_the_newest_first(desk: Desk) -> None:
    desk.runs.create("imported")
    desk.start("old", {"seconds": "0.3"})
    desk.ended("old")
    desk.start("failed", {"seconds": "0"})
    desk.start("live")
    until(lambda: desk.seen("live").facts.has_samples)
    for age, run_id in enumerate(("live", "failed", "old")):
        os.utime(desk.run(run_id).root / "jmeter" / "run-spec.json", (1e9 - age, 1e9 - age))
    found = list_runs(desk.runs)
    assert [(one.run_id, one.state, one.next_tool) for one in found.runs] == [
        ("live", "running", "get_jmeter_run_status"),
        ("failed", "failed", "analyze_jmeter_log"),
        ("old", "finished", "collect_jmeter_results"),
    ]
    first = found.runs[0]
    assert (first.plan, first.attempt, first.users) == (str(desk.plan), 1, 2)
    assert first.started_at is not None
    assert first.duration_s is not None
    assert (found.total, found.has_more, found.next_start, found.notes) == (3, False, None, [])


def test_a_run_whose_results_were_collected_is_analysed_next(desk: Desk) -> None:
    desk.start(properties={"seconds": "0.3"})
    desk.ended()
    desk.run().path(layout.JMETER_AGGREGATE).touch()
    assert list_runs(desk.runs).runs[0].next_tool == "analyze_test_results"


def test_a_run_that_was_stopped_says_how_long_it_took(desk: Desk) -> None:
    # The time at which the pretended test says that it began.
    began = int((desk.plan.stat().st_mtime - 60) * 1000)
    desk.start(properties={"epoch": str(began)})
    stop_run(desk.runs, "r1")
    duration_s = list_runs(desk.runs).runs[0].duration_s
    assert duration_s is not None
    assert 60 <= duration_s <= 90


def test_a_folder_without_a_spec_is_listed_as_lost(desk: Desk) -> None:
    (desk.runs.create("r1").root / "jmeter").mkdir()
    (found,) = list_runs(desk.runs).runs
    assert (found.state, found.plan, found.next_tool) == ("lost", None, "get_jmeter_run_status")


def test_a_run_that_ended_before_its_test_began_has_no_duration(desk: Desk) -> None:
    desk.launch({"mode": "die", "says": "Error: no"})
    desk.until_phase("ended")
    assert list_runs(desk.runs).runs[0].duration_s is None


def test_runs_come_in_pages(desk: Desk) -> None:
    for number in range(5):
        (desk.runs.create(f"r{number}").root / "jmeter").mkdir()
    first = list_runs(desk.runs, limit=2)
    assert (len(first.runs), first.total, first.has_more, first.next_start) == (2, 5, True, 2)
    last = list_runs(desk.runs, start=4, limit=2)
    assert (len(last.runs), last.has_more, last.next_start) == (1, False, None)


def test_no_runs_say_how_to_begin(desk: Desk) -> None:
    found = list_runs(desk.runs)
    assert (found.runs, found.total) == ([], 0)
    assert "`list_jmeter_scripts`" in found.notes[0]


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    folder.mkdir()
    return folder


def put(path: Path, text: str = PLAN) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_plans_are_found_with_their_thread_groups_and_size(scripts: Path) -> None:
    two = PLAN.replace("</ThreadGroup>", '</ThreadGroup><hashTree/>\n<kg.apc.jmeter.threads.UltimateThreadGroup\n'
                       ' guiclass="x" testclass="kg.apc.jmeter.threads.UltimateThreadGroup"/>')  # fmt: skip
    put(scripts / "shop.jmx")
    put(scripts / "sub" / "Two.JMX", two)
    put(scripts / "sub" / "notes.txt")
    found = list_scripts(scripts)
    assert [(one.path, one.thread_groups) for one in found.scripts] == [("shop.jmx", 1), ("sub/Two.JMX", 2)]
    assert found.scripts[0].size_bytes == len(PLAN)
    assert found.scripts[0].modified_at.endswith("Z")
    assert (found.total, found.has_more, found.notes) == (2, False, [])


def test_hidden_folders_deep_ones_and_links_that_lead_out_are_passed_by(scripts: Path, tmp_path: Path) -> None:
    put(tmp_path / "outside" / "secret.jmx")
    put(scripts / ".git" / "hidden.jmx")
    put(scripts / ".hidden.jmx")
    put(scripts / "a/b/c/d/e/f/deep.jmx")
    put(scripts / "a/b/c/d/e/f/g/deeper.jmx")
    (scripts / "folder").symlink_to(tmp_path / "outside")
    (scripts / "out.jmx").symlink_to(tmp_path / "outside" / "secret.jmx")
    (scripts / "inside.jmx").symlink_to(scripts / "a/b/c/d/e/f/deep.jmx")
    (scripts / "loop.jmx").symlink_to(scripts / "loop.jmx")
    (scripts / "gone.jmx").symlink_to(scripts / "nothing")
    (scripts / "folder.jmx").mkdir()
    assert [one.path for one in list_scripts(scripts).scripts] == ["a/b/c/d/e/f/deep.jmx", "inside.jmx"]


def test_plans_come_in_pages_and_not_without_end(scripts: Path) -> None:
    for number in range(1001):
        put(scripts / f"{number % 10}" / f"{number:04}.jmx", "")
    found = list_scripts(scripts, start=10, limit=5)
    assert (len(found.scripts), found.total, found.has_more, found.next_start) == (5, 1000, True, 15)
    assert found.notes == ["There are more than 1000 plans; only those that were found first are listed."]


def test_folders_without_end_are_not_walked_to_the_end(scripts: Path) -> None:
    for number in range(5001):
        (scripts / f"{number:04}").mkdir()
    put(scripts / "5000" / "last.jmx")
    put(scripts / "first.jmx")
    found = list_scripts(scripts)
    assert [one.path for one in found.scripts] == ["first.jmx"]
    assert found.notes == ["Only 5000 folders were looked into; there are more."]


def test_a_plan_too_large_to_look_into_is_listed_all_the_same(scripts: Path) -> None:
    with (scripts / "large.jmx").open("wb") as file:
        file.truncate(21 * 1024 * 1024)
    (found,) = list_scripts(scripts).scripts
    assert (found.thread_groups, found.size_bytes) == (None, 21 * 1024 * 1024)


def test_a_folder_without_plans_says_where_it_looked(scripts: Path) -> None:
    found = list_scripts(scripts)
    assert found.total == 0
    assert "PERFSUITE_SCRIPTS_DIR" in found.notes[0]


def test_a_folder_that_does_not_exist_is_an_error(scripts: Path) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        list_scripts(scripts / "nothing")
