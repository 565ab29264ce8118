"""Builds the wheel, looks into it, installs it in a new environment, and tries it there. Run by `just wheel`."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from suite.repository import ROOT, pyproject

UV = os.environ.get("UV", "uv")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run(UV, "build", "--quiet", "--wheel", "--out-dir", scratch, str(ROOT))
        [wheel] = folder.glob("*.whl")
        check_content(wheel)
        python = installed(wheel, folder / "elsewhere")
        check_commands(python.parent, folder)
    sys.stdout.write(f"{wheel.name} is complete and works where it is installed.\n")


def check_content(wheel: Path) -> None:
    """Every module, every template and every page for agents, and nothing else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    targets = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]
    packages = [Path(package) for package in targets["packages"]]
    kept = [(one, path) for one in packages for kind in ("*.py", "templates/*.*") for path in (ROOT / one).rglob(kind)]
    modules = {path.relative_to(ROOT / one.parent) for one, path in kept}
    pages = {Path("perfsuite/agents_rules") / page.relative_to(ROOT / "agents-rules") for page in rules()}
    expected = {path.as_posix() for path in modules | pages}
    found = {name for name in names if ".dist-info/" not in name}
    assert found == expected, f"missing {sorted(expected - found)}, too much {sorted(found - expected)}"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def rules() -> list[Path]:
    return sorted((ROOT / "agents-rules").rglob("*.md"))


def installed(wheel: Path, environment: Path) -> Path:
    """The Python of a new environment that holds the wheel, and what the lock says it needs."""
    needs = environment.with_suffix(".txt")
    run(UV, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "-o", str(needs), cwd=ROOT)
    run(UV, "venv", "--quiet", "--python", sys.executable, str(environment))
    python = environment / "bin" / "python"
    run(UV, "pip", "install", "--quiet", "--python", str(python), "-r", str(needs))
    run(UV, "pip", "install", "--quiet", "--python", str(python), "--no-deps", str(wheel))
    return python


def check_commands(scripts: Path, folder: Path) -> None:
    """The commands work, and every server answers, far from the repository."""
    for name in pyproject()["project"]["scripts"]:
        assert run(str(scripts / name), "--version", cwd=folder).startswith("perfsuite ")
    said = run(str(scripts / "perfsuite"), "doctor", "--json", cwd=folder)
    broken = [finding for finding in json.loads(said)["findings"] if finding["state"] == "broken"]
    assert not broken, broken


def run(*command: str, cwd: Path | None = None) -> str:
    environ = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    ended = subprocess.run(command, cwd=cwd, env=environ, check=False, stdout=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}.\n{ended.stdout}")
    return ended.stdout


if __name__ == "__main__":
    main()
