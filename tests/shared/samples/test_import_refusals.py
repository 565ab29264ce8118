"""What is not imported, or not opened afterwards, and what stays untouched then."""

from pathlib import Path

import duckdb
import pytest

import jtl
from importing import ROWS, content_of, imported
from perfsuite import samples
from perfsuite.artifacts import RunStore
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.errors import BadFile, BadInput, BadRunId, Conflict, NotFound, NotReady
from perfsuite.workflow import Ledger
from perfsuite.workflow.importing import ImportRequest, import_results


def test_the_samples_of_another_source_are_never_replaced(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    store.create("r1", RunFacts(source="blazemeter"))
    with pytest.raises(Conflict, match="holds the samples of 'blazemeter'"):
        imported(store, jtl.put(tmp_path, jtl.text(ROWS)))


@pytest.mark.parametrize("run_id", ["../x", "a/b", "a\\b", "..", "a\0b", "x" * 200, "", ".hidden", "workflows"])
def test_a_hostile_run_id_makes_nothing(tmp_path: Path, run_id: str) -> None:
    store = RunStore(tmp_path / "artifacts")
    file = jtl.put(tmp_path, jtl.text(ROWS))
    with pytest.raises(BadRunId, match="is not a run id"):
        imported(store, file, run_id=run_id)
    assert [path.name for path in tmp_path.iterdir()] == ["results.jtl"]


def test_a_run_folder_that_is_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "r1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="symbolic link"):
        imported(RunStore(tmp_path / "artifacts"), jtl.put(tmp_path, jtl.text(ROWS)))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_of_the_run_that_is_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    run = store.create("r1")
    (tmp_path / "elsewhere").mkdir()
    (run.root / "import").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="leads out of the run folder by a symbolic link"):
        imported(store, jtl.put(tmp_path, jtl.text(ROWS)))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_files_that_cannot_be_read_make_no_run(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    good = jtl.put(tmp_path, jtl.text(ROWS))
    for request, kind in (
        (ImportRequest(()), BadFile),
        (ImportRequest((tmp_path / "missing",)), NotFound),
        (ImportRequest((jtl.put(tmp_path, "", "empty"),)), BadFile),
        (ImportRequest((good,), log=tmp_path / "missing.log"), NotFound),
    ):
        with pytest.raises(kind):
            import_results(store, "r1", request)
    assert store.runs() == []


def test_a_file_without_samples_fails_the_step_and_keeps_what_was_there(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    folder = imported(store, jtl.put(tmp_path, jtl.text(ROWS)))
    before = content_of(folder)
    with pytest.raises(BadFile, match="there is a header but no sample"):
        imported(store, jtl.put(tmp_path, jtl.HEADER + "\n", "empty.jtl"))
    assert content_of(folder) == before
    status = Ledger(store.open("r1")).status()
    assert status.stages[0].state == "failed"


def test_a_run_without_samples_names_the_tools_that_bring_them(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create("r1")
    with pytest.raises(NotReady, match="Run 'r1' has no samples yet") as caught:
        samples.open(run)
    assert "`perfsuite import`" in caught.value.next_step


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"PAR1 nonsense", "is not a readable Parquet file"), (b"", "is not a readable Parquet file")],
)
def test_damaged_samples_are_said_to_be_damaged(tmp_path: Path, content: bytes, reason: str) -> None:
    run = RunStore(tmp_path).create("r1")
    jtl.put(run.root, content, "samples.parquet")
    with pytest.raises(BadFile, match=reason) as caught:
        samples.open(run)
    assert caught.value.next_step == "Import the results of the run again."


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ("", "it was not written by perfsuite"),
        (', KV_METADATA {perfsuite: \'{"schema_version": "9.0"}\'}', "its schema version is '9.0', and 1.0 is read"),
        (", KV_METADATA {perfsuite: '{}'}", "its schema version is None"),
        (", KV_METADATA {perfsuite: 'not json'}", "its metadata cannot be read"),
        (', KV_METADATA {perfsuite: \'{"schema_version": "1.0"}\'}', "its metadata lacks absent_columns, formats"),
        (", KV_METADATA {perfsuite: '[1]'}", "its metadata cannot be read"),
    ],
)
def test_foreign_samples_are_said_to_be_foreign(tmp_path: Path, metadata: str, reason: str) -> None:
    run = RunStore(tmp_path).create("r1")
    duckdb.execute(f"COPY (SELECT 1 AS x) TO '{run.root / 'samples.parquet'}' (FORMAT parquet{metadata})")
    with pytest.raises(BadFile, match=reason):
        samples.open(run)
