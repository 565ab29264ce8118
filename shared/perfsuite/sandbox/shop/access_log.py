"""One line of JSON for every request, as services behind a log collector write them."""

import json
import sys
from pathlib import Path
from typing import Any, TextIO

from perfsuite.errors import StorageFailed


class AccessLog:
    """A file that lines are added to. A disk that takes no more ends the log, and not the shop."""

    def __init__(self, path: Path | None) -> None:
        self._file = _opened(path) if path else None

    def write(self, entry: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(f"{json.dumps(entry)}\n")
        except OSError as error:
            sys.stderr.write(f"The access log {self._file.name!r} takes no more: {error.strerror}. The shop goes on.\n")
            self._file = None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _opened(path: Path) -> TextIO:
    try:
        return path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise StorageFailed(
            f"The access log {str(path)!r} cannot be written: {error.strerror}.", next_step="Name another file."
        ) from None
