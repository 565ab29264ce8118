"""Killed at any point, the sessions of a run are brought to the same end."""

import json
import os
import subprocess
import sys
from pathlib import Path

from perfsuite.sandbox.blazemeter import OpenBlazeMeter

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


def test_killed_before_any_file_is_in_its_place_it_ends_with_the_same_bytes(
    tmp_path: Path, service: OpenBlazeMeter
) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "killing.py"), str(tmp_path)],
        env={**os.environ, **service.environment, "PYTHONPATH": str(HERE.parent)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said == {"kills": said["kills"], "files": WHOLE}
    # Two archives, two folders, six logs, the merged file and the samples, and a note after each of them.
    assert said["kills"] >= 20
