"""A stand-in of BlazeMeter over real sockets, somebody who asks it, and a time that stands still."""

import asyncio
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from perfsuite.sandbox.blazemeter import BlazeMeterSpec, BlazeMeterStandIn, opened
from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.standins.application import Backstage
from perfsuite.sandbox.standins.faults import Fault
from suite.repository import ROOT

CHECKOUT = ROOT / "tests" / "data" / "checkout.jtl"
NEWEST = 7_000_012
ARCHIVED = 7_000_001
NOW = 1_790_000_000.0


@dataclass
class Desk:
    """Who asks. `now` is the time of the stand-in."""

    http: httpx.Client
    now: float = NOW
    storage_url: str = ""
    standin: BlazeMeterStandIn = field(init=False)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query or None)

    def result(self, path: str, **query: Any) -> Any:
        answer = self.get(path, **query).json()
        assert answer["error"] is None, answer
        return answer["result"]

    def post(self, path: str, content: Any = None) -> Any:
        return self.http.post(path, json=content).json()["result"]

    def fault(self, route: str, kind: str, **how: Any) -> None:
        self.standin.faults.switch_on(f"blazemeter.{route}", Fault(kind, **how))

    def sessions(self, master: int = NEWEST) -> list[dict[str, Any]]:
        return list(self.result(f"/masters/{master}/sessions")["sessions"])

    def archive_url(self, master: int = NEWEST, engine: int = 0) -> str:
        logs = self.result(f"/sessions/{self.sessions(master)[engine]['id']}/reports/logs")
        return str(logs["data"][0]["dataUrl"])

    def archive(self, master: int = NEWEST, engine: int = 0) -> zipfile.ZipFile:
        return zipfile.ZipFile(io.BytesIO(httpx.get(self.archive_url(master, engine)).raise_for_status().content))

    def start(self, test: int = 3001) -> int:
        return int(self.post(f"/tests/{test}/start", {"isDebugRun": False})["id"])


@contextmanager
def desk(folder: Path, results: tuple[Path, ...] = (CHECKOUT,), **spec: Any) -> Iterator[Desk]:
    """Open a stand-in and sit down before it."""
    made = BlazeMeterSpec(results, **spec)
    with httpx.Client(auth=(made.key_id, made.key_secret)) as http:
        found = Desk(http)
        backstage = Backstage(clock=Clock(lambda: found.now, asyncio.sleep))
        with opened(made, folder, backstage) as service:
            found.standin, found.storage_url = service.standin, service.storage_url
            http.base_url = httpx.URL(service.base_url)
            yield found
