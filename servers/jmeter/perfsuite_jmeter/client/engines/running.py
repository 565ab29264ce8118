"""Short runs of Java: started, waited for, and ended with all their children when they take too long."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

_MOST_OUTPUT: Final = 200_000


class Ended(NamedTuple):
    """How a process ended: `code` is None when it took too long and was killed."""

    code: int | None
    output: str
    seconds: float


def run(command: Sequence[str], *, environ: Mapping[str, str], cwd: Path, output: Path, timeout_s: float) -> Ended:
    """Run this to its end and give what it printed. Raises OSError when it cannot be started."""
    began = time.monotonic()
    # A file takes any amount of output; a pipe that nobody reads in time would block the process.
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - the arguments are a list, and no shell reads them
            command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
        try:
            code: int | None = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            if process.poll() is None:
                _end_group(process)
    return Ended(code, _beginning(output), round(time.monotonic() - began, 3))


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    # Nobody has waited for the process yet, so that its number, which is that of the group, is still its own.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _beginning(output: Path) -> str:
    with output.open("rb") as file:
        return file.read(_MOST_OUTPUT).decode("utf-8", "replace")
