"""The folder that holds the runs."""

import os
from pathlib import Path

import pytest

from perfsuite.artifacts import RunStore
from perfsuite.artifacts.layout import RUN_RECORD
from perfsuite.artifacts.schemas import RunFacts, RunRequest
from perfsuite.errors import BadInput, BadRunId, BadSettings, Conflict, NotFound, StorageFailed


def test_a_new_run_is_a_folder_with_what_is_known_about_it(tmp_path: Path) -> None:
    facts = RunFacts(scenario="checkout", tags=("nightly",), request=RunRequest(environment="staging"))
    run = RunStore(tmp_path).create("r1", facts)
    assert run.root == tmp_path.resolve() / "r1"
    record = RunStore(tmp_path).open("r1").record()
    assert (record.run_id, record.scenario, record.tags) == ("r1", "checkout", ("nightly",))
    assert record.request.environment == "staging"
    assert record.ledger == ()


def test_the_root_is_made_with_the_first_run_and_not_before(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "deep" / "artifacts")
    assert store.runs() == []
    assert not (tmp_path / "deep").exists()
    store.create("r1")
    assert [run.run_id for run in store.runs()] == ["r1"]


def test_an_unknown_run_names_similar_ones_and_creates_nothing(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    for name in ("checkout-load-1", "checkout-load-2", "other"):
        store.create(name)
    with pytest.raises(NotFound) as caught:
        store.open("checkout-load-3")
    assert "holds 3 runs. Similar: 'checkout-load-" in caught.value.message
    assert "'other'" not in caught.value.message
    for way in ("such as 'checkout-load-", "`perfsuite import`", "`get_run_results`", "`start_jmeter_test`"):
        assert way in caught.value.next_step
    assert not (tmp_path / "checkout-load-3").exists()


def test_an_unknown_run_of_an_empty_store_is_unknown_too(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="holds 0 runs"):
        RunStore(tmp_path / "nothing").open("r1")


def test_a_folder_without_a_record_is_no_run_until_it_is_made_one(tmp_path: Path) -> None:
    (tmp_path / "r1" / "import").mkdir(parents=True)
    store = RunStore(tmp_path)
    with pytest.raises(NotFound, match="has a folder, but no"):
        store.open("r1")
    assert store.create("r1").record().run_id == "r1"


@pytest.mark.parametrize("hostile", ["../x", "a/b", "", "workflows", "x" * 200])
def test_a_hostile_id_is_refused_by_every_way_in(tmp_path: Path, hostile: str) -> None:
    store = RunStore(tmp_path)
    for way in (store.open, store.create, store.open_or_create):
        with pytest.raises(BadRunId):
            way(hostile)
    assert list(tmp_path.iterdir()) == []


def test_a_run_cannot_be_made_twice(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.create("r1")
    with pytest.raises(Conflict, match="exists already"):
        store.create("r1")


def test_opening_or_creating_keeps_what_an_existing_run_says(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.open_or_create("r1", RunFacts(scenario="first"))
    assert store.open_or_create("r1", RunFacts(scenario="second")).record().scenario == "first"


def test_the_list_is_sorted_and_skips_what_is_no_run(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "a")
    for name in ("b", "a", "C"):
        store.create(name)
    for other in ("workflows", "comparisons", ".hidden", "no run", "empty"):
        (tmp_path / "a" / other).mkdir()
        (tmp_path / "a" / other / "run.json").write_text("{}") if other != "empty" else None
    (tmp_path / "a" / "README.md").write_text("hello")
    RunStore(tmp_path / "elsewhere").create("x")
    (tmp_path / "a" / "x").symlink_to(tmp_path / "elsewhere" / "x")
    assert [run.run_id for run in store.runs()] == ["C", "a", "b"]


def test_a_run_folder_that_is_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    store = RunStore(tmp_path / "artifacts")
    store.create("r1")
    (tmp_path / "artifacts" / "r2").symlink_to(tmp_path / "outside")
    for way in (store.open, store.create, store.open_or_create):
        with pytest.raises(BadInput, match="symbolic link"):
            way("r2")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_link_in_circles_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r1").symlink_to("r1")
    with pytest.raises(BadInput, match="symbolic link"):
        RunStore(tmp_path).open("r1")
    assert RunStore(tmp_path).runs() == []


@pytest.mark.parametrize("root", ["/", "/usr/.."])
def test_the_root_of_the_file_system_is_never_the_artifacts_folder(root: str) -> None:
    with pytest.raises(BadSettings, match="root of the file system"):
        RunStore(Path(root))


def test_a_root_that_is_or_lies_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadSettings) as caught:
            RunStore(root)
        assert "PERFSUITE_ARTIFACTS_DIR" in caught.value.message


def test_a_root_that_cannot_be_written_to_is_refused() -> None:
    if not Path("/proc/self").exists():
        pytest.skip("needs a file system that nobody can write to")
    with pytest.raises((BadSettings, StorageFailed)) as caught:
        RunStore(Path("/proc/self/fdinfo")).create("r1")
    assert "PERFSUITE_ARTIFACTS_DIR" in str(caught.value)


def test_a_root_without_write_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write anywhere")
    with pytest.raises(BadSettings, match="cannot be written to"):
        RunStore(tmp_path / "artifacts")


def test_a_file_in_the_place_of_the_run_is_reported(tmp_path: Path) -> None:
    (tmp_path / "r1").write_text("x")
    with pytest.raises(StorageFailed, match="could not be made"):
        RunStore(tmp_path).create("r1")


def test_the_record_of_a_run_is_stable_text(tmp_path: Path) -> None:
    first = RunStore(tmp_path / "one").create("r1", RunFacts(scenario="é", tags=("b", "a")))
    second = RunStore(tmp_path / "two").create("r1", RunFacts(tags=("b", "a"), scenario="é"))
    text = first.path(RUN_RECORD).read_text(encoding="utf-8")
    assert text == second.path(RUN_RECORD).read_text(encoding="utf-8")
    assert '"scenario": "é"' in text
    assert text.endswith("}\n")
