"""What lies around a test plan on the disk: plans it includes, its data, its scripts, and the classes of JMeter."""

import os
import stat
import zipfile
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from perfsuite.errors import BadFile, LimitExceeded, NotFound

_HEADER_BYTES: Final = 65_536
_LARGEST_SCRIPT: Final = 10_000_000
_LARGEST_PROPERTIES: Final = 1_000_000
_LIST: Final = "Call `list_jmeter_scripts` for the plans that there are."
_PROPERTY_FILES: Final = ("system.properties", "jmeter.properties", "user.properties")
_CLASS: Final = ".class"


def plan_bytes(path: Path, largest: int) -> bytes:
    """The content of a plan."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise BadFile(f"The plan {str(path)!r} is not a file.", next_step=_LIST)
        if found.st_size > largest:
            raise LimitExceeded(
                f"The plan {str(path)!r} has {found.st_size} bytes; at most {largest} are read.",
                next_step="Move data out of the plan into files, or split the plan.",
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no path"
        raise NotFound(f"The plan {str(path)!r} cannot be read: {reason}.", next_step=_LIST) from None


def beside(plan: Path, name: str) -> Path:
    """A path as JMeter takes it from a plan: relative to the folder of the plan."""
    return plan.parent / name


def is_there(path: Path) -> bool:
    """Whether it is a file that can be read."""
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except (OSError, ValueError):
        return False


def first_line(path: Path) -> str | None:
    """The first line of a data file, or None where there is none to read."""
    content = _content(path, _HEADER_BYTES, cut=True)
    return None if content is None else content.decode("utf-8-sig", "replace").splitlines()[0] if content else ""


def file_hash(path: Path) -> str | None:
    """The SHA-256 of a script."""
    content = _content(path, _LARGEST_SCRIPT)
    return None if content is None else sha256(content).hexdigest()


def property_files(home: Path) -> list[bytes]:
    """The property files that JMeter reads by itself, in the order in which later ones win."""
    contents = (_content(home / "bin" / name, _LARGEST_PROPERTIES) for name in _PROPERTY_FILES)
    return [content for content in contents if content is not None]


def _content(path: Path, largest: int, *, cut: bool = False) -> bytes | None:
    if not is_there(path):
        return None
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError:
        return None
    return content[:largest] if cut or len(content) <= largest else None


def installed_classes(home: Path) -> frozenset[str]:
    """Every class that JMeter can find in its own folders."""
    jars = sorted([*(home / "lib").glob("*.jar"), *(home / "lib" / "ext").glob("*.jar")])
    return frozenset().union(*(_classes(str(jar), _age(jar)) for jar in jars))


def _age(jar: Path) -> int:
    try:
        return jar.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=1_000)
def _classes(jar: str, age: int) -> frozenset[str]:
    try:
        with zipfile.ZipFile(jar) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return frozenset()
    return frozenset(name.removesuffix(_CLASS).replace("/", ".") for name in names if name.endswith(_CLASS))
