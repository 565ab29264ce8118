"""What the tests of the MCP base share."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client

from shared.mcp import demo_server

Mode = Literal["auto", "legacy"]
Connect = Callable[..., Any]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    """Both generations of the protocol."""
    return str(request.param)


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def connect(mode: Mode, artifacts: Path) -> Connect:
    """Open a client of the demo server in this process."""

    @asynccontextmanager
    async def connected(**options: Any) -> AsyncIterator[Client]:
        environ = {"PERFSUITE_ARTIFACTS_DIR": str(artifacts), **options.pop("environ", {})}
        async with Client(demo_server.build(environ), mode=mode, **options) as client:
            yield client

    return connected


@pytest.fixture
def work() -> demo_server.Work:
    return demo_server.fresh_work()
