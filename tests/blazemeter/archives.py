"""Archives as an engine leaves them, and as nobody should."""

import stat
import struct
import zipfile
from pathlib import Path

KPI = (
    b"timeStamp,elapsed,label,responseCode,success,allThreads\n1790000000000,100,Home,200,true,1\n"
)  # fmt: skip


def packed(path: Path, members: dict[str, bytes], *, level: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", level) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, level)
    return path


def linked(path: Path) -> Path:
    """One whose results are a link."""
    link = zipfile.ZipInfo("kpi.jtl")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    return path


def patched(path: Path, offset: int, value: int) -> Path:
    """Change two bytes in the directory's entry of the first member, and in its own header alike."""
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + offset : entry + offset + 2] = struct.pack("<H", value)
    content[offset - 2 : offset] = struct.pack("<H", value)
    path.write_bytes(bytes(content))
    return path
