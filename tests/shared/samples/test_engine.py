"""DuckDB as it is used here: it cleans up, it can be stopped, and its errors become ours."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

import jtl
from perfsuite.errors import BadInput, LimitExceeded, StorageFailed
from perfsuite.samples.engine import Engine, quoted, quoted_path, sweep_abandoned_work
from perfsuite.samples.summary import summarise

ENDLESS = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = -1"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def abandoned(temporary: Path, age_s: float) -> Path:
    folder = temporary / "perfsuite-work-old"
    folder.mkdir()
    (folder / "1.rows").write_text("rows")
    os.utime(folder, (time.time() - age_s,) * 2)
    return folder


def test_an_engine_leaves_nothing_behind(temporary: Path) -> None:
    with Engine() as engine:
        assert engine.work.parent == temporary
        assert engine.rows("SELECT 1 + 1") == [(2,)]
    assert list(temporary.iterdir()) == []


def test_an_engine_that_fails_leaves_nothing_behind(temporary: Path) -> None:
    with pytest.raises(duckdb.Error), Engine() as engine:
        engine.run("no sql at all")
    assert list(temporary.iterdir()) == []


def test_the_work_of_a_killed_process_is_swept_when_it_is_old(temporary: Path) -> None:
    folder = abandoned(temporary, age_s=600)
    sweep_abandoned_work()
    assert not folder.exists()


def test_the_work_of_a_process_that_may_just_begin_is_left(temporary: Path) -> None:
    folder = abandoned(temporary, age_s=5)
    sweep_abandoned_work()
    assert folder.exists()


def test_the_work_of_a_living_process_is_left(temporary: Path) -> None:
    folder = abandoned(temporary, age_s=600)
    with FileLock(folder / ".lock"):
        os.utime(folder, (time.time() - 600,) * 2)
        sweep_abandoned_work()
        assert (folder / "1.rows").exists()


def test_a_query_can_be_stopped_from_another_thread_and_its_progress_is_told() -> None:
    told: list[str] = []
    began = threading.Event()

    def note(what: str, share: float) -> None:
        assert 0 <= share <= 1
        told.append(what)
        began.set()

    with Engine(note) as engine:
        stopper = threading.Thread(target=lambda: (began.wait(30), engine.interrupt()))
        stopper.start()
        with pytest.raises(duckdb.InterruptException):
            engine.run(ENDLESS, what="counting for ever")
        stopper.join()
        assert engine.rows("SELECT 1") == [(1,)]
    assert set(told) == {"counting for ever"}


def test_work_that_does_not_fit_in_memory_goes_to_disk_and_says_so(temporary: Path) -> None:
    with Engine() as engine:
        assert engine.spill_warning() is None
        engine.run("SET memory_limit = '60MB'; SET threads = 1")
        engine.run(
            "CREATE TEMP TABLE t AS SELECT range AS i, hash(range) AS h, md5(range::VARCHAR) AS m FROM range(3000000)"
        )
        engine.run("SELECT count(*) FROM (SELECT * FROM t ORDER BY m LIMIT 2900000)")
        said = engine.spill_warning()
        assert said
        assert "used" in said
        assert "MB of temporary disk" in said
    assert list(temporary.iterdir()) == []


def test_more_spill_than_is_allowed_is_a_full_disk() -> None:
    with Engine() as engine:
        engine.run("SET memory_limit = '40MB'; SET threads = 1; SET max_temp_directory_size = '1MB'")
        with pytest.raises(StorageFailed, match="The disk is full") as caught:
            engine.run("CREATE TEMP TABLE t AS SELECT md5(range::VARCHAR) AS m FROM range(3000000)")
        assert "TMPDIR" in caught.value.next_step


def test_more_memory_than_is_allowed_is_a_limit() -> None:
    with Engine() as engine:
        engine.run("SET memory_limit = '20MB'; SET temp_directory = ''")
        with pytest.raises(LimitExceeded, match="of memory, and could not be moved to disk"):
            engine.run("CREATE TEMP TABLE t AS SELECT md5(range::VARCHAR) AS m FROM range(3000000)")


def test_other_errors_of_duckdb_stay_what_they_are(tmp_path: Path) -> None:
    with Engine() as engine, pytest.raises(duckdb.IOException):
        engine.rows(f"SELECT * FROM read_csv({quoted_path(tmp_path / 'missing')})")


def test_no_extension_is_fetched_from_the_network() -> None:
    with Engine() as engine:
        settings = engine.rows(
            "SELECT value FROM duckdb_settings() WHERE name IN "
            "('autoinstall_known_extensions', 'autoload_known_extensions')"
        )
    assert settings == [("false",), ("false",)]


def test_texts_and_paths_are_quoted_for_sql() -> None:
    assert quoted("it's") == "'it''s'"
    assert quoted_path(Path("/a*b/[c]/it's?")) == "'/a[*]b/[[]c]/it''s[?]'"
    for text in ("a\0b", "\udcff"):
        with pytest.raises(BadInput, match="holds a NUL byte or bytes that are not UTF-8"):
            quoted(text)


def test_a_full_temporary_disk_is_said(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    rows = [jtl.sample(elapsed="x"), *jtl.samples(*range(20_000))]
    torn = jtl.text(jtl.samples(*range(20_000))) + "1700000000000,5"
    previous = tempfile.tempdir
    try:
        tempfile.tempdir = str(disk)
        for content in (jtl.text(rows), torn, jtl.text(rows).encode("utf-16")):
            with pytest.raises(StorageFailed, match=r"The disk of the temporary folder .* is full") as caught:
                summarise([jtl.put(tmp_path, content)])
            assert "TMPDIR" in caught.value.next_step
        assert list(disk.iterdir()) == []
    finally:
        tempfile.tempdir = previous
        subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_ends_a_query_without_a_traceback(tmp_path: Path) -> None:
    path, folder = tmp_path / "large.jtl", tmp_path / "tmp"
    folder.mkdir()
    duckdb.execute(
        f"""COPY (SELECT {jtl.START_MS} + i AS "timeStamp", hash(i) % 900 AS elapsed, 'L' || i % 9 AS label,
            'true' AS success FROM range(2000000) t(i)) TO '{path}' (HEADER true)"""
    )
    with subprocess.Popen(
        [sys.executable, "-c", "from perfsuite.cli import main; main()", "stats", path],
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        while not list(folder.glob("perfsuite-work-*/.lock")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")
