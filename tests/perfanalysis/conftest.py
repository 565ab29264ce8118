"""A run with samples, and a client of the server that answers about it."""

import csv
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from perfsuite.artifacts import RunStore
from perfsuite.workflow.importing import ImportRequest, import_results

HEADER = ["timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "success", "failureMessage",
          "bytes", "sentBytes", "grpThreads", "allThreads", "URL", "Latency", "IdleTime", "Connect"]  # fmt: skip
START_MS = 1_790_000_000_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    """Both generations of the protocol."""
    return str(request.param)


def jtl_row(second: float, elapsed: int, label: str, **other: Any) -> dict[str, Any]:
    success = other.pop("success", True)
    return {
        "timeStamp": START_MS + round(second * 1000),
        "elapsed": elapsed,
        "label": label,
        "responseCode": "200" if success else "500",
        "responseMessage": "OK" if success else "Internal Server Error",
        "threadName": "Users 1-1",
        "success": str(success).lower(),
        "bytes": 1000,
        "sentBytes": 100,
        "grpThreads": 5,
        "allThreads": 5,
        **other,
    }


def write_jtl(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(tmp_path / "artifacts"))
    return tmp_path / "artifacts"


@pytest.fixture
def imported(artifacts: Path, tmp_path: Path) -> Callable[..., str]:
    """Import rows under a run id."""

    def make(rows: list[dict[str, Any]], run_id: str = "checkout-1") -> str:
        file = write_jtl(tmp_path / f"{run_id}.csv", rows)
        import_results(RunStore(artifacts), run_id, ImportRequest((file,)))
        return run_id

    return make


@pytest.fixture
def client(mode: str, artifacts: Path) -> Callable[[], Any]:
    @asynccontextmanager
    async def connected() -> AsyncIterator[Client]:
        from perfsuite_perfanalysis.server import server

        async with Client(server, mode=mode) as connection:  # type: ignore[arg-type]
            yield connection

    return connected
