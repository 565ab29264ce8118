"""What the tests of the all-in-one server share."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

COMMAND = Path(sys.executable).with_name("perfsuite-mcp")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Any]:
    """Start the command as clients do, and connect to it."""

    @asynccontextmanager
    async def started(
        *options: str, command: Path = COMMAND, mode: Any = "auto", **environ: str
    ) -> AsyncIterator[Client]:
        found = {"PERFSUITE_ARTIFACTS_DIR": str(tmp_path / "artifacts"), **environ}
        wire = StdioServerParameters(command=str(command), args=list(options), env=found)
        async with Client(wire, mode=mode, read_timeout_seconds=60) as client:
            yield client

    return started
