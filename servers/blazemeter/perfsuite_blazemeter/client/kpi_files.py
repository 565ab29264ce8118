"""Result files on the disk, in pieces; and the merged file, written and hashed beside the work on it."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from perfsuite_blazemeter.models.archives import Taken

_PIECE: Final = 256 * 1024


def pieces(path: Path, seen: Callable[[int], None]) -> Iterator[bytes]:
    """The file in pieces; `seen` is told the size of each, and may end it by an error."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            seen(len(piece))
            yield piece


def written(parts: Iterable[bytes], target: Path) -> Taken:
    """Write the parts. Hashing and writing need no more than a second thread, and take as long as the merge."""
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as sink, ThreadPoolExecutor(1) as background:

        def add(part: bytes) -> None:
            digest.update(part)
            sink.write(part)

        waiting: Future[None] | None = None
        for part in parts:
            if waiting is not None:
                waiting.result()
            size += len(part)
            waiting = background.submit(add, part)
        if waiting is not None:
            waiting.result()
    return Taken(size, digest.hexdigest())
