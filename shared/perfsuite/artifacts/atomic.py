"""A file is either the old one or the new one, whole, even when the process dies or the disk is full."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from perfsuite.artifacts.locks import holding
from perfsuite.errors import Conflict, StorageFailed

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_PATIENCE_S = 5.0


@contextmanager
def replacing(path: Path, *, shown_as: str | None = None) -> Iterator[Path]:
    """Give a path to write to, and put what was written in the place of `path` when the block ends well.

    The path given has the same name, in a hidden folder beside `path`: writers tell the format from the suffix, and
    leave files of their own next to the one they write.
    """
    name = shown_as or path.name
    token = uuid4().hex[:8]
    try:
        remove_leftovers(path)
        # Another process that looks for leftovers may hold the new lock for a moment.
        with holding(_lock_of(path, token), busy=_collision(name), timeout_s=_PATIENCE_S):
            try:
                folder = _folder_of(path, token)
                folder.mkdir()
                yield folder / path.name
                _put(folder / path.name, path)
            finally:
                _remove(path, token)
    except OSError as error:
        if not _is_about(error, path):
            raise
        raise _storage_failed(error, name) from error


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes left beside `path`. What a living one is writing is locked, and stays."""
    for lock in path.parent.glob(f".{_literal(path.name)}.*.lock"):
        with suppress(Conflict), holding(lock, busy=_collision(path.name)):
            _remove(path, lock.suffixes[-2].removeprefix("."))


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_of(path: Path, token: str) -> Path:
    return path.with_name(f".{path.name}.{token}.part")


def _lock_of(path: Path, token: str) -> Path:
    return path.with_name(f".{path.name}.{token}.lock")


def _literal(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


def _put(written: Path, path: Path) -> None:
    with written.open("rb+") as file:
        os.fsync(file.fileno())
    written.replace(path)
    # Windows cannot open a folder, and its file system keeps the order of these changes by itself.
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _remove(path: Path, token: str) -> None:
    """Remove what a save wrote. The lock goes last and while it is held, so that nobody sees one without the other."""
    shutil.rmtree(_folder_of(path, token), ignore_errors=True)
    with suppress(OSError):
        _lock_of(path, token).unlink()


def _collision(name: str) -> Conflict:
    return Conflict(f"{name!r} is being written by another process.", next_step="Wait for it to end, then try again.")


def _is_about(error: OSError, path: Path) -> bool:
    """Whether the disk refused what was written, rather than something that the block read elsewhere."""
    if error.errno in _FULL:
        return True
    if isinstance(error.filename, str | bytes):
        return Path(os.fsdecode(error.filename)).is_relative_to(path.parent)
    return error.errno in _DENIED or error.errno == errno.EIO


def _storage_failed(error: OSError, name: str) -> StorageFailed:
    reason = error.strerror or type(error).__name__
    if error.errno in _FULL:
        step = "Free space on the disk that holds the artifacts folder, then do it again."
    elif error.errno in _DENIED:
        step = "Make the run folder writable for this user, or point PERFSUITE_ARTIFACTS_DIR at a folder that is."
    else:
        step = "Check the disk that holds the artifacts folder, then do it again."
    return StorageFailed(f"{name!r} could not be saved: {reason}. What was there before is unchanged.", next_step=step)
