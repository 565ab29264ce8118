"""What the reports of a large run take: an hour of 60 labels on 20 hosts, against one bare matplotlib chart.

python tests/benchmarks/reports.py FOLDER    makes them in a process of its own, and leaves what they took in a file
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from charts import RUN, bare_chart
from measuring import Measured, interleaved, run_command

MOST: Final = 40.0
"""Times the bare chart, for the report in all formats and the six default charts."""
MOST_PAGE_MB: Final = 3.0
MOST_MEMORY_MB: Final = 600.0
MOST_WAIT_S: Final = 0.1
"""For another call, while charts are drawn and the report is written."""
ROUNDS: Final = 7
_BARE, _ALL = "bare matplotlib chart", "report in all formats, six charts"
_TOOK: Final = "took.json"


@dataclass(frozen=True)
class ReportCosts:
    """What was promised of large reports."""

    bare: Measured
    every: Measured
    page_mb: float
    calls: int
    slowest_s: float

    @property
    def is_kept(self) -> bool:
        return not any(missed for _, missed in self._told())

    def lines(self) -> Iterator[str]:
        for line, missed in self._told():
            yield line + (f"   {missed}" if missed else "")

    def _told(self) -> Iterator[tuple[str, str]]:
        memory = max(self.every.peak_mb)
        yield self.bare.line(), ""
        is_slow = self.every.median_s > MOST * self.bare.median_s
        yield self.every.line(self.bare), f"more than {MOST:g} x" if is_slow else ""
        yield f"peak memory {memory:.0f} MB", f"more than {MOST_MEMORY_MB:g}" if memory > MOST_MEMORY_MB else ""
        yield f"web page {self.page_mb:.2f} MB", f"more than {MOST_PAGE_MB:g}" if self.page_mb > MOST_PAGE_MB else ""
        waited = f"{self.calls} other calls meanwhile, the slowest {self.slowest_s * 1000:.0f} ms"
        yield waited, f"more than {MOST_WAIT_S * 1000:g} ms" if self.slowest_s > MOST_WAIT_S else ""


def report_costs(folder: Path) -> ReportCosts:
    """The run is made here, so that its making does not count as memory of the reports."""
    if not (folder / "artifacts" / RUN).is_dir():
        from perfreport.pictured import large, made

        folder.mkdir(parents=True, exist_ok=True)
        made(folder, large(), RUN)
    environ = {
        "PERFSUITE_ARTIFACTS_DIR": str(folder / "artifacts"),
        "PERFSUITE_CONFIG_DIR": str(folder),
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    _, peak_mb = run_command([sys.executable, __file__, str(folder)], environ)
    took = json.loads((folder / _TOOK).read_text(encoding="utf-8"))
    bare, every = (Measured(name, took[name]) for name in (_BARE, _ALL))
    every.peak_mb.append(peak_mb)
    page = folder / "artifacts" / RUN / f"reports/performance_report_{RUN}.html"
    return ReportCosts(bare, every, page.stat().st_size / 1e6, took["calls"], took["slowest_s"])


def measure(folder: Path) -> None:
    """Everything is imported and made once before: a server has warmed up."""
    commands: dict[str, Callable[[], tuple[float, float]]] = {
        _BARE: lambda: _timed(bare_chart),
        _ALL: lambda: _timed(lambda: _charts_and_report(folder)),
    }
    for command in commands.values():
        command()
    found: dict[str, Any] = {name: one.seconds for name, one in interleaved(commands, ROUNDS).items()}
    found["calls"], found["slowest_s"] = asyncio.run(_meanwhile())
    (folder / _TOOK).write_text(json.dumps(found), encoding="utf-8")


def _charts_and_report(folder: Path) -> None:
    from perfsuite.artifacts import RunStore
    from perfsuite_perfreport.service.charts import create_charts, load_charts
    from perfsuite_perfreport.service.reporting import Asked, create_report

    runs = RunStore(folder / "artifacts")
    create_charts(runs, RUN, "default", None, load_charts((folder,)))
    create_report(runs, RUN, Asked(folders=(folder,)))


async def _meanwhile() -> tuple[int, float]:
    """How often the server answered another client while it drew and wrote, and how long the slowest answer took."""
    from mcp import Client

    from perfsuite_perfreport.server import server

    waits = list[float]()
    async with Client(server) as worker, Client(server) as other:
        await other.call_tool("list_templates", {})
        work = asyncio.create_task(_work(worker))
        while not work.done():
            began = time.perf_counter()
            await other.call_tool("list_templates", {})
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(0.02)
        await work
    return len(waits), max(waits)


async def _work(client: Any) -> None:
    for tool in ("create_chart", "create_performance_test_report"):
        answer = await client.call_tool(tool, {"run_id": RUN})
        if answer.is_error:
            sys.exit(f"{tool} failed: {answer.content[0].text}")


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    began = time.process_time()
    work()
    return time.process_time() - began, 0.0


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
