"""Locks that the operating system frees when their holder dies, however that happens.

`filelock` is imported where it is used: it costs 40 ms, and a server takes its first lock long after its start.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from perfsuite.errors import PerfsuiteError, StorageFailed

_POLL_S = 0.01


@contextmanager
def holding(path: Path, *, busy: PerfsuiteError, timeout_s: float = 0.0, reentrant: bool = False) -> Iterator[None]:
    """Hold the lock file `path`, or raise `busy`. `reentrant` lets the same thread take it again."""
    from filelock import FileLock, Timeout

    lock = FileLock(
        path,
        thread_local=reentrant,
        is_singleton=reentrant,
        # A lock file on a disk without locks would outlive its holder, which is what these must never do.
        fallback_to_soft=False,
    )
    try:
        path.parent.mkdir(exist_ok=True)
        lock.acquire(timeout=timeout_s, poll_interval=_POLL_S)
    except Timeout:
        raise busy from None
    except OSError as error:
        raise StorageFailed(
            f"The lock {path.name!r} cannot be taken: {error.strerror}.",
            next_step="Put the artifacts folder (PERFSUITE_ARTIFACTS_DIR) on a writable disk that supports file locks.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock file `path`. The question may disturb a process that takes it now."""
    from filelock import FileLock, Timeout

    if not path.exists():
        return False
    lock = FileLock(path, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except OSError:
        # Whoever holds a lock could open its file for writing.
        return False
    lock.release()
    return False
