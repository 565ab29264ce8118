"""Reading and writing in one run's folder."""

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.folder import LARGEST_JSON
from perfsuite.artifacts.schemas import ImportedFile, ImportSources, RunRecord
from perfsuite.errors import BadFile, BadInput, NotFound, NotReady, PerfsuiteError, StorageFailed

SOURCES = ImportSources(
    files=(ImportedFile(name="a.jtl", size=1, sha256="0" * 64),),
    format="jtl-csv",
    rows_read=10,
    rows_rejected=0,
    warnings=("line 3: torn",),
    tool_version="0.1.0",
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunStore(tmp_path).create("r1")


def put(run: RunFolder, content: bytes) -> None:
    path = run.path(layout.IMPORT_SOURCES)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def test_what_was_saved_is_loaded(run: RunFolder) -> None:
    assert run.save(layout.IMPORT_SOURCES, SOURCES) == run.root / "import" / "sources.json"
    assert run.load(layout.IMPORT_SOURCES) == SOURCES


def test_the_same_model_gives_the_same_bytes_with_its_keys_in_order(run: RunFolder) -> None:
    first = run.save(layout.IMPORT_SOURCES, SOURCES).read_bytes()
    shuffled = ImportSources.model_validate(dict(reversed(SOURCES.model_dump().items())))
    assert run.save(layout.IMPORT_SOURCES, shuffled).read_bytes() == first
    assert list(json.loads(first)) == sorted(json.loads(first))
    assert b"\r" not in first


def test_keys_of_a_newer_minor_version_survive_a_change(run: RunFolder) -> None:
    path = run.path(layout.RUN_RECORD)
    newer = json.loads(path.read_text()) | {"schema_version": "1.9", "mood": {"today": "good"}}
    path.write_text(json.dumps(newer))
    run.update(lambda record: record.model_copy(update={"scenario": "checkout"}))
    assert json.loads(path.read_text()) == newer | {"scenario": "checkout"}


def test_a_missing_file_names_the_tool_that_makes_it_and_what_is_there_instead(run: RunFolder) -> None:
    with pytest.raises(NotReady) as caught:
        run.load(layout.IMPORT_SOURCES)
    assert caught.value.message == "Run 'r1' has no 'import/sources.json'; its folder 'import' holds nothing."
    assert caught.value.next_step == "Call `perfsuite import` first, for run 'r1'."
    for number in range(12):
        put(run, b"")
        run.path(layout.IMPORT_SOURCES).rename(run.root / "import" / f"{number:02}.csv")
    with pytest.raises(NotReady, match=r"holds '00\.csv', .*'09\.csv' and 2 more"):
        run.load(layout.IMPORT_SOURCES)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "Invalid JSON"),
        (b'{"format": "jtl', "Invalid JSON"),
        (b"\xff\xfe\x00", "Invalid JSON"),
        (b"[" * 100_000, "Invalid JSON"),
        (b"[]", "at 'the top', input should be an object; found []"),
        (b'{"schema_version": "1.0"}', "at 'files', field required"),
        (b'{"schema_version": "2.0"}', "schema version 2.0, and this perfsuite reads 1.x"),
        (b'{"schema_version": 1}', "`schema_version` should be '1.x'; found 1"),
        (SOURCES.model_dump_json().encode().replace(b":10", b':"many"'), "at 'rows_read', input should be a valid"),
        (SOURCES.model_dump_json().encode().replace(b"000", b"zzz"), "at 'files.0.sha256', string should match"),
    ],
)
def test_a_broken_file_names_the_key_what_was_expected_and_what_was_found(
    run: RunFolder, content: bytes, problem: str
) -> None:
    put(run, content)
    with pytest.raises(BadFile) as caught:
        run.load(layout.IMPORT_SOURCES)
    assert caught.value.message.startswith("'import/sources.json' of run 'r1' cannot be used: ")
    assert problem in caught.value.message
    assert len(caught.value.message) < 400
    assert "`perfsuite import` again for run 'r1'" in caught.value.next_step
    assert ("Update perfsuite" in caught.value.next_step) is (b"2.0" in content)


def test_a_huge_file_is_not_read(run: RunFolder) -> None:
    put(run, b"")
    os.truncate(run.path(layout.IMPORT_SOURCES), LARGEST_JSON + 1)
    with pytest.raises(BadFile, match="larger than 64 MiB"):
        run.load(layout.IMPORT_SOURCES)


def test_a_file_without_read_permission_is_reported(run: RunFolder) -> None:
    put(run, b"{}")
    run.path(layout.IMPORT_SOURCES).chmod(0)
    if os.access(run.path(layout.IMPORT_SOURCES), os.R_OK):
        pytest.skip("this user may read anything")
    with pytest.raises(StorageFailed, match="cannot be read: Permission denied"):
        run.load(layout.IMPORT_SOURCES)


def test_a_record_of_another_run_is_refused(run: RunFolder, tmp_path: Path) -> None:
    run.root.rename(tmp_path / "r2")
    with pytest.raises(BadFile, match="expected `run_id` 'r2', found 'r1'"):
        RunStore(tmp_path).open("r2").record()


