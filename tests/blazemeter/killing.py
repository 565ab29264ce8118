"""Brings the sessions of a run over and over, killed before one file after the other takes its place, and resumed.

It runs in a process of its own that has no other threads, so that it can fork: then the libraries are loaded once.
"""

import hashlib
import json
import os
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


def main() -> None:
    folder = Path(sys.argv[1])
    sound = folder / "sound"
    _in_child(lambda: _bring(sound))
    expected, kills = _content(sound), 0
    while _in_child(partial(_killed, folder / "killed", kills + 1)) == -signal.SIGKILL:
        _in_child(lambda: _bring(folder / "killed"))
        found = _content(folder / "killed")
        if found != expected:
            differ = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
            raise SystemExit(f"killed at file {kills + 1}, it left other {differ}")
        shutil.rmtree(folder / "killed")
        kills += 1
    sys.stdout.write(json.dumps({"kills": kills, "files": sorted(expected)}))


def _bring(folder: Path) -> None:
    bring(RunStore(folder), _RUN)


def _killed(folder: Path, number: int) -> None:
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
    if ended not in (0, -signal.SIGKILL):
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
