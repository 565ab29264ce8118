"""The architecture holds, and what breaks it is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from suite.repository import ROOT, server_folders

FOLDERS = ["shared", *(f"servers/{name}" for name in server_folders())]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts against the code below this folder."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(str(root / folder) for folder in FOLDERS)}
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    return subprocess.run(command, cwd=root, env=environ, check=False, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The code of the repository, to be broken."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept() -> None:
    found = lint(ROOT)
    assert found.returncode == 0, found.stdout
    assert " 0 broken" in found.stdout


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("shared/perfsuite/stray.py", ""),
        ("servers/perfanalysis/perfsuite_perfanalysis/stray.py", ""),
        ("shared/perfsuite/samples/upward.py", "import perfsuite.workflow"),
        ("shared/perfsuite/workflow/server_bound.py", "import perfsuite_perfanalysis"),
        ("shared/perfsuite/samples/talking.py", "import mcp"),
        ("servers/perfreport/perfsuite_perfreport/service/carrying.py", "import perfsuite_suite"),
    ],
)
def test_a_module_in_the_wrong_place_breaks_a_contract(copy: Path, path: str, code: str) -> None:
    (copy / path).write_text(f"{code}\n", encoding="utf-8")
    found = lint(copy)
    assert found.returncode == 1, found.stdout
    assert "BROKEN" in found.stdout
    assert Path(path).stem in found.stdout
