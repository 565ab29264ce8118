"""Real result files of other projects. They are not part of the repository; tests that use them are skipped without."""

import os
from pathlib import Path

import pytest

_ROOT = Path(os.environ.get("PERFSUITE_FIXTURES") or Path(__file__).resolve().parents[1] / ".." / "shared" / "fixtures")


def fixture(path: str) -> Path:
    """A file below the folder of fixtures, or a skipped test where it is absent."""
    found = _ROOT / path
    if not found.exists():
        pytest.skip(f"no fixture {path!r}: set PERFSUITE_FIXTURES to the folder that holds it")
    return found
