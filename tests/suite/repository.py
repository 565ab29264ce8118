"""The repository as its own tests see it."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = ROOT / "README.md"


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


ALL_IN_ONE: Final = "suite"
"""The server that carries the tools of the others, and has none of its own."""


@cache
def server_folders() -> tuple[str, ...]:
    """The names of the folders below servers/."""
    return tuple(sorted(folder.name for folder in (ROOT / "servers").iterdir() if any(folder.glob("*/__init__.py"))))


def servers() -> tuple[str, ...]:
    """The servers that have tools of their own."""
    return tuple(name for name in server_folders() if name != ALL_IN_ONE)


def command_of(server: str) -> str:
    """The name of the command that starts a server."""
    scripts = pyproject()["project"]["scripts"]
    [name] = [name for name, target in scripts.items() if target.startswith(f"perfsuite_{server}:")]
    return str(name)


@cache
def files() -> tuple[Path, ...]:
    """Every file that belongs to the repository: tracked, or new and not ignored."""
    # A clone may belong to another user than the one who tests it, which git refuses unless told.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for name in sorted(set(listed.split("\0"))) if name and (path := ROOT / name).is_file())


@cache
def production_modules() -> tuple[Path, ...]:
    return tuple(path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] != "tests")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
