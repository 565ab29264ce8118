"""The processes of a run: starting its supervisor, telling who is alive, and ending Java where nobody else can.

A number says nothing about a process: it may be another one by now. With the time of its start, and on the same boot of
the machine, it does.
"""

import fcntl
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

from perfsuite.errors import Conflict, StorageFailed
from perfsuite_jmeter.client import supervisor
from perfsuite_jmeter.client.supervisor import boot_id, rung_at, send, start_time
from perfsuite_jmeter.models.runs import ProcessHandle, Rung, RunSpec, SupervisorState

_DETACHED: Final = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
_LAUNCH_TIMEOUT_S: Final = 10
_POLL_S: Final = 0.1
# Below the ports that systems give to sockets without a number of their own.
_PORTS: Final = range(20_000, 30_000)
_PORT_TRIES: Final = 50


def launch(spec_file: Path, environ: Mapping[str, str]) -> None:
    """Start a supervisor for this run, in a session of its own and as nobody's child.

    Clients end a server with all its descendants. And a child that has ended stays a zombie until its parent looks.
    """
    command = [sys.executable, "-I", supervisor.__file__, str(spec_file)]
    try:
        subprocess.run(  # noqa: S603 - the arguments are a list, and no shell reads them
            [sys.executable, "-I", "-S", "-c", _DETACHED, *command],
            env=dict(environ),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=_LAUNCH_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise StorageFailed(
            f"The supervisor of {spec_file.parent.parent.name!r} could not be started: {error}.",
            next_step="See that this user may start further processes, then call `start_jmeter_test` again.",
        ) from None


def is_alive(process: ProcessHandle | None, boot: str) -> bool:
    """Whether it is this very process that runs. A zombie has ended."""
    return process is not None and boot == boot_id() and start_time(process.pid) == process.start_time


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock file."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            # Shared: those who ask must not disturb each other.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def is_here(host: str) -> bool:
    """Whether this is the machine of that name."""
    return host == socket.gethostname()


def free_udp_port(ports: Sequence[int] = _PORTS) -> int:
    """A port for JMeter's commands that nobody listens on now."""
    for port in random.sample(ports, min(_PORT_TRIES, len(ports))):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise Conflict(
        f"Many UDP ports from {ports[0]} to {ports[-1]} were tried, and all are taken.",
        next_step="End what listens on them, then call `start_jmeter_test` again.",
    )


def end_java(
    spec: RunSpec, state: SupervisorState, asked_at: datetime, *, until: float, note: Callable[[Rung], None]
) -> None:
    """Walk the ladder in place of a dead supervisor, from where it was left, until Java or the time is over."""
    reached: Rung | None = None
    while state.java is not None and is_alive(state.java, state.boot_id):
        elapsed_s = (datetime.now(UTC) - asked_at).total_seconds()
        rung = cast("Rung", rung_at(elapsed_s, spec.graces.model_dump()))
        if rung != reached:
            reached = rung
            note(rung)
            send(rung, state.udp_port, state.java.pid)
        if time.monotonic() >= until:
            return
        time.sleep(_POLL_S)
