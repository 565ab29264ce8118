"""The official conformance suite asks every server over HTTP, in both eras of the protocol.

It needs Node 22 and the package @modelcontextprotocol/conformance; PERFSUITE_CONFORMANCE names its command. What it
expects of a server made for it alone stands in a baseline with the reason; an entry that no longer fails is a failure.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.mcp.driver import Driver
from suite.repository import server_folders

ERAS = ("2025-11-25", "2026-07-28")
PATIENCE_S = 180


@pytest.fixture(scope="module")
def conformance() -> str:
    command = os.environ.get("PERFSUITE_CONFORMANCE")
    if not command:
        pytest.skip("PERFSUITE_CONFORMANCE does not name the command of the package @modelcontextprotocol/conformance")
    return command


@pytest.fixture(scope="module", params=server_folders())
def address(
    conformance: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    environ = {"PERFSUITE_ARTIFACTS_DIR": str(tmp_path_factory.mktemp("artifacts"))}
    with Driver("--http", "--port", "0", module=f"perfsuite_{request.param}.server", env=environ) as server:
        yield server.until_said("Listening on ").split()[-1]


@pytest.mark.parametrize("era", ERAS)
def test_a_server_conforms(conformance: str, address: str, era: str, tmp_path: Path) -> None:
    baseline = Path(__file__).with_name(f"conformance-{era}.yml")
    done = subprocess.run(
        [
            conformance, "server", "--url", address, "--suite", "all", "--spec-version", era,
            "--expected-failures", str(baseline),
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
