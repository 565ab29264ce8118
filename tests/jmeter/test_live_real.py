"""A real JMeter, followed by several processes while it runs, and collected when it has ended."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jmeter.running import Desk, Target, desk_in, target, until
from perfsuite.errors import NotReady
from perfsuite.samples.summary import Summary, summarise
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.service.collecting import collect_results
from perfsuite_jmeter.service.logs import analyze_log

FOLLOWER = """
import asyncio, sys
from pathlib import Path
from perfsuite.artifacts import RunStore
from perfsuite_jmeter.service.status import run_status

async def main() -> None:
    runs = RunStore(Path(sys.argv[1]))
    live = 0
    while True:
        found = await run_status(runs, "r1", wait_s=0.3)
        if found.state not in ("queued", "starting", "running", "stopping"):
            break
        live += found.total is not None and found.state == "running"
    sys.stdout.write(f'{{"live": {live}, "status": {found.model_dump_json()}}}')

asyncio.run(main())
"""


@pytest.fixture
def service() -> Iterator[Target]:
    with target() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, engine: Engine) -> Iterator[Desk]:
    with desk_in(tmp_path, engine) as found:
        yield found


def follower(desk: Desk) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FOLLOWER, str(desk.runs.root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(said)
    return found


def numbers(summary: Summary) -> list[dict[str, Any]]:
    names = ("samples", "errors", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "max_ms", "throughput_per_s")
    return [{name: pytest.approx(label.flat()[name], abs=0.001) for name in names} for label in summary.labels]


def test_two_followers_come_to_the_numbers_of_the_finished_file(desk: Desk, service: Target) -> None:
    desk.start(properties={"port": str(service.port), "duration": "4", "threads": "3"})
    followers = [follower(desk), follower(desk)]
    until(lambda: desk.state() == "running")
    with pytest.raises(NotReady, match="results are not complete"):
        collect_results(desk.runs, "r1")
    answers = [answer(one) for one in followers]
    first, second = (one["status"] for one in answers)
    assert first == second
    assert all(one["live"] for one in answers)
    assert first["state"] == "finished", first["reason"]
    results = desk.run().root / "jmeter" / "test-results.csv"
    [expected] = numbers(summarise([results]))
    [label] = first["labels"]
    assert {name: label[name] for name in expected} == expected
    assert {name: first["total"][name] for name in expected} == expected
    assert first["total"]["samples"] > 100
    assert first["generator"]["readings"] >= 1

    collected = collect_results(desk.runs, "r1")
    assert collected.samples == first["total"]["samples"]
    assert collected.counts.agree is True, collected.counts
    assert not [one for one in analyze_log(desk.runs, "r1").groups if one.level in ("ERROR", "FATAL")]


def test_a_target_that_is_down_is_told_by_results_that_failed(desk: Desk) -> None:
    desk.start(properties={"port": "1", "duration": "2"})
    assert desk.ended().condition.state == "finished"
    status = answer(follower(desk))["status"]
    assert status["total"]["error_rate"] == 1
    [error] = status["errors"]
    assert "HttpHostConnectException" in error["response_code"] + error["message"]
    assert collect_results(desk.runs, "r1").counts.agree is True
