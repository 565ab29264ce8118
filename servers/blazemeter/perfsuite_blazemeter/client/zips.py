"""Archives on the disk: what their directory says, and one member at a time taken out as a stream."""

import errno
import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from perfsuite.errors import BadFile, LimitExceeded, StorageFailed
from perfsuite_blazemeter.models.archives import Limits, Member, Taken

_CHUNK: Final = 1024 * 1024
_END: Final = struct.Struct("<4s4H2LH")
_END_SIGN: Final = b"PK\x05\x06"
_LONGEST_COMMENT: Final = 65_535
_LOCATOR: Final = struct.Struct("<4sLQL")
_LOCATOR_SIGN: Final = b"PK\x06\x07"
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_ENCRYPTED: Final = 0x1
_STREAMED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_FETCH_AGAIN: Final = "Call `process_session_artifacts` again: it fetches the archive anew."


def members_of(path: Path, limits: Limits) -> list[Member]:
    """What the archive says that it holds. Its directory is measured before it is read into memory."""
    with path.open("rb") as file:
        _refuse_large_directory(file, limits)
    with _opened(path) as archive:
        return [_member(position, info) for position, info in enumerate(archive.infolist())]


def take_out(path: Path, member: Member, target: Path, seen: Callable[[int], None]) -> Taken:
    """Unpack one member into `target`. It never grows beyond what the directory says; `seen` may end it."""
    digest, size = hashlib.sha256(), 0
    with _opened(path) as archive, target.open("wb") as sink:
        info = archive.infolist()[member.position]
        with archive.open(info) as source:
            while chunk := source.read(_CHUNK):
                seen(len(chunk))
                size += len(chunk)
                if size > member.size:
                    raise _damaged(f"{member.size} bytes of a member were announced, and more came")
                digest.update(chunk)
                sink.write(chunk)
    if size != member.size:
        raise _damaged(f"a member has {size} of {member.size} bytes")
    return Taken(size, digest.hexdigest())


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, UnicodeError) as error:
        raise _damaged(str(error)[:100].rstrip(".")) from None
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise _damaged("its directory leads nowhere") from None
        raise StorageFailed(
            f"The archive could not be unpacked: {error.strerror}.",
            next_step="Free space on the disk that holds the artifacts folder, then call again.",
        ) from error
    # zipfile's own words for archives beyond it: NotImplementedError for versions, methods and encryption it does not
    # know, RuntimeError for members that want a password, the others for places beyond the end of any file.
    except (NotImplementedError, RuntimeError, ValueError, OverflowError) as error:
        raise _damaged(f"{type(error).__name__} while it was read") from None


def _member(position: int, info: zipfile.ZipInfo) -> Member:
    return Member(
        position=position,
        name=info.orig_filename,
        size=info.file_size,
        packed=info.compress_size,
        is_folder=info.is_dir(),
        is_link=stat.S_ISLNK(info.external_attr >> 16),
        is_encrypted=bool(info.flag_bits & _ENCRYPTED),
        is_readable=info.compress_type in _STREAMED,
    )


def _refuse_large_directory(file: BinaryIO, limits: Limits) -> None:
    size = file.seek(0, 2)
    start = max(0, size - _LONGEST_COMMENT - _END.size)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(_END_SIGN)
    if at < 0 or len(tail) - at < _END.size:
        raise _damaged("its end is missing, as when it was cut off, or when something else came in its place")
    fields = _END.unpack_from(tail, at)
    entries, directory = fields[4], fields[5]
    if entries == 0xFFFF or directory == 0xFFFFFFFF:
        entries, directory = _large_counts(file, start + at)
    if entries > limits.members or directory > limits.directory_bytes:
        raise LimitExceeded(
            f"The archive is not unpacked: its directory lists {entries} members in {directory} bytes; "
            f"{limits.members} and {limits.directory_bytes} are allowed.",
            next_step="Look at the run in BlazeMeter: no load test leaves so many files.",
        )


def _large_counts(file: BinaryIO, end: int) -> tuple[int, int]:
    try:
        file.seek(max(0, end - _LOCATOR.size))
        sign, _, where, _ = _LOCATOR.unpack(file.read(_LOCATOR.size))
        if sign != _LOCATOR_SIGN:
            raise _damaged("its directory cannot be found")
        file.seek(where)
        fields = _END64.unpack(file.read(_END64.size))
    except (struct.error, OSError, ValueError, OverflowError):
        raise _damaged("its directory cannot be found") from None
    return fields[7], fields[8]


def _damaged(why: str) -> BadFile:
    return BadFile(f"The archive cannot be unpacked: {why}.", next_step=_FETCH_AGAIN)
