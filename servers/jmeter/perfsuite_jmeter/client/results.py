"""The files that a running JMeter adds to, read from where the last reader stopped, and the note of where that was."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from perfsuite.artifacts.folder import LARGEST_JSON
from perfsuite.errors import BadFile, StorageFailed

SCHEMA_VERSION: Final = "1.0"
_LONGEST_HEADER: Final = 64 * 1024
_IDENTIFYING: Final = 4096


class GrowingFile:
    """A file that is being written to, as long as it was when it was opened."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self.size = status.st_size
        self._inode = status.st_ino

    def identity(self, read_to: int) -> dict[str, Any]:
        """What tells this file, of which so much was read, from another one in its place."""
        length = min(read_to, _IDENTIFYING)
        return {"inode": self._inode, "length": length, "sha256": hashlib.sha256(self._read(0, length)).hexdigest()}

    def is_same(self, identity: dict[str, Any], read_to: int) -> bool:
        """Whether this is the file of which so much was read."""
        return read_to <= self.size and self.identity(read_to) == identity

    def header(self) -> bytes | None:
        """The first line with its end, or None as long as it is not whole."""
        found, newline, _ = self._read(0, min(self.size, _LONGEST_HEADER)).partition(b"\n")
        return found + newline if newline else None

    def span(self, offset: int, size: int, margin: int) -> bytes:
        """So many bytes with a margin before and after them, of zeros where the file has nothing."""
        begin, end = offset - margin, min(offset + size, self.size)
        found = self._read(max(begin, 0), min(end + margin, self.size) - max(begin, 0))
        return b"\0" * -min(begin, 0) + found + b"\0" * (end + margin - max(begin, 0) - len(found))

    def _read(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, offset)


@contextmanager
def opened(path: Path) -> Iterator[GrowingFile | None]:
    """The file, or None where there is none yet."""
    try:
        # Without waiting: what stands in the file's place may be a pipe that nobody writes to.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        raise StorageFailed(
            f"{path.name!r} cannot be read: {error.strerror}.", next_step="Make the run folder readable for this user."
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadFile(
                f"{path.name!r} is not a regular file.", next_step="Remove it, then start the test again with `rerun`."
            )
        yield GrowingFile(descriptor)
    finally:
        os.close(descriptor)


def load_checkpoint(path: Path, attempt: int) -> dict[str, Any]:
    """What was noted about this attempt, or nothing: whatever is not a note of ours is read past."""
    with suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size <= LARGEST_JSON:
            found = json.loads(path.read_bytes())
            if isinstance(found, dict) and found.get("schema_version") == SCHEMA_VERSION:
                return found if found.get("attempt") == attempt else {}
    return {}


def save_checkpoint(path: Path, attempt: int, content: dict[str, Any]) -> None:
    """Replace the note, whole, for a caller who alone may. It can be made again, so nobody waits for the disk."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, "attempt": attempt, **content}, separators=(",", ":"))
    written = path.with_name(f".{path.name}.part")
    # Without a note the next reader begins anew; a full disk must not keep a status from being told.
    with suppress(OSError):
        written.write_text(text, encoding="utf-8")
        written.replace(path)


def lines(path: Path, longest: int) -> Iterator[str]:
    """The lines of a text file, each no longer than that; what is beyond is passed over. Nothing, if there is none."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageFailed(
            f"{path.name!r} cannot be read: {error.strerror}.", next_step="Make the run folder readable for this user."
        ) from error
    with file:
        while line := file.readline(longest):
            yield line.decode("utf-8", "replace")
            while len(line) == longest and not line.endswith(b"\n") and (line := file.readline(longest)):
                pass
