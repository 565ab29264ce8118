"""A Datadog of one's own behind a real socket, a run with a time under load, and a client of the server."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from datadog.tables import BEGIN, END
from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.artifacts.schemas import RunFacts, Window
from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.datadog.curves import Corner
from perfsuite.sandbox.datadog.spec import API_KEY, APPLICATION_KEY, DatadogSpec
from perfsuite.sandbox.datadog.standin import DatadogStandIn
from perfsuite.sandbox.serving import serving
from perfsuite.sandbox.standins.application import Backstage


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    """Both generations of the protocol."""
    return str(request.param)


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(tmp_path / "artifacts"))
    return tmp_path / "artifacts"


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write the configuration files of the user."""
    folder = tmp_path / "configuration"
    folder.mkdir()
    monkeypatch.setenv("PERFSUITE_CONFIG_DIR", str(folder))

    def write(environments: dict[str, Any], **queries: Any) -> None:
        # JSON is YAML, without the anchors that a dump of YAML would have.
        (folder / "environments.yaml").write_text(json.dumps({"environments": environments}), encoding="utf-8")
        if queries:
            (folder / "custom_queries.yaml").write_text(json.dumps(queries), encoding="utf-8")

    return write


@pytest.fixture
def datadog(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., DatadogStandIn]]:
    """Start a stand-in of this spec, and have the server ask it."""
    from contextlib import ExitStack

    monkeypatch.setenv("DD_API_KEY", API_KEY)
    monkeypatch.setenv("DD_APP_KEY", APPLICATION_KEY)
    with ExitStack() as open_ones:

        def start(*, users: int = 40, ahead_s: float = 0, **spec: Any) -> DatadogStandIn:
            corners = tuple(Corner(at=at, users=users) for at in (BEGIN.timestamp() - 60, END.timestamp() + 60))
            backstage = Backstage(clock=Clock.real(ahead_s))
            standin = DatadogStandIn(DatadogSpec.of({"corners": corners, **spec}), backstage)
            monkeypatch.setenv("DATADOG_BASE_URL", open_ones.enter_context(serving(standin.app())))
            return standin

        yield start


@dataclass(frozen=True)
class Caller:
    """Calls tools of the server and takes their answers apart."""

    client: Client

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.content[0].text  # type: ignore[union-attr]
        content: dict[str, Any] = result.structured_content or {}
        return content

    async def collect(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """The result of a job, however long a busy machine takes for it."""
        report = await self.call(tool, **arguments)
        while report["state"] == "working":
            report = await self.call(tool, **arguments)
        assert report["state"] == "done"
        result: dict[str, Any] = report["result"]
        return result

    async def refused(self, tool: str, /, **arguments: Any) -> str:
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error
        return str(result.content[0].text)  # type: ignore[union-attr]


@pytest.fixture
def connect(mode: str, artifacts: Path) -> Callable[[], Any]:
    @asynccontextmanager
    async def connected() -> AsyncIterator[Caller]:
        from perfsuite_datadog.server import server

        async with Client(server, mode=mode) as client:  # type: ignore[arg-type]
            yield Caller(client)

    return connected


@pytest.fixture
def run(artifacts: Path) -> RunFolder:
    """A run that was under load for the hour, in the environment QA."""
    facts = RunFacts.model_validate({"source": "import"})
    found = RunStore(artifacts).create("load-1", facts)
    found.update(lambda record: record.model_copy(update={"window": Window(first_sample_at=BEGIN, last_sample_at=END)}))
    return found


def content(run: RunFolder, path: str) -> Any:
    return json.loads((run.root / path).read_text(encoding="utf-8"))
