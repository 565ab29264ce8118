"""How many requests, how long and how much memory collections from Datadog take, against its stand-in."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from measuring import run_command

from perfsuite.artifacts import RunStore
from perfsuite.artifacts.schemas import Window
from perfsuite.sandbox.datadog.curves import Corner
from perfsuite.sandbox.datadog.spec import API_KEY, APPLICATION_KEY, DatadogSpec
from perfsuite.sandbox.datadog.standin import DatadogStandIn
from perfsuite.sandbox.serving import serving

COLLECT = Path(__file__).with_name("datadog_collect.py")
HOSTS = 40
USERS = 40
MOST_METRIC_REQUESTS = 10
MOST_LOG_REQUESTS = 60
PLENTY = {"limit": 100_000, "period_s": 10}


def datadog_collections(folder: Path) -> None:
    """Print one line for each collection, and one for each bound."""
    _line("1 host x 6 min", *_collected(folder, "get_host_metrics", 0.1, hosts=1))
    hosts = _collected(folder, "get_host_metrics", 24)
    _line(f"{HOSTS} hosts x 24 h", *hosts)
    logs = [_collected(folder, "get_logs", 1, lines=lines) for lines in (5_000, 50_000)]
    for found in logs:
        _line("logs of an hour", *found)
    _bound("requests for hosts", hosts[2], MOST_METRIC_REQUESTS)
    _bound("requests for 50,000 logs", logs[1][2], MOST_LOG_REQUESTS)
    _bound("MB more for ten times the logs", round(logs[1][1] - logs[0][1]), 20)


def _collected(
    folder: Path, tool: str, hours: float, *, hosts: int = HOSTS, lines: int = 0
) -> tuple[float, float, int, int]:
    """Seconds, peak memory in MB, requests, and rows in the files."""
    end = datetime.fromtimestamp((time.time() - 7200) // 300 * 300, UTC)
    begin = end - timedelta(hours=hours)
    run = _run(folder, begin, end, hosts)
    # Lines that come without any request are six a minute of each of the two services.
    share = max(0, lines - 360 * hours) / (USERS * 3600 * hours)
    with _stand_in(begin, end, share) as (standin, environ):
        arguments: dict[str, Any] = {"run_id": "bench", "environment": "QA"} | ({"type": "all"} if lines else {})
        command = [sys.executable, str(COLLECT), tool, json.dumps(arguments)]
        places = {"PERFSUITE_ARTIFACTS_DIR": str(run.parent), "PERFSUITE_CONFIG_DIR": str(folder)}
        seconds, peak = run_command(command, {**environ, **places})
        requests = len(standin.journal.received())
    return seconds, peak, requests, sum(_rows(path) for path in (run / "datadog").glob("*.csv"))


def _run(folder: Path, begin: datetime, end: datetime, hosts: int) -> Path:
    artifacts = folder / "datadog-artifacts"
    shutil.rmtree(artifacts, ignore_errors=True)
    run = RunStore(artifacts).create("bench")
    window = Window(first_sample_at=begin, last_sample_at=end)
    run.update(lambda record: record.model_copy(update={"window": window}))
    environment = {"env_tag": "perf", "hosts": [{"hostname": f"host-{number:02}"} for number in range(hosts)]}
    # JSON is YAML.
    (folder / "environments.yaml").write_text(json.dumps({"environments": {"QA": environment}}), encoding="utf-8")
    return run.root


@contextmanager
def _stand_in(begin: datetime, end: datetime, share: float) -> Iterator[tuple[DatadogStandIn, dict[str, str]]]:
    corners = (Corner(at=begin.timestamp() - 60, users=USERS), Corner(at=end.timestamp() + 60, users=USERS))
    spec = {
        "corners": corners,
        "hosts": [{"name": f"host-{number:02}"} for number in range(HOSTS)],
        "log": {"lines_per_request": share},
        "limits": {"logs_public_search_api": PLENTY},
    }
    standin = DatadogStandIn(DatadogSpec.of(spec))
    with serving(standin.app()) as url:
        yield standin, {"DD_API_KEY": API_KEY, "DD_APP_KEY": APPLICATION_KEY, "DATADOG_BASE_URL": url}


def _rows(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file) - 1


def _line(name: str, seconds: float, peak: float, requests: int, rows: int) -> None:
    print(f"{name:44} {seconds:9.3f} s {peak:7.0f} MB {requests:5} requests {rows:>9,} rows")


def _bound(name: str, found: float, most: float) -> None:
    print(f"{name:44} {found:9} of {most}  {'kept' if found <= most else 'BROKEN'}")