def test_a_run_that_was_removed_does_not_come_back_in_pieces(run: RunFolder) -> None:
    shutil.rmtree(run.root)
    with pytest.raises(NotReady):
        run.record()
    with pytest.raises(StorageFailed, match="could not be saved"):
        run.save(layout.IMPORT_SOURCES, SOURCES)
    with pytest.raises(StorageFailed, match="cannot be taken"), run.lock():
        pass
    assert not run.root.exists()


def test_a_staged_file_appears_when_it_is_whole(run: RunFolder) -> None:
    with run.staged(layout.HOST_METRICS, host="../../etc") as staged:
        staged.write_text("a,b\n")
        assert not run.path(layout.HOST_METRICS, host="../../etc").exists()
    written = run.path(layout.HOST_METRICS, host="../../etc")
    assert written.read_text() == "a,b\n"
    assert written.parent == run.root / "datadog"


def test_the_run_id_fills_its_own_placeholder(run: RunFolder) -> None:
    assert run.path(layout.REPORT_HTML) == run.root / "reports" / "performance_report_r1.html"


HOSTILE = [
    "/etc/passwd",
    "../r2/run.json",
    "import/../../x",
    "a\0b",
    "",
    ".",
    "a\\b",
    "C:x",
    "import/.locks",
    ".locks/x",
]


@pytest.mark.parametrize("relative", HOSTILE, ids=map(ascii, HOSTILE))
def test_a_path_that_could_lead_out_is_refused(run: RunFolder, relative: str) -> None:
    with pytest.raises(BadInput, match="not a path in a run folder"):
        run.inside(relative)
    assert run.file_or_none(relative) is None


@given(st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_file_inside_or_an_error_of_ours(run: RunFolder, text: str) -> None:
    try:
        found = run.inside(text)
    except PerfsuiteError:
        return
    assert found.is_relative_to(run.root)
    assert found.is_file()


def test_a_file_of_the_run_is_found_by_its_path(run: RunFolder) -> None:
    assert run.inside("run.json") == run.root / "run.json"
    assert run.file_or_none("./run.json") == run.root / "run.json"


def test_a_missing_path_names_the_tool_if_it_is_one_of_ours(run: RunFolder) -> None:
    with pytest.raises(NotReady, match="`perfsuite import` or `process_session_artifacts`"):
        run.inside("samples.parquet")
    with pytest.raises(NotFound, match=r"its folder holds 'run\.json'"):
        run.inside("nothing.txt")
    with pytest.raises(NotFound):
        run.inside("run.json/below")


def test_a_name_that_no_disk_takes_is_refused(run: RunFolder) -> None:
    with pytest.raises(BadInput, match="cannot be looked up"):
        run.inside("x" * 5000)


def test_a_folder_is_not_a_file_and_its_content_is_named(run: RunFolder) -> None:
    (run.root / "import" / "deep").mkdir(parents=True)
    with pytest.raises(BadInput, match="is a folder") as caught:
        run.inside("import")
    assert "it holds 'deep/'" in caught.value.next_step


def test_a_pipe_is_refused_without_waiting_for_it(run: RunFolder) -> None:
    os.mkfifo(run.root / "samples.parquet")
    with pytest.raises(BadInput, match="not a regular file"):
        run.inside("samples.parquet")


@pytest.mark.parametrize("name", ["file.txt", "folder/file.txt", "loop"])
def test_a_link_out_of_the_folder_is_refused(run: RunFolder, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file.txt").write_text("secret")
    (run.root / "folder").symlink_to(outside)
    (run.root / "file.txt").symlink_to(outside / "file.txt")
    (run.root / "loop").symlink_to("loop")
    with pytest.raises(BadInput, match="symbolic link"):
        run.inside(name)


def test_a_link_within_the_folder_is_fine(run: RunFolder) -> None:
    (run.root / "copy.json").symlink_to("run.json")
    assert run.inside("copy.json").read_bytes() == run.inside("run.json").read_bytes()


def test_nothing_is_read_or_written_through_a_link_out_of_the_folder(run: RunFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (run.root / "import").symlink_to(outside)
    with pytest.raises(BadInput, match="symbolic link"):
        run.save(layout.IMPORT_SOURCES, SOURCES)
    with pytest.raises(BadInput, match="symbolic link"):
        run.load(layout.IMPORT_SOURCES)
    assert list(outside.iterdir()) == []


def test_a_path_of_the_file_system_is_known_by_its_place_in_the_run(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run.relative_to(run.root / "import" / "x.csv") == "import/x.csv"
    assert run.relative_to(tmp_path / "x.csv") is None
    monkeypatch.chdir(run.root)
    assert run.relative_to("x.csv") == "x.csv"
    assert run.relative_to("../x.csv") is None


def test_the_lock_can_be_taken_again_by_its_holder(run: RunFolder, tmp_path: Path) -> None:
    with run.lock(), RunStore(tmp_path).open("r1").lock():
        run.update(lambda record: record.model_copy(update={"scenario": "checkout"}))
    assert run.record().scenario == "checkout"


def test_a_change_that_fails_changes_nothing(run: RunFolder) -> None:
    before = run.path(layout.RUN_RECORD).read_bytes()

    def fail(record: RunRecord) -> RunRecord:
        raise LookupError(record.run_id)

    with pytest.raises(LookupError):
        run.update(fail)
    assert run.path(layout.RUN_RECORD).read_bytes() == before
    with run.lock(timeout_s=0):
        pass
