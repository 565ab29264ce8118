"""`perfsuite import`, `perfsuite runs` and `perfsuite status`."""

import json
from pathlib import Path
from typing import Any

import pytest

import jtl
from perfsuite.artifacts import RunStore
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.workflow import Ledger


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return jtl.put(tmp_path, jtl.text([*jtl.samples(10, 20, 30), jtl.sample(elapsed="x")]).rstrip("\n"))


def test_an_import_says_where_the_samples_are_and_what_to_do_next(command: Any, file: Path, tmp_path: Path) -> None:
    done = command("import", file, "--run-id", "checkout-1")
    assert done.code == 0
    assert "3 rows are in run 'checkout-1'" in done.out
    assert str(tmp_path / "artifacts" / "checkout-1" / "samples.parquet") in done.out
    assert "`perfsuite status checkout-1`" in done.out
    assert "1 rows were rejected; import/sources.json of the run lists the first ones." in done.err


def test_an_import_as_json_has_the_sources_and_the_window(command: Any, file: Path) -> None:
    log = file.with_name("jmeter.log")
    log.write_text("log")
    options = ("--scenario", "checkout", "--version", "1.2", "--tag", "a", "--tag", "b", "--log", log, "--json")
    done = command("import", file, "--run-id", "r1", *options)
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert (found["run_id"], found["samples"], found["rows_read"], found["rows_rejected"]) == ("r1", 3, 3, 1)
    assert found["rejected"][0]["line"] == 5
    assert found["window"]["first_sample_at"] == "2023-11-14T22:13:20Z"
    assert Path(found["samples_file"]).is_file()
    record = RunStore(Path("artifacts")).open("r1").record()
    assert (record.scenario, record.version, record.tags) == ("checkout", "1.2", ("a", "b"))


@pytest.mark.parametrize("run_id", ["../x", "a/b", "..", "x" * 200])
def test_a_hostile_run_id_is_wrong_usage(command: Any, file: Path, tmp_path: Path, run_id: str) -> None:
    done = command("import", file, "--run-id", run_id, "--json")
    assert done.code == 2
    assert json.loads(done.out)["error"]["code"] == "bad_run_id"
    assert command("status", run_id).code == 2
    assert not (tmp_path / "artifacts").exists()


def test_an_import_over_anothers_samples_is_a_conflict(command: Any, file: Path, tmp_path: Path) -> None:
    RunStore(tmp_path / "artifacts").create("r1", RunFacts(source="jmeter"))
    assert command("import", file, "--run-id", "r1").code == 5


def test_no_runs_say_how_to_make_one(command: Any, tmp_path: Path) -> None:
    done = command("runs")
    assert done.code == 0
    assert "Make one with `perfsuite import FILE --run-id ID`" in done.out
    found = json.loads(command("runs", "--json").out)
    assert found == {"artifacts": str(tmp_path / "artifacts"), "total": 0, "has_more": False, "runs": []}


def test_runs_are_listed_with_their_source_window_and_next_step(command: Any, file: Path, tmp_path: Path) -> None:
    command("import", file, "--run-id", "b")
    store = RunStore(tmp_path / "artifacts")
    store.create("a")
    jtl.put(store.create("broken").root, "{", "run.json")
    found = json.loads(command("runs", "--json").out)
    assert [run["run_id"] for run in found["runs"]] == ["a", "b", "broken"]
    new, done, broken = found["runs"]
    assert (new["source"], new["window"], new["next"]) == (None, None, "get_workspaces")
    assert (done["source"], done["window"]["seconds"], done["next"]) == ("import", 2.03, "analyze_test_results")
    assert "'run.json' of run 'broken' cannot be used" in broken["error"]
    table = command("runs").out
    assert "2023-11-14T22:13:20+00:00" in table
    assert "cannot be used" in table


def test_a_status_says_what_is_done_and_what_comes_next(command: Any, file: Path) -> None:
    command("import", file, "--run-id", "r1")
    done = command("status", "r1")
    assert done.code == 0
    assert "r1 · source import" in done.out
    assert "✓ Results from files: done" in done.out
    assert "next: analyze_test_results" in done.out
    found = json.loads(command("status", "r1", "--json").out)
    assert (found["run_id"], found["complete"]) == ("r1", False)


def test_a_status_gives_the_reasons_of_what_went_wrong(command: Any, file: Path, tmp_path: Path) -> None:
    command("import", file, "--run-id", "r1")
    aggregate = tmp_path / "artifacts" / "r1" / "import" / "aggregate_performance_report.csv"
    aggregate.unlink()
    run = RunStore(tmp_path / "artifacts").open("r1")
    (run.root / "samples.parquet").write_bytes(b"changed")
    shown = command("status", "r1").out
    assert "missing: " in shown
    assert "aggregate_performance_report.csv" in shown
    assert "! " in shown
    assert command("import", jtl.put(tmp_path, jtl.HEADER, "empty"), "--run-id", "r1").code == 3
    assert "It failed: 'empty': there is a header but no sample." in command("status", "r1").out
    assert Ledger(run).status().stages[0].state == "failed"


def test_a_status_says_when_samples_are_not_all_there_are(command: Any, file: Path, tmp_path: Path) -> None:
    command("import", file, "--run-id", "r1")
    run = RunStore(tmp_path / "artifacts").open("r1")
    run.update(lambda record: record.model_copy(update={"incomplete": "The results lack 1 of 2 sessions."}))
    assert "! The results lack 1 of 2 sessions." in command("status", "r1").out
    assert json.loads(command("status", "r1", "--json").out)["incomplete"] == "The results lack 1 of 2 sessions."


def test_an_unknown_run_is_not_made_by_asking_for_it(command: Any, tmp_path: Path) -> None:
    done = command("status", "nope", "--json")
    assert done.code == 4
    assert "`perfsuite runs`" in json.loads(done.out)["error"]["next_step"]
    assert not (tmp_path / "artifacts").exists()


def test_settings_that_cannot_be_used_are_named(command: Any, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", "/")
    for arguments in (("runs",), ("status", "r1"), ("import", file, "--run-id", "r1")):
        done = command(*arguments, "--json")
        assert done.code == 2
        assert "PERFSUITE_ARTIFACTS_DIR" in json.loads(done.out)["error"]["message"]


def test_importing_other_results_into_a_run_says_what_it_replaced(command: Any, tmp_path: Path) -> None:
    first = jtl.put(tmp_path, jtl.text(jtl.samples(10)), "first.jtl")
    second = jtl.put(tmp_path, jtl.text(jtl.samples(10, 20)), "second.jtl")
    assert "replaced" not in command("import", first, "--run-id", "r1", "--scenario", "A").err
    assert "replaced" not in command("import", first, "--run-id", "r1").err
    done = command("import", second, "--run-id", "r1", "--scenario", "B")
    assert "The earlier import of first.jtl was replaced." in done.err
    record = json.loads((tmp_path / "artifacts" / "r1" / "run.json").read_text(encoding="utf-8"))
    assert record["scenario"] == "B"
