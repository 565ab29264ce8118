"""What the analyses of a large run take, beside its import: one after the other by one server, through the protocol.

python tests/benchmarks/analyses.py FOLDER_OF_RUNS analyse    does them, and leaves what they took in a file
"""

import asyncio
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Final

from jtl_generator import generate
from measuring import Measured, run_command

RUN_ID: Final = "bench"
HOSTS: Final = 20
SECONDS: Final = 3_600
TOOLS: Final = (
    "analyze_test_results",
    "analyze_environment_metrics",
    "correlate_test_results",
    "identify_bottlenecks",
    "analyze_logs",
)
PERFSUITE: Final = str(Path(sys.executable).with_name("perfsuite"))


def analyses(folder: Path, rows: int) -> None:
    """Import once, add an hour of metrics of twenty hosts, and run every analysis that the server has."""
    file = generate(folder, rows)
    artifacts = folder / "analysed"
    shutil.rmtree(artifacts, ignore_errors=True)
    environ = {"PERFSUITE_ARTIFACTS_DIR": str(artifacts), "PYTHONPATH": str(Path(__file__).parent.parent)}
    took, peak = run_command([PERFSUITE, "import", str(file), "--run-id", RUN_ID, "--json"], environ)
    reference = Measured("import", [took], [peak])
    print(reference.line())
    run_command([sys.executable, __file__, str(artifacts), "metrics"], environ)
    _, peak = run_command([sys.executable, __file__, str(artifacts), "analyse"], environ)
    found = json.loads((artifacts / "took.json").read_text())
    for tool, (seconds, calls, slowest_s) in found.items():
        waited = f"  {calls} other calls meanwhile, the slowest {slowest_s * 1000:.0f} ms"
        print(Measured(tool, [seconds]).line(reference), waited)
    print(Measured("all analyses", [sum(one[0] for one in found.values())], [peak]).line(reference))


def write_metrics(artifacts: Path) -> None:
    import numpy as np

    from perfanalysis import synthetic
    from perfsuite.artifacts import RunStore

    run = RunStore(artifacts).open(RUN_ID)
    for number in range(HOSTS):
        rng = np.random.default_rng(number)
        synthetic.write_metrics(run, f"app-{number}", synthetic.calm_host(rng, SECONDS))


async def analyse(artifacts: Path) -> None:
    """Run every analysis that the server has, and ask for the status meanwhile."""
    from mcp import Client

    from perfsuite_perfanalysis.server import server

    took = {}
    async with Client(server) as client:
        there = {tool.name for tool in (await client.list_tools()).tools}
        await client.call_tool("get_analysis_status", {"run_id": RUN_ID})
        for tool in TOOLS:
            if tool in there:
                took[tool] = await _measured(client, tool)
    (artifacts / "took.json").write_text(json.dumps(took))


async def _measured(client: Any, tool: str) -> tuple[float, int, float]:
    began, waits = time.perf_counter(), []
    answer = await _call(client, tool, wait_s=0)
    while answer["state"] == "working":
        asked = time.perf_counter()
        await client.call_tool("get_analysis_status", {"run_id": RUN_ID})
        waits.append(time.perf_counter() - asked)
        answer = await _call(client, tool, wait_s=0.2)
    return time.perf_counter() - began, len(waits), max(waits, default=0.0)


async def _call(client: Any, tool: str, wait_s: float) -> dict[str, Any]:
    result = await client.call_tool(tool, {"run_id": RUN_ID, "wait_s": wait_s})
    if result.is_error:
        sys.exit(result.content[0].text)
    found: dict[str, Any] = result.structured_content
    return found


if __name__ == "__main__":
    place, what = Path(sys.argv[1]), sys.argv[2]
    os.environ["PERFSUITE_ARTIFACTS_DIR"] = str(place)
    if what == "metrics":
        write_metrics(place)
    else:
        asyncio.run(analyse(place))
