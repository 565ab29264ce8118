"""Analysed runs, made once, and a client of the server that reports on them."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from perfsuite.artifacts import RunStore
from quick import made_once

from .reported import make_runs


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    """Both generations of the protocol."""
    return str(request.param)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs `calm`, `storm` and `bare`, analysed."""
    return made_once(tmp_path_factory, "reported", make_runs) / "artifacts"


@pytest.fixture
def artifacts(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them."""
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(tmp_path / "artifacts"))
    monkeypatch.setenv("PERFSUITE_CONFIG_DIR", str(tmp_path))
    return Path(shutil.copytree(prepared, tmp_path / "artifacts"))


@pytest.fixture
def runs(artifacts: Path) -> RunStore:
    return RunStore(artifacts)


@pytest.fixture
def client(mode: str, artifacts: Path) -> Callable[[], Any]:
    @asynccontextmanager
    async def connected() -> AsyncIterator[Client]:
        from perfsuite_perfreport.server import server

        async with Client(server, mode=mode) as connection:  # type: ignore[arg-type]
            yield connection

    return connected
