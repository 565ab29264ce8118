"""`perfsuite run`: the whole workflow without a model."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perfsuite.artifacts.schemas import RunFacts
from perfsuite.cli import main
from suite.driven import (
    INCONCLUSIVE,
    INTERRUPTED,
    LIMIT_BROKEN,
    PASSED,
    PUBLISHING,
    STAGE_FAILED,
    Place,
    opened,
    plain,
)

NOT_FOUND, CONFLICT, USAGE = 4, 5, 2
BUDGET = 120_000
FOLLOWING = ("datadog", "perfanalysis", "perfreport", "confluence")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Stand-ins for all tests; each has a run of its own."""
    with opened(tmp_path_factory.mktemp("place"), at_blazemeter=True) as found:
        yield found


@pytest.fixture
def alone(tmp_path: Path) -> Place:
    """No stand-ins: results alone."""
    found = plain(tmp_path / "alone")
    found.bring("r1")
    return found


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A run that no test changes."""
    found = plain(tmp_path_factory.mktemp("known") / "place")
    found.bring("r1")
    return found


def steps_of(stage: dict[str, Any]) -> dict[str, str]:
    return {one["step"]: one["state"] for one in stage["steps"]}


def tools_of(told: dict[str, Any]) -> set[str]:
    return {call["tool"] for run in told["runs"] for stage in run["stages"] for call in stage["calls"]}


def test_a_run_goes_from_blazemeter_to_its_page_and_an_agent_would_have_read_little(place: Place) -> None:
    master = "7000002"
    ended = place.run(
        "--run-id", master, "--source", "blazemeter", "--workspace", "Retail", "--env", "shop", *PUBLISHING, "--json"
    )
    assert ended.code == PASSED, ended.out + ended.err
    [run] = ended.told["runs"]
    assert ended.stages() == dict.fromkeys(("blazemeter", *FOLLOWING), "done")
    assert {len(stage["steps"]) for stage in run["stages"]} == {9, 3, 4, 5}
    assert {state for stage in run["stages"] for state in steps_of(stage).values()} == {"done"}
    assert (run["ending"], run["outcome"], run["source"]) == ("done", "Success", "blazemeter")
    assert run["verdict"] in ("PASS", "PASS WITH WARNINGS")
    assert run["page_url"].startswith(place.environ["CONFLUENCE_URL"])
    assert all((place.artifacts / master / file).is_file() for file in run["files"])
    assert f"reports/performance_report_{master}.html" in run["files"]
    assert ended.told["summary"].startswith("# Workflow summary")
    assert (ended.told["resume"], ended.told["interrupted"]) == (None, False)
    assert read_by_an_agent(ended.told) <= BUDGET


def read_by_an_agent(told: dict[str, Any]) -> int:
    """The characters of all answers; the table of them is shown."""
    calls = [*told["calls"], *(call for run in told["runs"] for stage in run["stages"] for call in stage["calls"])]
    total = sum(call["characters"] for call in calls)
    rows = [f"{call['characters']:>9,}  {call['times']} x {call['tool']}" for call in calls]
    sys.stdout.write("\n".join(["characters of answers", *rows, f"{total:>9,}  in all", ""]))
    return int(total)


def test_an_imported_run_needs_neither_datadog_nor_confluence(alone: Place) -> None:
    ended = alone.run("--run-id", "r1", "--json")
    assert ended.code == PASSED, ended.out + ended.err
    assert ended.stages() == {
        "import": "kept", "datadog": "skipped", "perfanalysis": "done", "perfreport": "done", "confluence": "skipped",
    }  # fmt: skip
    [run] = ended.told["runs"]
    charts = steps_of(run["stages"][3])
    assert (charts["infrastructure_charts"], charts["p90_chart"]) == ("skipped", "done")
    assert (run["outcome"], run["page_url"]) == ("Success", None)
    assert any("No environment" in note for note in ended.told["notes"])


def test_what_is_done_is_kept_and_what_became_stale_is_done_again(alone: Place) -> None:
    assert alone.run("--run-id", "r1", "--json").code == PASSED
    before = alone.content("r1")

    again = alone.run("--run-id", "r1", "--resume", "--json")
    assert (again.code, tools_of(again.told)) == (PASSED, set())
    assert alone.content("r1") == before

    (alone.folder / "config" / "slas.yaml").write_text(
        json.dumps({"slas": [{"id": "shop", "default_sla": {"response_time_sla_ms": 1, "percentile": "P90"}}]}),
        encoding="utf-8",
    )
    stale = alone.run("--run-id", "r1", "--resume", "--json")
    assert (stale.code, stale.told["runs"][0]["verdict"]) == (LIMIT_BROKEN, "FAIL")
    assert {"analyze_test_results", "create_performance_test_report"} <= tools_of(stale.told)
    assert "analyze_environment_metrics" not in tools_of(stale.told)


def test_a_stage_is_done_again_alone_or_with_what_follows(alone: Place) -> None:
    only = alone.run("--run-id", "r1", "--only", "perfanalysis", "--json")
    assert (only.code, only.stages()) == (PASSED, {"perfanalysis": "done"})
    onwards = alone.run("--run-id", "r1", "--from", "perfanalysis", "--json")
    assert onwards.code == PASSED
    assert onwards.stages() == {"perfanalysis": "done", "perfreport": "done", "confluence": "skipped"}


def test_without_limits_nothing_says_that_it_passed(alone: Place) -> None:
    (alone.folder / "config" / "slas.yaml").unlink()
    ended = alone.run("--run-id", "r1", "--json")
    assert (ended.code, ended.told["runs"][0]["verdict"]) == (INCONCLUSIVE, "INCONCLUSIVE")
    assert any("slas.yaml" in note for note in ended.told["notes"])


def test_of_several_runs_each_has_its_turn_whatever_stage_another_fails_in(place: Place) -> None:
    """A file where a stage must make its folder stops that stage, and no other."""
    fails = {"f-import": "import", "f-datadog": "datadog", "f-analysis": "perfanalysis", "f-report": "perfreport",
             "f-confluence": "confluence"}  # fmt: skip
    blocked = {"datadog": "datadog", "perfanalysis": "analysis", "perfreport": "reports", "confluence": "confluence"}
    place.runs.create("f-import", RunFacts(source="import"))
    place.bring(*list(fails)[1:], "f-none")
    for run_id, stage in fails.items():
        if stage in blocked:
            (place.artifacts / run_id / blocked[stage]).write_text("in the way", encoding="utf-8")

    names = [word for run_id in (*fails, "f-none") for word in ("--run-id", run_id)]
    ended = place.run(*names, "--env", "shop", *PUBLISHING, "--json")

    assert ended.code == STAGE_FAILED, ended.out + ended.err
    runs = {run["run_id"]: run for run in ended.told["runs"]}
    for run_id, stage in fails.items():
        stages = {one["stage"]: one["ending"] for one in runs[run_id]["stages"]}
        after = list(stages)[list(stages).index(stage) + 1 :]
        assert (stages[stage], {stages[name] for name in after} <= {"not_reached"}) == ("failed", True), run_id
        assert runs[run_id]["why"].count(":") >= 1
    assert runs["f-none"]["ending"] == "done"
    outcomes = {run_id: run["outcome"] for run_id, run in runs.items()}
    assert outcomes == {
        "f-import": "Failed", "f-datadog": "Failed", "f-analysis": "Failed", "f-report": "Partial Success",
        "f-confluence": "Partial Success", "f-none": "Success",
    }  # fmt: skip
    assert all(run_id in ended.told["summary"] for run_id in runs)
    assert "--resume" in ended.told["resume"]
    sys.stdout.write(ended.told["summary"])


def test_a_failed_run_goes_on_where_it_was_stopped(alone: Place) -> None:
    obstacle = alone.artifacts / "r1" / "reports"
    obstacle.write_text("in the way", encoding="utf-8")
    assert alone.run("--run-id", "r1", "--json").code == STAGE_FAILED
    obstacle.unlink()
    ended = alone.run("--run-id", "r1", "--resume", "--json")
    assert ended.code == PASSED, ended.out
    assert "analyze_test_results" not in tools_of(ended.told)


def test_two_drivers_do_not_drive_one_run(alone: Place) -> None:
    with alone.start("--run-id", "r1") as first:
        assert first.stdout is not None
        assert any("Analysis" in line for line in first.stdout)
        second = alone.run("--run-id", "r1", "--json")
        assert (second.code, second.told["error"]["code"]) == (CONFLICT, "conflict")
        assert "Another `perfsuite run` is driving run 'r1'." in second.told["error"]["message"]
        said = first.stdout.read()
        assert first.wait() == PASSED, said
    assert alone.run("--run-id", "r1", "--resume", "--json").code == PASSED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_good_order_when_it_is_stopped_and_says_how_to_go_on(alone: Place, number: signal.Signals) -> None:
    with alone.start("--run-id", "r1") as process:
        assert process.stdout is not None
        assert any("Test results" in line for line in process.stdout)
        process.send_signal(number)
        said = process.stdout.read()
        assert process.wait() == INTERRUPTED, said
    assert "perfsuite run --run-id r1 --resume" in said
    ended = alone.run("--run-id", "r1", "--resume", "--json")
    assert ended.code == PASSED, ended.out
    assert "analyze_test_results" not in tools_of(ended.told)


def test_what_nobody_confirmed_is_not_published(place: Place) -> None:
    place.bring("unasked")
    ended = place.run("--run-id", "unasked", *PUBLISHING[:-1], "--space", "QA", "--json")
    assert (ended.code, ended.stages()["confluence"]) == (STAGE_FAILED, "failed")
    assert "nobody could be asked: Publish the report of run 'unasked'" in ended.told["runs"][0]["why"]
    assert ended.told["runs"][0]["verdict"] is not None


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--run-id", "r2"), NOT_FOUND, "Run 'r2' does not exist"),
        (("--run-id", "r1", "--resume", "--from", "perfreport"), USAGE, "go on in different ways"),
        (("--run-id", "r1", "--from", "blazemeter"), USAGE, "has no stage 'blazemeter'"),
        (("--run-id", "r1", "--source", "jmeter"), USAGE, "needs a plan"),
        (("--run-id", "r1", "--plan", "none.jmx"), NOT_FOUND, "There is no plan"),
        (("--run-id", "r1", "-J", "users=1"), USAGE, "Name its plan"),
        (("--run-id", "r1", "--source", "blazemeter"), USAGE, "No workspace is named"),
        (("--run-id", "r1", "--only", "datadog"), USAGE, "No environment is named"),
        (("--run-id", "r1", "--only", "confluence"), USAGE, "Nothing says where"),
        (("--run-id", "r1", "--confluence", "cloud"), USAGE, "--parent"),
        (("--run-id", "r1", "--env", "unknown"), USAGE, "There is no environments.yaml"),
        (("--run-id", "r1", "--run-id", "R1"), USAGE, "A run was named twice"),
        (("--run-id", "../r1"), USAGE, "is not a run id"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_done(
    known: Place,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    before = known.content("r1")
    monkeypatch.chdir(known.folder)
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(known.artifacts))
    monkeypatch.setenv("PERFSUITE_CONFIG_DIR", str(known.folder / "config"))
    monkeypatch.setattr(sys, "argv", ["perfsuite", "run", *arguments, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    out = capfd.readouterr().out
    assert ended.value.code == code, out
    error = json.loads(out)["error"]
    assert said in f"{error['message']} {error['next_step']}"
    assert known.content("r1") == before
