"""`perfsuite demo`, and `perfsuite run` of a JMeter test, with the real servers and the real JMeter."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jmeter.conftest import CACHE
from perfsuite.sandbox.plan import PlanDefaults, shop_plan
from perfsuite.sandbox.running import started
from perfsuite_jmeter.models.engine import Engine

COMMAND = [sys.executable, "-c", "from perfsuite.cli import main; main()"]
INTERRUPTED, STAGE_FAILED, INCONCLUSIVE = 130, 11, 10
PATIENCE_S = 900


class Desk:
    """A folder, and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        own = {"PERFSUITE_ARTIFACTS_DIR": str(folder / "artifacts"), "PERFSUITE_JMETER_CACHE_DIR": str(CACHE)}
        self.environ = {**os.environ, **own, "PERFSUITE_JMETER_HEAP": "256m"}

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments], cwd=self.folder, env={**self.environ, **environ}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str, **environ: str) -> tuple[int, str, str]:
        with self.start(*arguments, **environ) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, err

    def state(self, run_id: str) -> dict[str, Any]:
        """What the supervisor of the test has noted."""
        path = self.folder / "artifacts" / run_id / "jmeter" / "state.json"
        return dict(json.loads(path.read_bytes())) if path.is_file() else {}

    def left(self) -> list[str]:
        """The processes that have to do with this folder and are still there."""
        found = []
        for process in psutil.process_iter(["environ", "cmdline", "status"]):
            environ = process.info["environ"] or {}
            if environ.get("PERFSUITE_ARTIFACTS_DIR") == self.environ["PERFSUITE_ARTIFACTS_DIR"]:
                found.append(" ".join(process.info["cmdline"] or ()))
        return found


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Iterator[Desk]:
    """The engine is asked for so that it is there."""
    assert engine.home.is_dir()
    desk = Desk(tmp_path)
    yield desk
    assert desk.left() == []


@pytest.mark.parametrize("source", ["jmeter", "blazemeter"])
def test_the_demo_goes_from_a_load_test_to_a_page_and_leaves_no_process(desk: Desk, source: str) -> None:
    code, out, err = desk.run("demo", "--seconds", "45", "--users", "8", "--run-id", "d1", "--source", source, "--json")
    assert code == 0, out + err
    told = json.loads(out)
    [run] = told["runs"]
    assert (run["run_id"], run["source"], run["ending"], run["outcome"]) == ("d1", source, "done", "Success")
    assert run["verdict"] is not None
    assert told["truth"]["full_at_users"] == 20
    assert told["truth"]["trouble"].startswith("8% of the requests fail from 20")
    hosts = {file for file in run["files"] if file.startswith("datadog/host_metrics_")}
    assert hosts == {f"datadog/host_metrics_{name}.csv" for name in ("load-generator", "shop-1", "shop-2")}
    page = Path(told["page_copy"]).read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert "http://127.0.0.1" not in page.partition("<article>")[2].partition("<img")[0]
    assert (desk.folder / "artifacts" / "d1" / "demo" / "config" / "slas.yaml").is_file()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped_takes_its_load_test_with_it(desk: Desk, number: signal.Signals) -> None:
    with desk.start("demo", "--seconds", "120", "--run-id", "d1") as process:
        assert process.stdout is not None
        assert any("Start" in line for line in process.stdout)
        process.send_signal(number)
        said = process.stdout.read()
        assert process.wait(PATIENCE_S) == INTERRUPTED, said
    assert desk.state("d1")["phase"] == "ended"


def test_a_demo_whose_first_stage_fails_says_why_and_closes_everything(desk: Desk) -> None:
    code, out, err = desk.run("demo", "--run-id", "d1", "--json", PERFSUITE_JMETER_HEAP="much")
    assert code == STAGE_FAILED, out + err
    [run] = json.loads(out)["runs"]
    assert "PERFSUITE_JMETER_HEAP" in run["why"]
    assert {stage["ending"] for stage in run["stages"]} == {"failed", "not_reached"}


def test_a_driver_that_is_killed_in_a_test_finds_it_again_and_starts_no_other(desk: Desk) -> None:
    with started("shop") as shop:
        plan = desk.folder / "shop.jmx"
        plan.write_bytes(shop_plan(PlanDefaults(port=int(shop.url.rpartition(":")[2]), users=2, duration_s=8)))
        with desk.start("run", "--run-id", "r1", "--plan", str(plan), "--yes") as process:
            assert process.stdout is not None
            assert any("Start" in line for line in process.stdout)
            process.kill()
            process.wait(PATIENCE_S)
        assert desk.state("r1")["phase"] != "ended"
        code, out, err = desk.run("run", "--run-id", "r1", "--plan", str(plan), "--resume", "--yes", "--json")
    assert code == INCONCLUSIVE, out + err
    [run] = json.loads(out)["runs"]
    assert (run["ending"], run["outcome"]) == ("done", "Success")
    assert desk.state("r1")["attempt"] == 1
    assert {step["state"] for step in run["stages"][0]["steps"]} == {"done"}
    code, out, _ = desk.run("run", "--run-id", "r1", "--plan", str(plan), "--yes", "--json")
    assert (code, "was tested already" in json.loads(out)["runs"][0]["why"]) == (STAGE_FAILED, True)
