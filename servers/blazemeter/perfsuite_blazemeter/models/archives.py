"""What an archive of a session holds, and what is taken out of it."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["results", "errors", "jmeter_log", "bzt_log"]


@dataclass(frozen=True)
class Member:
    """A member of an archive, as its directory describes it. Nothing of that is trusted."""

    position: int
    """Its place in the directory: names may repeat."""
    name: str
    size: int
    packed: int
    is_folder: bool = False
    is_link: bool = False
    is_encrypted: bool = False
    is_readable: bool = True
    """Packed by a method that is unpacked as a stream."""


@dataclass(frozen=True)
class Wanted:
    """A member that is taken out, and the name that its file gets: never one of the archive's own making."""

    member: Member
    role: Role
    file: str


@dataclass(frozen=True)
class Limits:
    """How much an archive may be, before and after it is unpacked."""

    archive_bytes: int = 4 * 1024**3
    directory_bytes: int = 8 * 1024**2
    members: int = 10_000
    unpacked_bytes: int = 40 * 1024**3
    ratio: int = 200
    ratio_free_bytes: int = 64 * 1024**2
    """Below this size no ratio is suspicious."""


@dataclass(frozen=True)
class Taken:
    """A file that was taken out whole."""

    size: int
    sha256: str
