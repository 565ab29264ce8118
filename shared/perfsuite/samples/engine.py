"""DuckDB as perfsuite uses it: bounded memory, spilling to a folder that goes away, progress, and a stop switch."""

import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import filelock

from perfsuite.errors import BadInput, LimitExceeded, StorageFailed

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str, float], None]
"""Called with what is being done and the share that is done, 0 to 1."""

MEMORY_LIMIT: Final = "640MB"
_PREFIX: Final = "perfsuite-work-"
_LOCK: Final = ".lock"
_POLL_S: Final = 0.1
_YOUNG_S: Final = 60
"""A folder this new may not have taken its lock yet."""
_SPILL_WORTH_SAYING: Final = 1_000_000
_CTRL_C: Final = "Query interrupted"
"""What DuckDB makes of Ctrl-C."""
_PATTERN: Final = re.compile(r"([*?\[])")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_FULL: Final = ("max_temp_directory_size", "no space left", "not enough disk", "file too large", "quota exceeded")


def no_progress(_what: str, _share: float) -> None:
    """The progress of somebody who does not want to know."""


class Engine:
    """One DuckDB connection in memory, with a work folder for everything that does not fit there."""

    def __init__(self, progress: Progress = no_progress) -> None:
        import duckdb

        sweep_abandoned_work()
        self.work = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = filelock.FileLock(self.work / _LOCK)
        self._lock.acquire()
        self._spill = self.work / "spill"
        self.spilled_bytes = 0
        self.progress = progress
        self._duckdb = duckdb
        self._connection = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": str(self._spill),
                "max_temp_directory_size": f"{_most_spill_mb(self.work)}MB",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self._connection.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._lock.release()
        shutil.rmtree(self.work, ignore_errors=True)

    def interrupt(self) -> None:
        """Stop the query that runs now; it raises `duckdb.InterruptException`."""
        self._connection.interrupt()

    def run(self, sql: str, values: dict[str, Any] | None = None, *, what: str = "") -> "duckdb.DuckDBPyConnection":
        """Execute a statement; a full disk or a limit becomes one of our errors, anything else stays DuckDB's."""
        try:
            with self._watched(what):
                return self._connection.execute(sql, values or {})
        except (self._duckdb.IOException, self._duckdb.OutOfMemoryException) as error:
            raise self._translated(error) from None

    def arrays(self, sql: str, values: dict[str, Any] | None = None, *, what: str = "") -> dict[str, Any]:
        """The answer as one NumPy array a column."""
        cursor = self.run(sql, values, what=what)
        with self._watched(what):
            found: dict[str, Any] = cursor.fetchnumpy()
        return found

    def rows(self, sql: str, values: dict[str, Any] | None = None, *, what: str = "") -> list[tuple[Any, ...]]:
        return self.run(sql, values, what=what).fetchall()

    @contextmanager
    def _watched(self, what: str) -> Iterator[None]:
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(what, done), daemon=True)
        watcher.start()
        try:
            yield
        except RuntimeError as error:
            if str(error) == _CTRL_C:
                raise KeyboardInterrupt from None
            raise
        finally:
            done.set()
            watcher.join()

    def _watch(self, what: str, done: threading.Event) -> None:
        while not done.wait(_POLL_S):
            self.spilled_bytes = max(self.spilled_bytes, _size_of(self._spill))
            if what:
                self.progress(what, max(0.0, self._connection.query_progress()) / 100)

    def spill_warning(self) -> str | None:
        if self.spilled_bytes < _SPILL_WORTH_SAYING:
            return None
        megabytes = self.spilled_bytes / 1e6
        return f"The work did not fit in {MEMORY_LIMIT} of memory and used {megabytes:.0f} MB of temporary disk."

    def _translated(self, error: Exception) -> Exception:
        text = str(error).lower()
        if any(sign in text for sign in _FULL):
            return StorageFailed(
                "The disk is full: the work did not fit.",
                next_step=f"Free space in {self.work.parent} and the artifacts folder, or set TMPDIR to a larger disk.",
            )
        if isinstance(error, self._duckdb.OutOfMemoryException):
            return LimitExceeded(
                f"The work needs more than {MEMORY_LIMIT} of memory, and could not be moved to disk.",
                next_step="Import fewer files at once, or a file with fewer distinct labels.",
            )
        return error


def sweep_abandoned_work() -> None:
    """Remove the work folders of processes that were killed; a living one holds its lock."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, filelock.Timeout):
            if time.time() - folder.stat().st_mtime < _YOUNG_S:
                continue
            with filelock.FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)


def _most_spill_mb(folder: Path) -> int:
    return max(64, min(50_000, shutil.disk_usage(folder).free // 2 // 1_000_000))


def _size_of(folder: Path) -> int:
    with suppress(OSError):
        return sum(entry.stat().st_size for entry in folder.iterdir())
    return 0


def quoted(text: str) -> str:
    """A string as an SQL literal, for the places that take no bound value."""
    if "\x00" in text or not is_utf8(text):
        raise BadInput(f"{text!r} holds a NUL byte or bytes that are not UTF-8.", next_step="Give it without.")
    return "'" + text.replace("'", "''") + "'"


def quoted_path(path: Path) -> str:
    """A file as an SQL literal for the readers of DuckDB, which take patterns and expand a leading `~`."""
    return quoted(_PATTERN.sub(r"[\1]", str(path.absolute())))


def is_utf8(text: str) -> bool:
    """File names may hold any bytes; Python gives those that are not UTF-8 as lone surrogates."""
    return _SURROGATE.search(text) is None
