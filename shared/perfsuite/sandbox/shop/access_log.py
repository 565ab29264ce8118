"""One line of JSON for every request, as services behind a log collector write them."""

import json
import sys
from io import FileIO
from pathlib import Path
from typing import Any

from perfsuite.errors import StorageFailed


class AccessLog:
    """A file that lines are added to. A disk that takes no more ends the log, and not the shop."""

    def __init__(self, path: Path | None) -> None:
        self._file = _opened(path) if path else None

    def write(self, entry: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(f"{json.dumps(entry)}\n".encode())
        except OSError as error:
            sys.stderr.write(
                f"The access log {str(self._file.name)!r} takes no more: {error.strerror}. The shop goes on.\n"
            )
            self.close()
            self._file = None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _opened(path: Path) -> FileIO:
    try:
        # Without a buffer, what a full disk does not take is not tried once more when the file is closed.
        return path.open("ab", buffering=0)
    except OSError as error:
        raise StorageFailed(
            f"The access log {str(path)!r} cannot be written: {error.strerror}.", next_step="Name another file."
        ) from None
