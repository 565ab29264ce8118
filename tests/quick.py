"""What keeps the tests quick: work that is done once, and what is not counted."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

UNCOUNTED = {"COVERAGE_PROCESS_CONFIG": ""}
"""For processes whose code has tests elsewhere: to count what they run takes as long as to run it."""


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first process that needs it fills. Nobody may change what is in there."""
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, mark = root / name, root / f"{name}.made"
    with FileLock(root / f"{name}.lock"):
        if not mark.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            mark.touch()
    return folder
