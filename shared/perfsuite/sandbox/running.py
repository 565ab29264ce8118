"""Start a stand-in as a process of its own, and be sure that it ends.

Its standard input is a pipe that this process holds: whatever becomes of this process, the pipe ends, and so does it.
"""

import json
import selectors
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import anyio.to_thread

from perfsuite.errors import NotReady

_TO_START_S: Final = 30.0
_TO_STOP_S: Final = 5.0


@dataclass(frozen=True)
class Running:
    """A stand-in that is ready."""

    url: str
    control_url: str
    pid: int


@contextmanager
def started(name: str, *options: str) -> Iterator[Running]:
    """Run a stand-in, such as `started("shop", "--workers", "2")`, for as long as the block lasts."""
    process = _launch(name, options)
    try:
        yield _ready(process, name)
    finally:
        _end(process)


@asynccontextmanager
async def running(name: str, *options: str) -> AsyncIterator[Running]:
    """Run a stand-in while the event loop goes on."""
    process = _launch(name, options)
    try:
        yield await anyio.to_thread.run_sync(_ready, process, name)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_end, process)


def _launch(name: str, options: tuple[str, ...]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "perfsuite.sandbox", name, "--port", "0", *options]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603


def _ready(process: subprocess.Popen[bytes], name: str) -> Running:
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if selector.select(_TO_START_S) else b""
    if not line:
        raise NotReady(
            f"The sandbox {name!r} did not start.",
            next_step=f"Standard error says why; `perfsuite sandbox {name}` in a terminal shows it too.",
        )
    told = json.loads(line)
    return Running(told["url"], told["control_url"], told["pid"])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let go of its pipes and wait; a process that does not end by itself is ended."""
    with process:  # closes the pipes and reaps the process
        assert process.stdin is not None  # noqa: S101 - it was started with a pipe
        process.stdin.close()
        try:
            process.wait(_TO_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
