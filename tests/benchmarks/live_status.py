"""How long a status takes on a large result file that grows: the first of a fresh server, and those that follow.

A process of its own writes rows at a steady rate, as JMeter would. The times are those of calls by an MCP client over
standard input and output, the first ones asked of servers that begin anew each time and are asked at once. Promised is
the first status of a server that goes on from the note of an earlier one, as after a restart in the middle of a run.
What it takes to read everything from the beginning, where nobody ever asked before, is told beside it.
"""

import fcntl
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import anyio
import jtl_generator
from measuring import server_command

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.cli.session import Consent, Server, with_server
from perfsuite_jmeter.client.supervisor import boot_id, start_time
from perfsuite_jmeter.models.live import CHECKPOINT
from perfsuite_jmeter.models.runs import LOCK_FILE, SPEC, STATE, ProcessHandle, RunSpec, SupervisorState

FIRST_S: Final = 2.0
LATER_MS: Final = 50.0
_BYTES_PER_ROW: Final = 131.2
_TICK_S: Final = 0.1
_CALLS_LATER: Final = 30
_PAUSE_S: Final = 1.0


@dataclass
class Times:
    """What the calls took, and what they were about."""

    firsts_s: list[float]
    from_beginning_s: list[float]
    later_s: list[float]
    rows: list[int]
    size: int
    per_second: int

    @property
    def is_kept(self) -> bool:
        return statistics.median(self.firsts_s) <= FIRST_S and statistics.median(self.later_s) * 1000 <= LATER_MS

    def lines(self) -> Iterator[str]:
        later = [1000 * one for one in self.later_s]
        yield f"results of {self.size / 1e9:.2f} GB, {self.per_second:,} rows a second added"
        yield f"rows counted in {len(later)} later calls: {self.rows[0]:,} to {self.rows[-1]:,}"
        yield (
            f"first status of a fresh server  {statistics.median(self.firsts_s):8.3f} s   "
            f"({min(self.firsts_s):.3f} to {max(self.firsts_s):.3f}), at most {FIRST_S} s"
        )
        yield (
            f"the same without an earlier note {statistics.median(self.from_beginning_s):7.3f} s   "
            f"({min(self.from_beginning_s):.3f} to {max(self.from_beginning_s):.3f})"
        )
        yield (
            f"status while it grows           {statistics.median(later):8.1f} ms  "
            f"({min(later):.1f} to {max(later):.1f}), at most {LATER_MS} ms in the median"
        )


def status_times(folder: Path, *, gigabytes: float = 1.0, per_second: int = 5_000, servers: int = 5) -> Times:
    """Ask so many fresh servers for their first status, and then one of them again and again."""
    generated = jtl_generator.generate(folder, round(gigabytes * 1e9 / _BYTES_PER_ROW))
    with tempfile.TemporaryDirectory(dir=folder) as place:
        run = _running(Path(place), generated)
        with _supervised(run), _written(run, per_second):
            # In turns, so that what disturbs the machine disturbs both alike.
            both = [(_from_beginning(run), _first(run)) for _ in range(servers)]
            later = _asked(run, _CALLS_LATER + 1)[1:]
        size = run.path(layout.JMETER_RESULTS).stat().st_size
    from_beginning, firsts = ([one[way] for one in both] for way in (0, 1))
    return Times(firsts, from_beginning, [took for took, _ in later], [count for _, count in later], size, per_second)


def _running(folder: Path, generated: Path) -> RunFolder:
    """A run that looks as if JMeter had been writing for an hour."""
    run = RunStore(folder).create("r1", RunFacts(source="jmeter"))
    results = run.path(layout.JMETER_RESULTS)
    results.parent.mkdir()
    subprocess.run(["cp", str(generated), str(results)], check=True)
    now, me = datetime.now(UTC), ProcessHandle(pid=os.getpid(), start_time=start_time(os.getpid()) or "")
    spec = {
        "run_id": "r1",
        "attempt": 1,
        "asked_at": now,
        "plan": "p.jmx",
        "plan_sha256": "0" * 64,
        "command": ("java",),
    }
    run.save(SPEC, RunSpec.model_validate(spec | {"cwd": ".", "udp_port": 20_000}))
    state = {"attempt": 1, "phase": "running", "host": os.uname().nodename, "boot_id": boot_id(), "supervisor": me}
    run.save(
        STATE, SupervisorState.model_validate(state | {"udp_port": 20_000, "started_at": now, "test_started_at": now})
    )
    return run


@contextmanager
def _supervised(run: RunFolder) -> Iterator[None]:
    with (run.path(layout.JMETER_RESULTS).parent / LOCK_FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _written(run: RunFolder, per_second: int) -> Iterator[None]:
    """A process of its own adds rows as long as the block lasts."""
    command = [sys.executable, __file__, str(run.path(layout.JMETER_RESULTS)), str(per_second)]
    writer = subprocess.Popen(command)
    try:
        yield
    finally:
        writer.terminate()
        writer.wait()


def write(results: Path, per_second: int) -> None:
    """Add rows at a steady rate, until the process is ended."""
    row = "{},{},{:02d} GET /api/v1/resource,{},Checkout 1-{},text,{},,1200,210,200,200,https://shop.example/api/v1/r/{},5,0,1\n"
    number, began = 0, time.monotonic()
    with results.open("a", encoding="ascii") as file:
        while True:
            due = int((time.monotonic() - began) * per_second)
            now = time.time_ns() // 1_000_000
            for n in range(number, due):
                code = "500,Internal Server Error" if n % 200 == 0 else "200,OK"
                file.write(row.format(now, n * 37 % 900, n % 40, code, n % 200, str(n % 200 > 0).lower(), n % 40))
            file.flush()
            number = due
            time.sleep(_TICK_S)


def _from_beginning(run: RunFolder) -> float:
    run.path(CHECKPOINT).unlink(missing_ok=True)
    return _first(run)


def _first(run: RunFolder) -> float:
    [(took, _)] = _asked(run, 1)
    return took


def _asked(run: RunFolder, calls: int) -> list[tuple[float, int]]:
    """Seconds and rows of each of the calls to one server."""

    async def ask(server: Server) -> list[tuple[float, int]]:
        found = []
        for call in range(calls):
            await anyio.sleep(_PAUSE_S if call else 0)
            began = time.perf_counter()
            status = await server.ask("get_jmeter_run_status", run_id=run.run_id, next_step="")
            found.append((time.perf_counter() - began, status["total"]["samples"]))
        return found

    return anyio.run(
        with_server, "jmeter", server_command(run.root.parent), Consent(always=True, at_terminal=False), ask
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
