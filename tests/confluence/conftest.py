"""A Confluence of either flavour that answers over a real socket, a run with a report, and a client of the server."""

import base64
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import ElicitRequestParams, ElicitResult, TextContent

from hands import Hands
from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.confluence import ConfluenceSpec, OpenConfluence, opened
from perfsuite.sandbox.confluence.wiki import Page
from perfsuite.sandbox.standins.application import Backstage
from perfsuite.sandbox.standins.faults import Fault

REPORT = Path(__file__).parent / "report.txt"
RUN = "checkout-1"
TITLE = f"Load test of the checkout ({RUN})"
CHANGED = "# Load test of the checkout\n\nNow it is **[PASS]**.\n\n![p90](../charts/P90_USERS.png)\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["cloud", "onprem"])
def mode(request: pytest.FixtureRequest) -> str:
    """Both flavours of Confluence."""
    return str(request.param)


@pytest.fixture
def hands() -> Hands:
    return Hands()


VARIABLES = ("URL", "EMAIL", "API_TOKEN", "CLOUD_ID", "PAT", "USER", "PASSWORD")


@pytest.fixture
def service(mode: str, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenConfluence]:
    """The stand-in, and the environment that leads to it."""
    for name in VARIABLES:
        monkeypatch.delenv(f"CONFLUENCE_{name}", raising=False)
    spec = ConfluenceSpec(flavour=mode)
    with opened(spec, Backstage(clock=Clock(lambda: hands.now, hands.sleep))) as found:
        monkeypatch.setenv("CONFLUENCE_URL", found.base_url)
        if mode == "cloud":
            monkeypatch.setenv("CONFLUENCE_EMAIL", spec.email)
            monkeypatch.setenv("CONFLUENCE_API_TOKEN", spec.api_token)
        else:
            monkeypatch.setenv("CONFLUENCE_PAT", spec.pat)
        yield found


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(tmp_path / "artifacts"))
    return tmp_path / "artifacts"


@pytest.fixture
def runs(artifacts: Path) -> RunStore:
    return RunStore(artifacts)


def png(width: int = 640, height: int = 360, shade: int = 200) -> bytes:
    """A picture in one shade of grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([shade]) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


CHARTS = ("P90_USERS", "ERRORS_BY_CODE")


def write_report(run: RunFolder, markdown: str | None = None, charts: tuple[str, ...] = CHARTS) -> None:
    """Give a run a report and its charts."""
    with run.staged(layout.REPORT_MARKDOWN) as target:
        target.write_text(REPORT.read_text(encoding="utf-8") if markdown is None else markdown, encoding="utf-8")
    for number, chart in enumerate(charts):
        with run.staged(layout.CHART, chart_id=chart) as target:
            target.write_bytes(png(shade=100 + number % 100))


@pytest.fixture
def run(runs: RunStore) -> RunFolder:
    """A run with the report that a test begins with."""
    made = runs.open_or_create(RUN)
    write_report(made)
    return made


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

    async def try_to(self, tool: str, /, **arguments: Any) -> Said:
        """Call a tool that may fail."""
        result = await self._client.call_tool(tool, arguments)
        [content] = result.content
        assert isinstance(content, TextContent)
        return Said(bool(result.is_error), content.text, dict(result.structured_content or {}))

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must not fail."""
        said = await self.try_to(tool, **arguments)
        assert not said.is_error, said.text
        return said.fields

    async def refused(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool that must fail, for what it says."""
        said = await self.try_to(tool, **arguments)
        assert said.is_error, said.text
        return said.text


@dataclass
class Publisher:
    """Publishes the report of the run, as an agent does that asked the user itself."""

    tools: Tools
    mode: str
    options: dict[str, Any] = field(default_factory=dict)

    async def publish(self, **options: Any) -> dict[str, Any]:
        report = await self.tools.call("publish_report", **self._arguments(options))
        assert report["state"] == "done"
        return dict(report["result"])

    async def refused(self, **options: Any) -> str:
        return await self.tools.refused("publish_report", **self._arguments(options))

    def _arguments(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"mode": self.mode, "run_id": RUN, "space": "PERF", "confirm": True, **self.options, **options}


Connect = Callable[..., Any]


@pytest.fixture
def connect(service: OpenConfluence, artifacts: Path) -> Connect:
    """A client of the server, which asks the stand-in."""

    @asynccontextmanager
    async def connected(era: str = "auto", **options: Any) -> AsyncIterator[Tools]:
        from perfsuite_confluence.server import server

        async with Client(server, mode=era, **options) as client:  # type: ignore[arg-type]
            yield Tools(client)

    return connected


@pytest.fixture
async def publisher(connect: Connect, run: RunFolder, mode: str) -> AsyncIterator[Publisher]:
    async with connect() as tools:
        yield Publisher(tools, mode)


@pytest.fixture
def fault(service: OpenConfluence, mode: str) -> Callable[..., None]:
    """Let something go wrong on a route."""

    def switch(route: str, kind: str, **options: Any) -> None:
        service.standin.faults.switch_on(f"confluence.{mode}.{route}", Fault(kind, **options))

    return switch


@pytest.fixture
def asked(service: OpenConfluence, mode: str) -> Callable[[str], list[Any]]:
    """The requests that arrived on a route."""
    return lambda route: service.standin.journal.received(f"confluence.{mode}.{route}")


@pytest.fixture
def pages(service: OpenConfluence) -> Callable[[str], list[Page]]:
    """The pages of a title, in any state but the trash."""

    def found(title: str) -> list[Page]:
        return service.standin.site.wiki.found(title=title, statuses=("current", "archived", "draft"))

    return found


class User:
    """Someone who agrees, and remembers to what."""

    def __init__(self, *, agrees: bool = True) -> None:
        self.agrees = agrees
        self.questions: list[str] = []

    async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        return ElicitResult(action="accept" if self.agrees else "decline", content={"agreed": self.agrees})


def basic(user: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"
