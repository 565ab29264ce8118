"""The pictures of a report, as files of a page. What a report names is not trusted: only the run's own are taken."""

import posixpath
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from perfsuite.artifacts import RunFolder
from perfsuite.artifacts.layout import file_part
from perfsuite.samples.rows import printable
from perfsuite_confluence.core.hashes import file_hash
from perfsuite_confluence.models.parts import Picture, TableFile

LARGEST_FILE: Final = 25 * 1024 * 1024
MOST_FILES: Final = 300
_HOME: Final = "reports"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_KINDS: Final = {
    ".png": (_PNG, "image/png"),
    ".jpg": (b"\xff\xd8\xff", "image/jpeg"),
    ".jpeg": (b"\xff\xd8\xff", "image/jpeg"),
    ".gif": (b"GIF8", "image/gif"),
}


@dataclass(frozen=True)
class PageFile:
    """A file that the page needs."""

    name: str
    sha256: str
    size: int
    media_type: str
    read: Callable[[], bytes] = field(repr=False, compare=False)


class Pictures:
    """Finds the pictures that a report names, and keeps account of them."""

    def __init__(self, run: RunFolder) -> None:
        self.files: dict[str, PageFile] = {}
        self.paths: list[Path] = []
        self.notes: list[str] = []
        self._run = run
        self._known: dict[str, Picture | None] = {}

    def find(self, source: str) -> Picture | None:
        """The picture that is meant, or None and a note why there is none."""
        if source not in self._known:
            self._known[source] = self._found(source)
        return self._known[source]

    def _found(self, source: str) -> Picture | None:
        relative = posixpath.normpath(posixpath.join(_HOME, source))
        kind = _KINDS.get(PurePosixPath(relative).suffix.lower())
        path = self._run.file_or_none(relative) if kind and "://" not in source else None
        if path is None or kind is None:
            return self._without(source, "is not among the pictures of the run; `create_chart` draws charts")
        if len(self.files) >= MOST_FILES or path.stat().st_size > LARGEST_FILE:
            return self._without(source, f"is too large, or beyond the {MOST_FILES} that a page gets")
        content = path.read_bytes()
        if not content.startswith(kind[0]):
            return self._without(source, f"is not the {PurePosixPath(relative).suffix[1:]} file that its name says")
        name = self._name(relative)
        self.paths.append(path)
        self.files[name] = PageFile(name, file_hash(content), len(content), kind[1], path.read_bytes)
        return Picture(name, _width(content))

    def _without(self, source: str, why: str) -> Picture | None:
        self.notes.append(f"The picture {printable(source, 100)!r} {why}. Its place on the page says so.")
        return None

    def _name(self, relative: str) -> str:
        path = PurePosixPath(relative)
        name = f"{file_part(path.stem)}{path.suffix.lower()}"
        return name if name not in self.files else f"{file_part(relative)}{path.suffix.lower()}"


def of_table(table: TableFile) -> PageFile:
    """A table as a file of the page."""
    content = table.content
    return PageFile(table.filename, file_hash(content), len(content), "text/csv", partial(bytes, content))


def _width(content: bytes) -> int | None:
    """How wide a PNG is, which its first chunk says."""
    if not content.startswith(_PNG) or len(content) < 24:
        return None
    return int(struct.unpack(">I", content[16:20])[0]) or None
