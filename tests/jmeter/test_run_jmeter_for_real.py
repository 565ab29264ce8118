"""`perfsuite run-jmeter` with the real server and the real JMeter, against the shop."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jmeter.conftest import CACHE
from perfsuite.sandbox.plan import PlanDefaults, shop_plan
from perfsuite.sandbox.running import started
from perfsuite_jmeter.models.engine import Engine

COMMAND = [sys.executable, "-c", "from perfsuite.cli import main; main()", "run-jmeter"]
INTERRUPTED = 130


@pytest.fixture
def plan(engine: Engine, tmp_path: Path) -> Iterator[Path]:
    """The shop's plan, and the shop; the engine is asked for so that it is there."""
    assert engine.home.is_dir()
    with started("shop") as shop:
        path = tmp_path / "shop.jmx"
        path.write_bytes(shop_plan(PlanDefaults(port=int(shop.url.rpartition(":")[2]))))
        yield path


def environment(folder: Path) -> dict[str, str]:
    own = {"PERFSUITE_ARTIFACTS_DIR": str(folder / "artifacts"), "PERFSUITE_JMETER_CACHE_DIR": str(CACHE)}
    return {**os.environ, **own, "PERFSUITE_JMETER_HEAP": "256m"}


def has_rows(results: Path) -> bool:
    return results.exists() and results.read_bytes().count(b"\n") > 1


def test_a_test_runs_to_its_end_and_is_collected(plan: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, str(plan), "--run-id", "r1", "-J", "duration=3", "--yes", "--json"], cwd=plan.parent,
        env=environment(plan.parent), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(ended.stdout)
    assert (found["state"], found["status"]["total"]["errors"]) == ("finished", 0)
    assert found["collected"]["samples"] == found["status"]["total"]["samples"] > 10
    assert {one["label"] for one in found["status"]["labels"]} >= {"POST /login", "GET /items/{id}"}


def test_ctrl_c_stops_it_gently_and_keeps_what_was_measured(plan: Path) -> None:
    command = [*COMMAND, str(plan), "--run-id", "r1", "-J", "duration=120", "--yes"]
    results = plan.parent / "artifacts" / "r1" / "jmeter" / "test-results.csv"
    with subprocess.Popen(
        command, cwd=plan.parent, env=environment(plan.parent), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        said = ""
        while "r1 running" not in said or not has_rows(results):
            said += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said += process.stdout.read()
        assert process.wait(60) == INTERRUPTED, said
    assert "r1 stopped" in said
    assert "jmeter/test-results.csv" in said
    state = json.loads((plan.parent / "artifacts" / "r1" / "jmeter" / "state.json").read_text(encoding="utf-8"))
    assert (state["phase"], state["stop"]["by"], state["stop"]["reached"]) == ("ended", "user", "Shutdown")
