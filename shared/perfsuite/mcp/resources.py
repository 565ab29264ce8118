"""Files of a run folder as resources: `run://{run_id}/{path}`."""

import mimetypes
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from perfsuite.errors import BadInput, LimitExceeded, StorageFailed

if TYPE_CHECKING:
    from perfsuite.artifacts import RunStore

Count = Annotated[int, Field(ge=1)]

TEMPLATE = "run://{run_id}/{+path}{?first_line,lines}"
LARGEST = 1_000_000
_TEXT = {
    ".csv": "text/csv", ".html": "text/html", ".jmx": "application/xml", ".json": "application/json",
    ".jtl": "text/plain", ".log": "text/plain", ".md": "text/markdown", ".txt": "text/plain",
    ".xml": "application/xml", ".yaml": "application/yaml", ".yml": "application/yaml",
}  # fmt: skip


def mime_type_of(name: str) -> str:
    """The MIME type that the name of a file tells."""
    suffix = Path(name).suffix.lower()
    return _TEXT.get(suffix) or mimetypes.guess_type(f"x{suffix}")[0] or "application/octet-stream"


def read(runs: "RunStore", run_id: str, path: str, first_line: int = 1, lines: int | None = None) -> str | bytes:
    """The content of a file in a run folder: text, of which some lines may be chosen, or bytes."""
    file = runs.open(run_id).inside(path)
    is_text = file.suffix.lower() in _TEXT
    is_part = lines is not None or first_line != 1
    if is_part and not is_text:
        raise BadInput(f"{path!r} is not text and has no lines.", next_step="Leave out first_line and lines.")
    try:
        content = _lines(file, first_line, lines) if is_part else _all(file)
    except OSError as error:
        raise StorageFailed(
            f"{path!r} of run {run_id!r} cannot be read: {error.strerror}.", next_step="Make it readable for this user."
        ) from error
    if len(content) > LARGEST:
        raise _too_large(file, f"run://{run_id}/{path}", is_text=is_text)
    # A byte that is no UTF-8 must not keep the rest from being read.
    return content.decode("utf-8-sig", "replace") if is_text else content


def _all(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(LARGEST + 1)


def _lines(file: Path, first_line: int, lines: int | None) -> bytes:
    """The chosen lines, or a little more than is allowed when they are longer than that."""
    content, number = bytearray(), 1
    end = None if lines is None else first_line + lines
    with file.open("rb") as stream:
        # In pieces: a line may be as long as the file.
        for piece in iter(partial(stream.readline, LARGEST), b""):
            if number >= first_line:
                content += piece
            number += piece.endswith(b"\n")
            if len(content) > LARGEST or number == end:
                break
    return bytes(content)


def _too_large(file: Path, uri: str, *, is_text: bool) -> LimitExceeded:
    part = f"Read a part, as in '{uri}?first_line=1&lines=1000'; the whole" if is_text else "The"
    return LimitExceeded(
        f"{uri!r} has {file.stat().st_size} bytes, and {LARGEST} is the most that can be read at once.",
        next_step=f"{part} file is {str(file)!r}.",
    )
