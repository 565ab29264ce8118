"""How long a status takes on a large result file that grows: the first of a fresh server, and those that follow.

    python tests/benchmarks/live_status.py [--gigabytes 1] [--per-second 5000] [--calls 30] [--pause 1]

A process of its own writes rows at a steady rate, as JMeter would. The first status is asked of servers that begin
anew each time, without a note of an earlier one; the time is that of the call alone, as a client waits for it.
"""

import argparse
import fcntl
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

import jtl_generator

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.schemas import RunFacts
from perfsuite_jmeter.client.supervisor import boot_id, start_time
from perfsuite_jmeter.models.live import CHECKPOINT
from perfsuite_jmeter.models.runs import LOCK_FILE, SPEC, STATE, ProcessHandle, RunSpec, SupervisorState

FIRST_S: Final = 2.0
LATER_MS: Final = 50.0
_BYTES_PER_ROW: Final = 131.2
_TICK_S: Final = 0.1

_CALLS: Final = """
import asyncio, importlib, sys, time
from pathlib import Path
from perfsuite.artifacts import RunStore
from perfsuite.mcp.heavy import FAMILIES
from perfsuite_jmeter.service.status import run_status

root, calls, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
for module in FAMILIES["samples"]:
    importlib.import_module(module)

async def main():
    for call in range(calls):
        began = time.perf_counter()
        found = await run_status(RunStore(root), "r1")
        took = time.perf_counter() - began
        assert found.total is not None and found.state == "running", found
        sys.stdout.write(f"{took} {found.total.samples} {len(found.model_dump_json())}\\n")
        sys.stdout.flush()
        if call < calls - 1:
            await asyncio.sleep(pause)

asyncio.run(main())
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--per-second", type=int, default=5_000)
    parser.add_argument("--servers", type=int, default=5, help="fresh servers to ask for their first status")
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two calls")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "perfsuite-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    generated = jtl_generator.generate(options.folder, round(options.gigabytes * 1e9 / _BYTES_PER_ROW))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        run = _running(Path(folder), generated)
        with _supervised(run), _written(run, options.per_second):
            firsts = [_first(run) for _ in range(options.servers)]
            later = _asked(run, options.calls + 1, options.pause)[1:]
        size = run.path(layout.JMETER_RESULTS).stat().st_size
    rows = [count for _, count in later]
    first, median = statistics.median(firsts), statistics.median(took for took, _ in later) * 1000
    spread = f"{min(later)[0] * 1000:.1f} to {max(later)[0] * 1000:.1f}"
    print(f"results of {size / 1e9:.2f} GB, {options.per_second} rows a second added, load {os.getloadavg()[0]:.2f}")
    print(f"rows counted from the first to the last of {len(later)} later calls: {rows[0]:,} to {rows[-1]:,}")
    print(
        f"first status of a fresh server {first:8.3f} s   ({min(firsts):.3f} to {max(firsts):.3f}), at most {FIRST_S} s"
    )
    print(f"status while it grows          {median:8.1f} ms  ({spread}), at most {LATER_MS} ms in the median")
    return 0 if first <= FIRST_S and median <= LATER_MS else 1


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
    command = [sys.executable, __file__, "--write", str(run.path(layout.JMETER_RESULTS)), str(per_second)]
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


def _first(run: RunFolder) -> float:
    run.path(CHECKPOINT).unlink(missing_ok=True)
    [(took, _)] = _asked(run, 1, 0)
    return took


def _asked(run: RunFolder, calls: int, pause_s: float) -> list[tuple[float, int]]:
    """Seconds and rows of each of the calls to one server."""
    command = [sys.executable, "-c", _CALLS, str(run.root.parent), str(calls), str(pause_s)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [(float(took), int(rows)) for took, rows, _ in (line.split() for line in said.splitlines())]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(Path(sys.argv[2]), int(sys.argv[3]))
    sys.exit(main())
