"""An MCP client that is not ours: the official Inspector drives the servers over stdio, in both protocol eras.

It needs Node and the package @modelcontextprotocol/inspector; PERFSUITE_INSPECTOR names its command.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perfsuite.artifacts import RunStore
from perfsuite.workflow.importing import ImportRequest, import_results
from suite.repository import command_of, server_folders

EXAMPLE = Path(__file__).parents[1] / "data" / "checkout.jtl"


@pytest.fixture
def inspector() -> str:
    command = os.environ.get("PERFSUITE_INSPECTOR")
    if not command:
        pytest.skip("PERFSUITE_INSPECTOR does not name the command of the package @modelcontextprotocol/inspector")
    return command


@pytest.fixture(params=["legacy", "modern"])
def ask(inspector: str, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Call a method of the server through the Inspector."""
    import_results(RunStore(tmp_path), "example", ImportRequest((EXAMPLE,)))
    server = Path(sys.executable).with_name("perfanalysis-mcp")

    def call(*options: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [
                inspector, "--cli", str(server), "-q", "--format", "json", "--protocol-era", str(request.param),
                "-e", f"PERFSUITE_ARTIFACTS_DIR={tmp_path}", *options,
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )  # fmt: skip

    return call


def test_the_tools_are_listed_and_their_schemas_are_portable(ask: Any) -> None:
    done = ask("--method", "tools/list", "--strict")
    assert done.returncode == 0, done.stderr
    assert "query_samples" in done.stdout


def test_a_question_is_answered_with_structured_content(ask: Any) -> None:
    arguments = json.dumps({"run_id": "example", "limit": 3})
    done = ask("--method", "tools/call", "--tool-name", "query_samples", "--tool-args-json", arguments)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)["result"]["structuredContent"]
    assert answer["overall"]["samples"] > 0
    assert len(answer["rows"]) == 3


def test_a_mistake_is_told_with_what_to_do(ask: Any) -> None:
    arguments = json.dumps({"run_id": "example", "limitt": 3})
    done = ask("--method", "tools/call", "--tool-name", "query_samples", "--tool-args-json", arguments)
    assert done.returncode != 0
    assert "limit" in done.stdout + done.stderr


def test_files_of_a_run_are_resources_and_the_page_for_agents_is_a_prompt(ask: Any) -> None:
    done = ask("--method", "resources/read", "--uri", "run://example/import/aggregate_performance_report.csv")
    assert "labelName" in done.stdout, done.stderr
    done = ask("--method", "prompts/get", "--prompt-name", "perfanalysis_rules")
    assert "query_samples(" in done.stdout, done.stderr


@pytest.mark.parametrize("server", server_folders())
def test_the_tools_of_every_server_are_portable(inspector: str, server: str) -> None:
    command = [inspector, "--cli", str(Path(sys.executable).with_name(command_of(server))), "-q", "--format", "json"]
    listed = [*command, "--protocol-era", "modern", "--method", "tools/list", "--strict"]
    done = subprocess.run(listed, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "cancel_job" in done.stdout
