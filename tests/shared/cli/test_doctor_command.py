"""`perfsuite doctor`."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest


def findings(out: str) -> dict[str, dict[str, str]]:
    return {finding["check"]: finding for finding in json.loads(out)["findings"]}


def test_everything_that_is_needed_is_tried(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from perfsuite.cli import main; main()", "doctor", "--json"],
        env=os.environ | {"PERFSUITE_ARTIFACTS_DIR": str(tmp_path / "artifacts")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = findings(done.stdout)
    assert {finding["state"] for finding in found.values()} <= {"ok", "unset", "warning"}
    assert found["statistics"]["found"].startswith("DuckDB ")
    assert "answers over stdio with" in found["perfanalysis-mcp"]["found"]
    assert "answers over stdio with" in found["perfsuite-mcp"]["found"]
    assert found["Datadog"]["found"] == "not configured: DD_API_KEY and DD_APP_KEY"
    assert "holds 0 runs" in found["artifacts"]["found"]


def test_what_is_broken_is_said_with_the_next_step(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFSUITE_CONFIG_DIR", str(tmp_path / "missing"))
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", "/")
    done = command("doctor")
    assert done.code == 1
    assert "Make the folder, or correct the variable." in done.out
    assert "the root of the file system" in done.out


def test_a_configuration_folder_that_is_there_is_named(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFSUITE_CONFIG_DIR", str(tmp_path))
    assert findings(command("doctor", "--json").out)["configuration"]["found"] == str(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_little_disk_is_a_warning(command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(disk / "artifacts"))
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        found = findings(command("doctor", "--json").out)
    finally:
        subprocess.run(["umount", disk], check=True)
    assert (found["artifacts"]["state"], found["temporary disk"]["state"]) == ("warning", "warning")
    assert "TMPDIR" in found["temporary disk"]["next_step"]
