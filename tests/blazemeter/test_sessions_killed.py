"""Killed at any point, the sessions of a run are brought to the same end."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from perfsuite.sandbox.blazemeter import OpenBlazeMeter
from quick import UNCOUNTED

HERE = Path(__file__).parent
WHOLE = [
    "blazemeter/bzt-1.log",
    "blazemeter/bzt-2.log",
    "blazemeter/errors-1.jtl",
    "blazemeter/errors-2.jtl",
    "blazemeter/jmeter-2.log",
    "blazemeter/jmeter.log",
    "blazemeter/sessions.json",
    "blazemeter/test-results.csv",
    "samples.parquet",
]


def killed(how: str, folder: Path, service: OpenBlazeMeter) -> dict[str, Any]:
    """What came of it in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(HERE / "killing.py"), str(folder), how],
        env={**os.environ, **service.environment, "PYTHONPATH": str(HERE.parent), **UNCOUNTED},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_killed_before_any_file_is_in_its_place_it_ends_with_the_same_bytes(
    tmp_path: Path, service: OpenBlazeMeter
) -> None:
    said = killed("renames", tmp_path, service)
    assert said["files"] == WHOLE
    # Two archives, two folders, six logs, the merged file and the samples, and a note after each of them.
    assert said["kills"] >= 20


def test_killed_while_the_bytes_of_any_file_are_written_it_ends_with_the_same_bytes_and_no_halves(
    tmp_path: Path, service: OpenBlazeMeter
) -> None:
    said = killed("writes", tmp_path, service)
    assert said["files"] == WHOLE
    halves = " ".join(said["halves"])
    # What is being downloaded, unpacked (one of several), merged and read into samples.
    assert all(name in halves for name in ("archive.zip", "test-results.csv", "samples.parquet")), halves
    assert any(name in halves for name in (".jtl", "_log-")), halves
    assert said["kills"] >= 5
