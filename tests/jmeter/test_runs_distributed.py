"""A test whose load comes from another engine, with the real JMeter."""

import csv
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jmeter.running import Desk, desk_in, target, until
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.models.runs import Graces
from perfsuite_jmeter.service.runs import stop_run

LATER = 40.0


def free_tcp_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def remote_engine(engine: Engine, folder: Path) -> Iterator[str]:
    """A JMeter that waits for a test to be given to it."""
    folder.mkdir()
    port = free_tcp_port()
    arguments = ["-s", "-j", str(folder / "jmeter.log"), "-Jserver.rmi.ssl.disable=true", f"-Dserver_port={port}"]
    command = engine.command([*arguments, "-Djava.rmi.server.hostname=127.0.0.1"])
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
    try:
        until(lambda: b"Created remote object" in (folder / "console.log").read_bytes(), LATER)
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def rows(desk: Desk) -> list[dict[str, str]]:
    # A test may run before JMeter has opened the file for its first sample.
    path = desk.run("r1").root / "jmeter" / "test-results.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def test_a_remote_engine_gets_the_properties_and_is_stopped_the_gentle_way(tmp_path: Path, engine: Engine) -> None:
    with desk_in(tmp_path, engine) as desk, target() as shop, remote_engine(engine, tmp_path / "remote") as host:
        given = {"port": str(shop.port), "threads": "3", "token": "sent", "server.rmi.ssl.disable": "true"}
        started = desk.start(properties=given, remote_hosts=(host,), graces=Graces(), up_s=LATER)
        assert (started.state, started.remote_hosts) == ("running", (host,))
        assert shop.asked.wait(LATER)
        until(lambda: len(rows(desk)) > 3, LATER)
        stopped = stop_run(desk.runs, "r1")
        assert (stopped.state, stopped.reached) == ("stopped", "Shutdown")
        measured = rows(desk)
        assert {row["threadName"].partition("-")[0] for row in measured} == {host}
        assert {row["allThreads"] for row in measured} <= {"1", "2", "3"}
        assert "Hostname" in measured[0]
        assert shop.tokens == {"sent"}
