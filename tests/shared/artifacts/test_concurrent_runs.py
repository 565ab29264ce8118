"""Several processes and threads at one run, and processes that are killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.schemas import RunRecord
from perfsuite.errors import Conflict

PROCESSES, CHANGES = 3, 20

TAGGING = """
import sys
from pathlib import Path
from perfsuite.artifacts import RunStore
root, name, changes = sys.argv[1:]
run = RunStore(Path(root)).open_or_create("r1")
for number in range(int(changes)):
    tag = f"{name}-{number}"
    run.update(lambda record: record.model_copy(update={"tags": (*record.tags, tag)}))
"""
HOLDING = """
import sys
from pathlib import Path
from perfsuite.artifacts import RunStore
with RunStore(Path(sys.argv[1])).open("r1").lock():
    print("holding", flush=True)
    sys.stdin.read()
"""
SAVING_FOREVER = """
import sys
from pathlib import Path
from perfsuite.artifacts import RunStore
run = RunStore(Path(sys.argv[1])).open("r1")
number = 0
while True:
    run.update(lambda record: record.model_copy(update={"scenario": str(number) * 2000}))
    number += 1
    if number == 3:
        print("saving", flush=True)
"""


def script(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def running(code: str, root: Path) -> Iterator[subprocess.Popen[str]]:
    with script(code, root) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.kill()
        process.communicate()


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunStore(tmp_path).create("r1")


def test_processes_that_change_the_same_run_lose_nothing(tmp_path: Path) -> None:
    processes = [script(TAGGING, tmp_path, name, CHANGES) for name in range(PROCESSES)]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * PROCESSES
    tags = RunStore(tmp_path).open("r1").record().tags
    assert sorted(tags) == sorted(f"{name}-{number}" for name in range(PROCESSES) for number in range(CHANGES))


def test_threads_that_change_the_same_run_lose_nothing(run: RunFolder) -> None:
    def tag(number: int) -> RunRecord:
        return run.update(lambda record: record.model_copy(update={"tags": (*record.tags, str(number))}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tag, range(40)))
    assert sorted(map(int, run.record().tags)) == list(range(40))


def test_a_run_that_another_process_holds_is_a_conflict(run: RunFolder, tmp_path: Path) -> None:
    with running(HOLDING, tmp_path):
        with pytest.raises(Conflict, match=r"another process, for more than 0\.05 s"), run.lock(timeout_s=0.05):
            pytest.fail("two processes held the lock")
        assert run.record().run_id == "r1"


def test_the_lock_of_a_killed_process_is_free(run: RunFolder, tmp_path: Path) -> None:
    with running(HOLDING, tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with run.lock(timeout_s=0):
            pass


@pytest.mark.parametrize("attempt", range(5))
def test_a_process_killed_while_it_saves_leaves_a_whole_record_and_no_litter(
    run: RunFolder, tmp_path: Path, attempt: int
) -> None:
    with running(SAVING_FOREVER, tmp_path) as process:
        for _ in range(10 * attempt):
            assert len(set(run.record().scenario or "x")) <= 10
        process.kill()
        process.wait()
        assert run.record().scenario
        run.update(lambda record: record.model_copy(update={"scenario": "after"}))
        assert run.record().scenario == "after"
    assert sorted(entry.name for entry in run.root.iterdir()) == [".locks", "run.json"]
    assert run.path(layout.RUN_RECORD).read_text(encoding="utf-8").endswith("}\n")
