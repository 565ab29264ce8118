"""Brings the sessions of a run over and over, killed at one point after the other, and resumed.

`renames` kills right before a file takes its place; `writes` while its bytes are being written, of which a part is on
the disk then. It runs in a process of its own that has no other threads, so that it can fork: then the libraries are
loaded once.
"""

import hashlib
import json
import os
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb  # noqa: F401 - loaded before the forks
import numpy  # noqa: F401

from blazemeter.sessions import bring
from perfsuite.artifacts import RunStore

_RUN = "7000012"
_PART = 300
"""So many bytes of a file are written when it is killed."""
_RECORDS = ("run.json", "sessions.json")
"""They are written all the time; how, has tests of its own."""


def main() -> None:
    folder, how = Path(sys.argv[1]), {"renames": _killed_at_rename, "writes": _killed_in_write}[sys.argv[2]]
    sound = folder / "sound"
    _in_child(lambda: _bring(sound))
    expected, kills, halves = _content(sound), 0, set()
    # Files are opened more often than they are put in place, and what is killed in a file stays killed there.
    step = {"renames": 1, "writes": 3}[sys.argv[2]]
    while _in_child(partial(how, folder / "killed", kills * step + 1)):
        halves |= _halves(folder / "killed")
        _in_child(lambda: _bring(folder / "killed"))
        found = _content(folder / "killed")
        if found != expected:
            differ = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
            raise SystemExit(f"killed at file {kills + 1}, it left other {differ}")
        shutil.rmtree(folder / "killed")
        kills += 1
    sys.stdout.write(json.dumps({"kills": kills, "files": sorted(expected), "halves": sorted(halves)}))


def _bring(folder: Path) -> None:
    bring(RunStore(folder), _RUN)


def _killed_at_rename(folder: Path, number: int) -> None:
    """Bring them, and be killed right before the n-th file takes its place."""
    left = number

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if _changes(event, arguments) and str(arguments[0]).startswith(str(folder)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(audit)
    _bring(folder)


def _changes(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether a file takes its place now: before, it is nothing to anybody. The run's record has tests of its own."""
    return event == "os.rename" and not str(arguments[1]).endswith("run.json")


def _killed_in_write(folder: Path, number: int) -> None:
    """Bring them, and be killed by the system as soon as a file has so many bytes, from the n-th that is opened on."""
    left = number
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Python ignores it, and would raise an error that somebody could tidy up after.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event == "open" and _is_worked_on(str(arguments[0]), str(arguments[1]), folder):
            left -= 1
            if left == 0:
                resource.setrlimit(resource.RLIMIT_FSIZE, (_PART, _PART))

    sys.addaudithook(audit)
    _bring(folder)


def _is_worked_on(path: str, mode: str, folder: Path) -> bool:
    """Whether a file is opened to be written, or the merged one to be read: then a library that nobody sees opening
    files is about to write the samples."""
    name = Path(path).name
    is_ours = path.startswith(str(folder)) and name not in _RECORDS and not name.endswith(".lock")
    return is_ours and (not set("wax+").isdisjoint(mode) or name == "test-results.csv")


def _halves(folder: Path) -> set[str]:
    """The names of the files that were left with as many bytes as they could get."""
    return {path.name for path in folder.rglob("*") if path.is_file() and path.stat().st_size == _PART}


def _in_child(work: Callable[[], None]) -> int:
    """Do this in a process of its own, and say how it ended."""
    if (pid := os.fork()) == 0:
        try:
            work()
        finally:
            # Whatever it was, the parent must not go on in two processes.
            failed = sys.exc_info()[0] is not None
            if failed:
                traceback.print_exc()
            os._exit(int(failed))
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if ended not in (0, -signal.SIGKILL, -signal.SIGXFSZ):
        raise SystemExit(f"a child ended with {ended}")
    return ended


def _content(folder: Path) -> dict[str, str]:
    """Every file that a run has left but its record, which alone holds times, and the locks."""
    run = folder / _RUN
    return {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in run.rglob("*")
        if path.is_file() and path.suffix != ".lock" and path.name != "run.json"
    }


if __name__ == "__main__":
    main()
