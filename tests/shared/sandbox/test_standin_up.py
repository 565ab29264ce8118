"""`perfsuite sandbox up`: all stand-ins at once, one load behind them, and the environment that the servers need."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from perfsuite.artifacts import RunStore
from perfsuite.configuration import read_configuration
from perfsuite.errors import BadInput, NotFound
from perfsuite.sandbox.standins.faults import Fault, read_fault
from perfsuite.sandbox.up import ENVIRONMENT, Up, Wishes, opened
from perfsuite.workflow.importing import ImportRequest, import_results
from perfsuite_datadog.models.environments import Environments
from shared.sandbox.blazemeter import CHECKOUT

PATIENCE_S = 60
COMMAND = [sys.executable, "-c", "from perfsuite.cli import main; main()", "sandbox", "up", "--port", "0"]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with opened(Wishes(runs=3, boot_s=1, speed=1000), tmp_path_factory.mktemp("up")) as found:
        yield found


def blazemeter(up: Up) -> httpx.Client:
    auth = up.environment["API_KEY_ID"], up.environment["API_KEY_SECRET"]
    return httpx.Client(base_url=up.environment["BLAZEMETER_BASE_URL"], auth=auth)


def window_of(up: Up, master: int) -> tuple[int, int]:
    with blazemeter(up) as http:
        summary = http.get(f"/masters/{master}/reports/default/summary").json()["result"]["summary"]
    row = next(row for row in summary if row["id"] == "ALL")
    return row["first"], row["last"]


def cpu(up: Up, begin: int, end: int) -> float:
    """The mean of the busy share of a host."""
    keys = {"DD-API-KEY": up.environment["DD_API_KEY"], "DD-APPLICATION-KEY": up.environment["DD_APP_KEY"]}
    asked: dict[str, Any] = {"from": begin, "to": end, "query": "avg:system.cpu.idle{host:shop-web-1}"}
    found = httpx.get(f"{up.environment['DATADOG_BASE_URL']}/api/v1/query", params=asked, headers=keys).json()
    values = [value for _, value in found["series"][0]["pointlist"]]
    return 100 - float(sum(values) / len(values))


def test_the_environment_has_keys_that_are_taken(up: Up) -> None:
    with blazemeter(up) as http:
        assert http.get("/user").status_code == 200
    assert cpu(up, *window_of(up, up.newest_run)) > 0


def test_hosts_are_busy_while_runs_have_load(up: Up) -> None:
    first, last = window_of(up, up.newest_run)
    earlier = window_of(up, up.newest_run - 1)
    idle = cpu(up, first - 600, first - 60)
    assert earlier[0] == first - 86_400
    assert cpu(up, first + 60, last) > idle + 3
    assert cpu(up, earlier[0] + 60, earlier[1]) > idle + 3


def test_a_run_that_is_started_here_ends_and_has_samples(up: Up) -> None:
    with blazemeter(up) as http:
        master = http.post("/tests/3001/start").json()["result"]["id"]
        while http.get(f"/masters/{master}/status").json()["result"].get("progress") != 140:
            pass
    assert window_of(up, master)[1] > window_of(up, master)[0]


def test_confluence_is_there_in_both_flavours(up: Up) -> None:
    cloud, onprem = up.environment, up.confluence_onprem
    login = cloud["CONFLUENCE_EMAIL"], cloud["CONFLUENCE_API_TOKEN"]
    found = httpx.get(f"{cloud['CONFLUENCE_URL']}/api/v2/spaces?keys={up.space}", auth=login).json()["results"]
    bearer = {"Authorization": f"Bearer {onprem['CONFLUENCE_PAT']}"}
    space = httpx.get(f"{onprem['CONFLUENCE_URL']}/rest/api/space/{up.space}", headers=bearer).json()
    assert [one["name"] for one in found] == [space["name"]]
    assert onprem["CONFLUENCE_URL"] in up.exports()


def test_the_configuration_names_what_is_there(up: Up) -> None:
    path = Path(up.environment["PERFSUITE_CONFIG_DIR"], "environments.yaml")
    found = read_configuration(Environments, path).environments[ENVIRONMENT]
    assert (found.env_tag, found.hostnames) == ("perf", ("shop-db-1", "shop-web-1"))
    assert [one.filter for one in found.kubernetes.services] == ["checkout", "catalog"]


def test_one_control_page_is_for_all(up: Up) -> None:
    routes = httpx.get(f"{up.control_url}/_routes").json()["routes"]
    assert {route["name"].partition(".")[0] for route in routes} == {"blazemeter", "confluence", "datadog"}
    httpx.post(f"{up.control_url}/_faults", json={"route": "*.user", "kind": "too_many", "times": 1})
    with blazemeter(up) as http:
        assert [http.get("/user").status_code for _ in range(2)] == [429, 200]


def test_a_run_folder_is_the_load(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    import_results(store, "example", ImportRequest((CHECKOUT,)))
    wishes = Wishes((tmp_path / "artifacts" / "example",), runs=1, faults=("blazemeter.user=server_error:times=1",))
    with opened(wishes, tmp_path) as found, blazemeter(found) as http:
        assert [http.get("/user").status_code for _ in range(2)] == [503, 200]
        [row] = [
            one for one in http.get("/data/labels?master_id=7000001").json()["result"] if one["name"] == "Checkout"
        ]
    assert row["sessions"]


@pytest.mark.parametrize("keeps_times", [False, True])
def test_the_newest_run_ended_lately_unless_times_are_kept(tmp_path: Path, keeps_times: bool) -> None:
    with opened(Wishes((CHECKOUT,), runs=2, keeps_times=keeps_times), tmp_path) as found:
        first, last = window_of(found, found.newest_run)
        told = [datetime.fromisoformat(one).timestamp() for one in found.newest_load]
        hour = timedelta(hours=1).total_seconds()
        assert (abs(time.time() - hour - last) < PATIENCE_S) is not keeps_times
        assert (found.newest_load[0] == "2026-01-01T10:00:00Z") is keeps_times
        assert found.newest_load[0] in found.exports()
        assert told == pytest.approx([first, last], abs=2)
        assert keeps_times or cpu(found, first - 60, last + 60) > 0


def test_a_test_is_set_up_for_the_load_of_its_runs(tmp_path: Path) -> None:
    with opened(Wishes((CHECKOUT,), runs=1), tmp_path) as found, blazemeter(found) as http:
        [execution] = http.get("/tests/3001").json()["result"]["overrideExecutions"]
    assert (execution["concurrency"], execution["holdFor"]) == (8, "23s")


def test_the_lines_for_a_shell_are_taken_by_one(up: Up) -> None:
    shell = shutil.which("sh")
    assert shell
    script = f"{up.exports()}\nprintf '%s' \"$BLAZEMETER_BASE_URL $PERFSUITE_CONFIG_DIR\""
    shown = subprocess.run([shell, "-c", script], check=True, capture_output=True, text=True).stdout
    assert shown == f"{up.environment['BLAZEMETER_BASE_URL']} {up.environment['PERFSUITE_CONFIG_DIR']}"


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*COMMAND, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_nothing_is_left(number: int) -> None:
    with started("--json", str(CHECKOUT)) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        folder = Path(told["environment"]["PERFSUITE_CONFIG_DIR"])
        assert folder.is_dir()
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
    assert not folder.parent.exists()


def test_it_ends_with_whoever_started_it() -> None:
    with started("--json") as process:
        assert process.stdout
        assert process.stdin
        process.stdout.readline()
        process.stdin.close()
        process.stdin = None
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fault", "blazemeter.nothing=slow"], "No route is called 'blazemeter.nothing'"),
        (["--fault", "blazemeter.user"], "has no fault ''"),
        (["missing.jtl"], "missing.jtl"),
    ],
)
def test_what_it_cannot_do_is_said(options: list[str], said: str) -> None:
    environ = {**os.environ, "COLUMNS": "500"}
    ended = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=PATIENCE_S, env=environ)
    assert ended.returncode in {2, 4}
    assert said in ended.stderr


def test_a_fault_can_be_written_as_text() -> None:
    assert read_fault("a.b=too_many:times=2,seconds=0.5") == ("a.b", Fault("too_many", times=2, seconds=0.5))
    with pytest.raises(BadInput):
        read_fault("a.b=slow:times=often")
    with pytest.raises(BadInput):
        read_fault("a.b=slow:colour=red")


def test_a_fault_of_nowhere_ends_it_all(tmp_path: Path) -> None:
    with pytest.raises(NotFound), opened(Wishes((CHECKOUT,), runs=1, faults=("x=slow",)), tmp_path):
        pass
