"""A shop in this process, whose time passes only when somebody waits; and both flavours of Confluence."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.shop.control import shop_app
from perfsuite.sandbox.shop.service import Shop
from perfsuite.sandbox.shop.spec import ShopSpec
from shared.sandbox.confluence_desk import Desk as ConfluenceDesk
from shared.sandbox.confluence_desk import desk as confluence_desk

EPOCH = 1_790_000_000.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Time:
    """A clock that stands still until everybody sleeps, and then goes on to whoever wakes first."""

    def __init__(self) -> None:
        self.now = EPOCH
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._sleepers, (self.now + seconds, self._number, woken))
        await woken

    async def all(self, *work: Any) -> list[Any]:
        """Do all of this at once, and let time pass as it needs."""
        tasks = [asyncio.ensure_future(one) for one in work]
        while not all(task.done() for task in tasks):
            await self._everybody_sleeps()
            if self._sleepers:
                wakes, _, woken = heapq.heappop(self._sleepers)
                self.now = max(self.now, wakes)
                woken.set_result(None)
        return [task.result() for task in tasks]

    async def _everybody_sleeps(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


class ShopDesk:
    """A shop, somebody who shops there, and the time they have."""

    def __init__(self, spec: ShopSpec, log: Path) -> None:
        self.time = Time()
        self.log = log
        self.shop = Shop(spec, clock=Clock(lambda: self.time.now, self.time.sleep), access_log=log)
        transport = httpx.ASGITransport(shop_app(self.shop))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("POST", path, **options)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        [response] = await self.time.all(self.http.request(method, path, **options))
        assert isinstance(response, httpx.Response)
        return response

    async def log_in(self) -> dict[str, str]:
        """The headers of somebody who has logged in."""
        token = (await self.post("/login", json={"user": "anna"})).json()["token"]
        return {"Authorization": f"Bearer {token}"}

    async def fault(self, **values: Any) -> httpx.Response:
        return await self.post("/_faults", json=values)

    async def lists(self, count: int, headers: dict[str, str]) -> list[httpx.Response]:
        """So many lists at once."""
        return await self.time.all(*(self.http.get("/items", headers=headers) for _ in range(count)))

    async def wait(self, seconds: float) -> None:
        await self.time.all(self.time.sleep(seconds))


@pytest.fixture
def spec() -> ShopSpec:
    return ShopSpec(workers=2, service_ms=50, queue_length=4, queue_timeout_ms=80)


@pytest.fixture
async def desk(spec: ShopSpec, tmp_path: Path) -> AsyncIterator[ShopDesk]:
    found = ShopDesk(spec, tmp_path / "access.log")
    yield found
    await found.http.aclose()
    found.shop.access_log.close()


@pytest.fixture(scope="module")
def cloud_desk(request: pytest.FixtureRequest) -> Iterator[ConfluenceDesk]:
    with confluence_desk("cloud", **getattr(request.module, "SPEC", {})) as found:
        yield found


@pytest.fixture(scope="module")
def onprem_desk(request: pytest.FixtureRequest) -> Iterator[ConfluenceDesk]:
    with confluence_desk("onprem", **getattr(request.module, "SPEC", {})) as found:
        yield found


@pytest.fixture
def cloud(cloud_desk: ConfluenceDesk) -> ConfluenceDesk:
    cloud_desk.start_again()
    return cloud_desk


@pytest.fixture
def onprem(onprem_desk: ConfluenceDesk) -> ConfluenceDesk:
    onprem_desk.start_again()
    return onprem_desk


@pytest.fixture(params=["cloud", "onprem"])
def wiki(request: pytest.FixtureRequest) -> ConfluenceDesk:
    found: ConfluenceDesk = request.getfixturevalue(request.param)
    return found
