"""Imports that are killed, collide, or fill the disk: nothing half-written stays."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

import jtl
from importing import ROWS, content_of, imported
from perfsuite.artifacts import RunStore
from perfsuite.errors import StorageFailed
from perfsuite.workflow import Ledger

COMMAND = (sys.executable, "-c", "from perfsuite.cli import main; main()")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes long enough to import for a kill to come in between."""
    path = tmp_path_factory.mktemp("large") / "large.jtl"
    duckdb.execute(
        f"""COPY (SELECT {jtl.START_MS} + i AS "timeStamp", 1 + hash(i) % 900 AS elapsed, 'Label ' || i % 20 AS label,
                   200 AS "responseCode", 'OK' AS "responseMessage", 'Users 1-' || i % 50 AS "threadName",
                   'true' AS success, hash(i * 7) % 5000 AS bytes, 50 AS "allThreads"
            FROM range(300000) t(i)) TO '{path}' (HEADER true)"""
    )
    return path


class Desk:
    """An artifacts folder and a temporary folder of its own, and the command that works on them."""

    def __init__(self, root: Path) -> None:
        self.artifacts, self.temporary = root / "artifacts", root / "tmp"
        self.temporary.mkdir(parents=True)
        self.run = self.artifacts / "r1"

    def start(self, *files: Path) -> "subprocess.Popen[str]":
        environment = {"PERFSUITE_ARTIFACTS_DIR": str(self.artifacts), "TMPDIR": str(self.temporary)}
        return subprocess.Popen(
            [*COMMAND, "import", *map(str, files), "--run-id", "r1", "--json"],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, *files: Path) -> None:
        with self.start(*files) as process:
            out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, ""), out

    def staged(self) -> list[Path]:
        return list(self.run.glob(".samples.parquet.*.part/*"))

    def leftovers(self) -> list[Path]:
        hidden = [path for path in self.run.rglob(".*") if path.name != ".locks"]
        return [*hidden, *self.temporary.glob("perfsuite-work-*")]


def until(moment: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 60
    while not moment():
        assert process.poll() is None, "the import ended before that moment"
        assert time.monotonic() < deadline


MOMENTS: dict[str, Callable[[Desk], object]] = {
    "the work folder is made": lambda desk: list(desk.temporary.glob("perfsuite-work-*")),
    "the samples are begun": lambda desk: desk.staged(),
    "some samples are written": lambda desk: any(path.stat().st_size > 100 for path in desk.staged() if path.exists()),
    "the samples are in place": lambda desk: (desk.run / "samples.parquet").exists(),
}


@pytest.fixture(scope="module")
def undisturbed(large: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    desk = Desk(tmp_path_factory.mktemp("undisturbed"))
    desk.finish(large)
    assert desk.leftovers() == []
    return content_of(desk.run)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("moment", MOMENTS)
def test_after_a_kill_at_any_moment_the_next_import_gives_the_same_bytes(
    tmp_path: Path, large: Path, undisturbed: dict[str, str], moment: str
) -> None:
    desk = Desk(tmp_path)
    with desk.start(large) as process:
        until(lambda: MOMENTS[moment](desk), process)
        process.send_signal(signal.SIGKILL)
    if (desk.run / "run.json").exists():
        assert Ledger(RunStore(desk.artifacts).open("r1")).status().stages[0].state in {
            "interrupted",
            "not_started",
            "partial",
        }
    for folder in desk.temporary.iterdir():
        # Only folders that are older than a minute are taken for abandoned.
        os.utime(folder, (time.time() - 600,) * 2)
    desk.finish(large)
    assert content_of(desk.run) == undisturbed
    assert desk.leftovers() == []


def test_of_two_processes_that_import_at_once_one_wins_whole(
    tmp_path: Path, large: Path, undisturbed: dict[str, str]
) -> None:
    desk = Desk(tmp_path)
    desk.finish(jtl.put(tmp_path, jtl.text(ROWS)))
    small = content_of(desk.run)
    processes = [desk.start(large), desk.start(large), desk.start(tmp_path / "results.jtl")]
    told = [process.communicate(timeout=60)[0] for process in processes]
    codes = [process.returncode for process in processes]
    assert set(codes) <= {0, 5}
    assert 0 in codes
    for code, out in zip(codes, told, strict=True):
        assert code == 0 or "Another process is importing into run 'r1'" in json.loads(out)["error"]["message"]
    assert content_of(desk.run) in (undisturbed, small)
    assert desk.leftovers() == []


@contextmanager
def tiny_disk(place: Path) -> Iterator[Path]:
    """A file system of 300 kB, where this user may make one."""
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", place], capture_output=True)
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_full_disk_ends_an_import_with_a_next_step_and_nothing_half_written(tmp_path: Path, large: Path) -> None:
    with tiny_disk(tmp_path / "disk") as disk:
        store = RunStore(disk / "artifacts")
        folder = imported(store, jtl.put(tmp_path, jtl.text(ROWS)))
        before = content_of(folder)
        with pytest.raises(StorageFailed) as caught:
            imported(store, large)
        assert "Free space" in caught.value.next_step
        assert content_of(folder) == before
        assert [path.name for path in folder.glob(".*")] == [".locks"]


LIMITED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from perfsuite.artifacts import RunStore
from perfsuite.errors import StorageFailed
from perfsuite.workflow.importing import ImportRequest, import_results
try:
    import_results(RunStore(Path(sys.argv[2])), "r1", ImportRequest((Path(sys.argv[3]),)))
except StorageFailed as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no RLIMIT_FSIZE")
@pytest.mark.parametrize("careful", [False, True], ids=["direct", "row by row"])
def test_a_file_that_may_not_grow_further_is_a_full_disk(tmp_path: Path, large: Path, careful: bool) -> None:
    file = large
    if careful:
        lines = large.read_text().splitlines()[:20_000]
        file = jtl.put(tmp_path, "\n".join([*lines, lines[1].replace("true", "maybe"), ""]))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "200000", tmp_path / "artifacts", file],
        capture_output=True,
        text=True,
        timeout=60,
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "full" in done.stdout
    assert not (tmp_path / "artifacts" / "r1" / "samples.parquet").exists()
