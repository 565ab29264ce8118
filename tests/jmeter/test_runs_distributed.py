"""Tests whose load comes from two other engines, with the real JMeter."""

import csv
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest

from jmeter.running import Desk, Target, desk_in, target, until
from perfsuite import samples
from perfsuite.samples.definitions import Choice, Selection
from perfsuite.samples.summary import summarise
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.models.live import LiveStatus
from perfsuite_jmeter.models.runs import Graces
from perfsuite_jmeter.service.collecting import collect_results
from perfsuite_jmeter.service.runs import stop_run
from perfsuite_jmeter.service.status import run_status

LATER = 60.0
USERS_EACH = 2


@pytest.fixture(scope="module")
def hosts(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Two JMeters that wait for tests to be given to them, one after the other."""
    with ExitStack() as stack:
        consoles = [stack.enter_context(Waiting(engine, tmp_path_factory.mktemp("remote"))) for _ in range(2)]
        for one in consoles:
            until(one.is_ready, LATER)
        first, second = (one.host for one in consoles)
        yield first, second


class Waiting:
    """A JMeter that waits for a test, for as long as the block lasts."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        port = free_tcp_port()
        self.host, self._console = f"127.0.0.1:{port}", folder / "console.log"
        arguments = ["-s", "-j", str(folder / "jmeter.log"), "-Jserver.rmi.ssl.disable=true", f"-Dserver_port={port}"]
        command = engine.command([*arguments, "-Djava.rmi.server.hostname=127.0.0.1"])
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )

    def is_ready(self) -> bool:
        return b"Created remote object" in self._console.read_bytes()

    def __enter__(self) -> "Waiting":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def free_tcp_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def shop() -> Iterator[Target]:
    with target() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, engine: Engine, hosts: tuple[str, str]) -> Iterator[Desk]:
    with desk_in(tmp_path, engine) as found:
        yield found


def given(shop: Target, **more: str) -> dict[str, str]:
    own = {"port": str(shop.port), "threads": str(USERS_EACH), "token": "sent", "server.rmi.ssl.disable": "true"}
    return own | more


def rows(desk: Desk) -> list[dict[str, str]]:
    # A test may run before JMeter has opened the file for its first sample.
    path = desk.run("r1").root / "jmeter" / "test-results.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def status(desk: Desk) -> LiveStatus:
    return anyio.run(run_status, desk.runs, "r1")


def test_two_engines_run_one_test_and_are_told_apart_to_the_end(
    desk: Desk, shop: Target, hosts: tuple[str, str]
) -> None:
    started = desk.start(properties=given(shop, duration="5"), remote_hosts=hosts, graces=Graces(), up_s=LATER)
    assert (started.state, started.remote_hosts) == ("running", hosts)
    until(lambda: status(desk).users_now == 2 * USERS_EACH, LATER)
    assert desk.ended(patience_s=LATER).condition.state == "finished"
    assert shop.tokens == {"sent"}, "both were sent the properties"

    by_host = {host: [row for row in rows(desk) if row["threadName"].startswith(f"{host}-")] for host in hosts}
    assert sum(map(len, by_host.values())) == len(rows(desk))
    for measured in by_host.values():
        assert {row["allThreads"] for row in measured} <= {"1", "2"}
        assert len({row["threadName"] for row in measured}) == USERS_EACH
    # Both are on one machine, so this column alone would make them one.
    assert len({row["Hostname"] for row in rows(desk)}) == 1

    collected = collect_results(desk.runs, "r1")
    assert (collected.samples, collected.counts.agree) == (len(rows(desk)), True), collected.counts
    assert summarise([desk.run().root / "jmeter" / "test-results.csv"]).concurrency == 2 * USERS_EACH
    over_time = samples.open(desk.run()).over_time(1, Choice(), Selection())
    assert max(one.users or 0 for one in over_time) == 2 * USERS_EACH


def test_two_engines_are_stopped_the_gentle_way(desk: Desk, shop: Target, hosts: tuple[str, str]) -> None:
    desk.start(properties=given(shop), remote_hosts=hosts, graces=Graces(), up_s=LATER)
    until(lambda: {row["threadName"].partition("-")[0] for row in rows(desk)} == set(hosts), LATER)
    stopped = stop_run(desk.runs, "r1")
    assert (stopped.state, stopped.reached) == ("stopped", "Shutdown")
    assert {row["allThreads"] for row in rows(desk)} <= {"1", "2"}
