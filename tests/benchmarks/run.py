"""Prints what perfsuite takes, as ratios to a reference that is measured in the same run.

just bench                  everything at 1 million rows, in a quarter of an hour
just bench --rows 10000000  the sizes that the targets are about
just bench --only stats     one part; --help lists them

The parts that run the real JMeter say what was promised, and fail where it is missed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# The plans of the tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from analyses import analyses
from blazemeter_sessions import blazemeter
from charts import chart_times
from datadog_requests import datadog_collections
from jmeter_report import jmeter_report
from jtl_generator import generate
from live_status import status_times
from measuring import Measured, Promise, interleaved, run_command
from proof import prove
from reports import report_costs
from saturation import prove_saturation
from server_start import server_starts, tool_list_sizes
from supervised_run import supervision_costs

HERE = Path(__file__).parent
PERFSUITE = str(Path(sys.executable).with_name("perfsuite"))
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "perfsuite-benchmarks")
    parser.add_argument("--only", choices=list(PARTS), action="append")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    missed = []
    for part in options.only or list(PARTS):
        print(f"\n## {part}" if part in WITHOUT_ROWS else f"\n## {part}, {options.rows:,} rows")
        if PARTS[part](options.folder, options.rows) is False:
            missed.append(part)
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


def stats(folder: Path, rows: int) -> None:
    file = generate(folder, rows)
    measured = _against_reference(file, folder)
    reference = measured["reference: bare DuckDB scan"]
    for one in measured.values():
        print(one.line(reference))


def _against_reference(file: Path, folder: Path) -> dict[str, Measured]:
    _read_once(file)
    environ = {"PERFSUITE_ARTIFACTS_DIR": str(folder / "artifacts")}
    return interleaved(
        {
            "reference: bare DuckDB scan": lambda: run_command(
                [sys.executable, str(HERE / "reference_scan.py"), str(file)]
            ),
            "floor: newline count (wc -l)": lambda: run_command(["wc", "-l", str(file)]),
            "perfsuite stats": lambda: run_command([PERFSUITE, "stats", str(file), "--json"]),
            "perfsuite import": lambda: _fresh_import(file, folder, environ),
        },
        ROUNDS,
    )


def _fresh_import(file: Path, folder: Path, environ: dict[str, str]) -> tuple[float, float]:
    shutil.rmtree(folder / "artifacts", ignore_errors=True)
    return run_command([PERFSUITE, "import", str(file), "--run-id", "bench", "--json"], environ)


def memory(folder: Path, rows: int) -> None:
    environ = {"PERFSUITE_ARTIFACTS_DIR": str(folder / "artifacts")}
    for name, count, fractional in (
        ("", rows, False),
        ("three times the rows", 3 * rows, False),
        ("fractional ms", rows, True),
    ):
        file = generate(folder, count, fractional=fractional)
        _, stats_mb = run_command([PERFSUITE, "stats", str(file), "--json"])
        _, import_mb = _fresh_import(file, folder, environ)
        print(f"{name or 'rows as given':24} {count:>12,} rows   stats {stats_mb:6.0f} MB   import {import_mb:6.0f} MB")


def queries(folder: Path, rows: int) -> None:
    from perfsuite import samples
    from perfsuite.artifacts import RunStore
    from perfsuite.samples.definitions import Choice, Selection

    file = generate(folder, rows)
    _fresh_import(file, folder, {"PERFSUITE_ARTIFACTS_DIR": str(folder / "artifacts")})
    found = samples.open(RunStore(folder / "artifacts").open("bench"))
    chosen, every = Choice(), Selection()
    measured = interleaved(
        {
            "reference: bare DuckDB scan": lambda: run_command(
                [sys.executable, str(HERE / "reference_scan.py"), str(file)]
            ),
            "labels table": lambda: _timed(lambda: found.statistics(chosen, every)),
            "percentiles over time, 10 s": lambda: _timed(lambda: found.over_time(10, chosen, every)),
            "error groups": lambda: _timed(lambda: found.error_groups(every)),
        },
        ROUNDS,
    )
    for one in measured.values():
        print(one.line(measured["reference: bare DuckDB scan"]))


def jmeter(folder: Path, rows: int) -> None:
    file = generate(folder, rows)
    _read_once(file)
    report = jmeter_report(folder, file)
    measured = interleaved(
        {
            "JMeter's own report (-g)": report,
            "perfsuite stats": lambda: run_command([PERFSUITE, "stats", str(file), "--json"]),
        },
        3 if rows <= 1_000_000 else 1,
    )
    ours = measured["perfsuite stats"]
    for one in measured.values():
        print(one.line(ours))


def datadog(folder: Path, _rows: int) -> None:
    datadog_collections(folder)


def servers(_folder: Path, _rows: int) -> None:
    measured = server_starts(rounds=11)
    bare = measured["bare MCPServer with one tool"]
    for one in measured.values():
        print(one.line(bare))
    for name, (tools, size) in tool_list_sizes().items():
        print(f"tools/list of {name:30} {tools:3} tools {size:7,} bytes")


def supervised(folder: Path, _rows: int) -> bool:
    return _kept(supervision_costs(folder / "supervised", pairs=9, duration_s=15))


def live(folder: Path, _rows: int) -> bool:
    return _kept(status_times(folder))


def proof(folder: Path, _rows: int) -> bool:
    return _kept(prove(folder / "proof"))


def saturation(folder: Path, _rows: int) -> bool:
    return _kept(prove_saturation(folder / "saturation"))


def charts(folder: Path, _rows: int) -> bool:
    return _kept(chart_times(folder / "charts"))


def reports(folder: Path, _rows: int) -> bool:
    return _kept(report_costs(folder / "charts"))


def _kept(found: Promise) -> bool:
    for line in found.lines():
        print(line)
    one, five, _ = os.getloadavg()
    print(f"load of the machine over one minute {one:.1f}, over five {five:.1f}, of {os.cpu_count()} cores")
    return found.is_kept


def _read_once(file: Path) -> None:
    subprocess.run(["cat", str(file)], stdout=subprocess.DEVNULL, check=True)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began, 0.0


PARTS: dict[str, Callable[[Path, int], bool | None]] = {
    "stats": stats,
    "memory": memory,
    "queries": queries,
    "analyses": analyses,
    "jmeter": jmeter,
    "datadog": datadog,
    "servers": servers,
    "blazemeter": blazemeter,
    "supervised": supervised,
    "live": live,
    "proof": proof,
    "saturation": saturation,
    "charts": charts,
    "reports": reports,
}
WITHOUT_ROWS = {"datadog", "servers", "blazemeter", "supervised", "live", "proof", "saturation", "charts", "reports"}

if __name__ == "__main__":
    main()
