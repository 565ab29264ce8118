"""A BlazeMeter that answers over a real socket, a time that tests set, and a client of the server that asks it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import ElicitRequestParams, ElicitResult, TextContent

from hands import Hands
from perfsuite.artifacts import RunStore
from perfsuite.sandbox.blazemeter import BlazeMeterSpec, OpenBlazeMeter, opened, recording
from perfsuite.sandbox.blazemeter.catalog import CHECKOUT_TEST
from perfsuite.sandbox.blazemeter.recording import Recording
from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.standins.application import Backstage
from perfsuite.sandbox.standins.faults import Fault

RESULTS = Path(__file__).parents[1] / "data" / "checkout.jtl"
# Of these results: their first sample began then, and the newest run of the stand-in has just that time.
FIRST_SAMPLE = "2026-01-01T10:00:00Z"
NEWEST = 7_000_012
OLDEST = 7_000_001
"""The archived one."""
TEST = 3001
STRICT_RUN = NEWEST - 3
"""A run that failed its thresholds."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    """Both generations of the protocol."""
    return str(request.param)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """What the stand-in tells of its runs. To read it takes longer than most tests, and none of them changes it."""
    return recording.read((RESULTS,), tmp_path_factory.mktemp("recorded"), BlazeMeterSpec((RESULTS,)).engines)


@pytest.fixture
def service(
    tmp_path: Path, hands: Hands, recorded: Recording, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenBlazeMeter]:
    """The stand-in, and the environment that leads to it."""
    monkeypatch.setattr(recording, "read", lambda *_: recorded)
    (tmp_path / "standin").mkdir()
    backstage = Backstage(clock=Clock(lambda: hands.now, hands.sleep))
    with opened(BlazeMeterSpec((RESULTS,)), tmp_path / "standin", backstage) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(tmp_path / "artifacts"))
    return tmp_path / "artifacts"


@pytest.fixture
def runs(artifacts: Path) -> RunStore:
    return RunStore(artifacts)


@dataclass
class Said:
    """What a tool answered."""

    is_error: bool
    text: str
    fields: dict[str, Any]


class Tools:
    """The tools of the server, called as a client calls them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def try_to(self, tool: str, **arguments: Any) -> Said:
        """Call a tool that may fail."""
        result = await self._client.call_tool(tool, arguments)
        [content] = result.content
        assert isinstance(content, TextContent)
        return Said(bool(result.is_error), content.text, dict(result.structured_content or {}))

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must not fail."""
        said = await self.try_to(tool, **arguments)
        assert not said.is_error, said.text
        return said.fields

    async def refused(self, tool: str, **arguments: Any) -> str:
        """Call a tool that must fail, for what it says."""
        said = await self.try_to(tool, **arguments)
        assert said.is_error, said.text
        return said.text


Connect = Callable[..., Any]


@pytest.fixture
def connect(service: OpenBlazeMeter, artifacts: Path) -> Connect:
    """A client of the server, which asks the stand-in."""

    @asynccontextmanager
    async def connected(mode: str = "auto", **options: Any) -> AsyncIterator[Tools]:
        from perfsuite_blazemeter.server import server

        async with Client(server, mode=mode, **options) as client:  # type: ignore[arg-type]
            yield Tools(client)

    return connected


@pytest.fixture
def fault(service: OpenBlazeMeter) -> Callable[..., None]:
    """Let something go wrong on a route."""

    def switch(route: str, kind: str, **options: Any) -> None:
        service.standin.faults.switch_on(f"blazemeter.{route}", Fault(kind, **options))

    return switch


@pytest.fixture
def asked(service: OpenBlazeMeter) -> Callable[[str], list[Any]]:
    """The requests that arrived on a route."""
    return lambda route: service.standin.journal.received(f"blazemeter.{route}")


class User:
    """Someone who agrees, and remembers to what."""

    def __init__(self, *, agrees: bool = True) -> None:
        self.agrees = agrees
        self.questions: list[str] = []

    async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        return ElicitResult(action="accept" if self.agrees else "decline", content={"agreed": self.agrees})


def started(service: OpenBlazeMeter, hands: Hands) -> int:
    """A run that begins now."""
    return service.standin.masters.start(CHECKOUT_TEST, hands.now).id
