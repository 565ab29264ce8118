"""What kind of result file this is, found from its content and never from its name."""

import codecs
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from perfsuite.errors import BadFile, NotFound
from perfsuite.samples.dialect import Dialect, dialect_of
from perfsuite.samples.options import ReadOptions

Format = Literal["jtl-csv", "jtl-xml", "k6-json", "k6-csv"]

_HEAD: Final = 256 * 1024
_LONGEST_HEADER: Final = 64 * 1024
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Recognised:
    """A file whose format is known."""

    path: Path
    format: Format
    compressed: bool
    encoding: str
    """Of CSV files; XML says its own, JSON is UTF-8."""
    dialect: Dialect | None
    head: str
    """The beginning of the text, for hints about what the file holds."""

    @property
    def name(self) -> str:
        return self.path.name


def recognise(path: Path, options: ReadOptions) -> Recognised:
    """Look at the beginning of a file and say what it is, or why it cannot be read."""
    raw = _beginning(path)
    compressed = raw.startswith(b"\x1f\x8b")
    if compressed:
        raw = _unzipped(raw, path.name)
    encoding = next((name for bom, name in _BOMS if raw.startswith(bom)), "utf-8")
    head = codecs.getincrementaldecoder(encoding)(errors="replace").decode(raw)
    text = head.lstrip("\ufeff \t\r\n")
    if not text:
        raise BadFile(
            f"{path.name!r} is empty.",
            next_step="Check that the test wrote samples: an empty file often means that no thread group was enabled.",
        )
    if text.startswith("<"):
        return Recognised(path, _xml(text, path.name), compressed, encoding, None, head)
    if text.startswith("{"):
        return Recognised(path, "k6-json", compressed, encoding, None, head)
    first_line, ended, _ = text.partition("\n")
    if "\x00" in first_line or (not ended and len(first_line) > _LONGEST_HEADER):
        raise _binary(path.name)
    try:
        dialect = dialect_of(first_line.rstrip("\r"), path.name, options)
    except BadFile:
        if "\x00" in text[:1024]:
            raise _binary(path.name) from None
        raise
    return Recognised(path, dialect.kind, compressed, encoding, dialect, head)


def _beginning(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise BadFile(f"{path.name!r} is a folder.", next_step="Name the result file inside it.")
        if not path.is_file():
            raise NotFound(
                f"There is no file {str(path)!r}.", next_step="Check the path; it is relative to the current folder."
            )
        with path.open("rb") as file:
            return file.read(_HEAD)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the path is not a valid one"
        raise BadFile(
            f"{path.name!r} cannot be read: {reason}.", next_step="Check the path and the permissions of the file."
        ) from None


def _unzipped(raw: bytes, file: str) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        text = unpacking.decompress(raw, _HEAD)
    except zlib.error as error:
        raise _damaged(file, f"cannot be unpacked: {error}") from None
    if not text and not unpacking.eof:
        raise _damaged(file, "is cut off in its first bytes")
    return text


def _damaged(file: str, how: str) -> BadFile:
    return BadFile(f"{file!r} starts like a gzip file but {how}.", next_step="Fetch the file again; it is damaged.")


def _xml(text: str, file: str) -> Format:
    start = text[:2000].lower()
    if "<html" in start or "<!doctype html" in start:
        raise BadFile(
            f"{file!r} is a web page, not a result file.",
            next_step="The download probably returned a login or error page; open it in a browser, then fetch again.",
        )
    return "jtl-xml"


def _binary(file: str) -> BadFile:
    return BadFile(
        f"{file!r} is binary. Expected: JMeter CSV or XML, or k6 output (--out json or --out csv), also as .gz.",
        next_step="Pass the text file that the load tool wrote; unpack archives such as .zip first.",
    )
