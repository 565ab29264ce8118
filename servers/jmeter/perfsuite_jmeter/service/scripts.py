"""The test plans that lie in the folder of scripts."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from perfsuite.errors import NotFound
from perfsuite.mcp.answers import fit
from perfsuite_jmeter.models.runs import ScriptList, ScriptOverview

_DEEPEST: Final = 6
_MOST_FOLDERS: Final = 5_000
_MOST_SCRIPTS: Final = 1_000
_LARGEST_READ: Final = 20 * 1024 * 1024
_THREAD_GROUP: Final = re.compile(rb"<[\w.]*ThreadGroup\s[^<>]*testclass=")
_SUFFIX: Final = ".jmx"


def list_scripts(folder: Path, *, start: int = 0, limit: int = 20) -> ScriptList:
    """The plans below this folder, in the order of their paths. Hidden folders and links out of it are passed by."""
    root = folder.expanduser().resolve()
    if not root.is_dir():
        raise NotFound(
            f"The folder of scripts {str(folder)!r} does not exist.",
            next_step="Set PERFSUITE_SCRIPTS_DIR to the folder that holds the plans, and start the server again.",
        )
    notes: list[str] = []
    found = list(islice(_scripts(root, notes), _MOST_SCRIPTS + 1))
    if len(found) > _MOST_SCRIPTS:
        notes.append(f"There are more than {_MOST_SCRIPTS} plans; only those that were found first are listed.")
    paths = sorted(found[:_MOST_SCRIPTS], key=lambda path: path.as_posix())
    page = [one for path in paths[start : start + limit] if (one := _overview(root, path))]
    fitted = fit(page, total=len(paths), start=start)
    if not paths:
        notes.append(f"No file below {str(root)!r} ends in {_SUFFIX}. PERFSUITE_SCRIPTS_DIR says where to look.")
    return ScriptList(
        folder=str(root),
        scripts=fitted.items,
        total=len(paths),
        has_more=fitted.has_more,
        next_start=start + len(fitted.items) if fitted.has_more else None,
        notes=notes,
    )


def _scripts(root: Path, notes: list[str]) -> Iterator[Path]:
    for looked_at, (place, folders, names) in enumerate(os.walk(root)):
        if looked_at >= _MOST_FOLDERS:
            notes.append(f"Only {_MOST_FOLDERS} folders were looked into; there are more.")
            return
        here = Path(place)
        is_deepest = len(here.relative_to(root).parts) >= _DEEPEST
        folders[:] = [] if is_deepest else sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(_SUFFIX) and not name.startswith(".") and _lies_in(root, here / name):
                yield here / name


def _lies_in(root: Path, path: Path) -> bool:
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError):
        # Links that point at each other: Python 3.11 reports them by RuntimeError.
        return False
    return resolved.is_relative_to(root) and resolved.is_file()


def _overview(root: Path, path: Path) -> ScriptOverview | None:
    with suppress(OSError):
        found = path.stat()
        return ScriptOverview(
            path=str(path.relative_to(root)).encode("utf-8", "replace").decode(),
            size_bytes=found.st_size,
            modified_at=f"{datetime.fromtimestamp(found.st_mtime, UTC):%Y-%m-%dT%H:%M:%SZ}",
            thread_groups=None if found.st_size > _LARGEST_READ else len(_THREAD_GROUP.findall(path.read_bytes())),
        )
    return None
