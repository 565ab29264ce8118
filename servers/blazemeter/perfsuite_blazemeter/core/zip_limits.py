"""Which members of a session's archive are taken out, and which archives are not touched at all.

The files `effective` and `merged` hold the configuration with its secrets, so only what is wanted is ever unpacked.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

from perfsuite.errors import BadFile, LimitExceeded, PerfsuiteError
from perfsuite.samples.rows import printable
from perfsuite_blazemeter.models.archives import Limits, Member, Role, Wanted

_ROLES: Final[tuple[tuple[Role, re.Pattern[str]], ...]] = (
    ("results", re.compile(r"kpi[\w.-]*\.jtl", re.ASCII)),
    ("errors", re.compile(r"(?:error|trace)[\w.-]*\.jtl", re.ASCII)),
    ("jmeter_log", re.compile(r"jmeter[\w.-]*\.log", re.ASCII)),
    ("bzt_log", re.compile(r"bzt\.log", re.ASCII)),
)
_OLDER_RESULTS: Final = re.compile(r"samples?[\w.-]*\.jtl", re.ASCII)
_SUFFIX: Final[dict[Role, str]] = {"results": "jtl", "errors": "jtl", "jmeter_log": "log", "bzt_log": "log"}
_ARCHIVES: Final = re.compile(r"artifacts[\w.-]*\.zip|jtls_and_more\.zip", re.ASCII | re.IGNORECASE)
_NUMBER: Final = re.compile(r"(\d{1,9})")
_SUSPECT: Final = "Do not unpack it by hand; ask whoever runs the test what made it, or look at the run in BlazeMeter."


def artifact_of(names: Iterable[str]) -> str | None:
    """Which of a session's files is the archive with its results."""
    found = [name for name in names if _ARCHIVES.fullmatch(name)]
    return min(found, key=_preference, default=None)


def chosen(members: Sequence[Member], archive_bytes: int, limits: Limits) -> list[Wanted]:
    """What is taken out of an archive, in a fixed order; an error where its directory shows that it is not to be
    trusted. What it only claims is checked again while it is unpacked.
    """
    if len(members) > limits.members:
        raise _too_much(f"it has {len(members)} members, and {limits.members} are allowed")
    for member in members:
        _refuse_unsafe_name(member.name)
    found = _wanted(members)
    for one in found:
        _refuse_unreadable(one.member, limits)
    _refuse_repeated(found)
    _refuse_totals(found, archive_bytes, limits)
    return found


def _preference(name: str) -> tuple[bool, int, str]:
    return not name.lower().startswith("artifacts"), len(name), name


def _wanted(members: Sequence[Member]) -> list[Wanted]:
    by_role: dict[Role, list[Member]] = {role: [] for role, _ in _ROLES}
    older = []
    for member in members:
        name = PurePosixPath(member.name).name.lower()
        role = next((role for role, pattern in _ROLES if pattern.fullmatch(name)), None)
        if member.is_folder:
            continue
        if role is not None:
            by_role[role].append(member)
        elif _OLDER_RESULTS.fullmatch(name):
            older.append(member)
    # Where both are there, they are the same samples twice.
    by_role["results"] = by_role["results"] or older
    return [
        Wanted(member, role, f"{role}-{number}.{_SUFFIX[role]}")
        for role, found in by_role.items()
        for number, member in enumerate(sorted(found, key=_natural), start=1)
    ]


def _natural(member: Member) -> tuple[list[int | str], str]:
    """kpi.jtl, kpi-1.jtl, kpi-2.jtl, kpi-10.jtl."""
    parts = _NUMBER.split(member.name.lower().removesuffix(".jtl").removesuffix(".log"))
    return [int(part) if at % 2 else part for at, part in enumerate(parts)], member.name


def _refuse_unsafe_name(name: str) -> None:
    path = PurePosixPath(name)
    is_plain = name and "\\" not in name and "\x00" not in name and not PureWindowsPath(name).drive
    if not is_plain or path.is_absolute() or ".." in path.parts:
        raise BadFile(
            f"The archive has a member {printable(name, 80)!r}, whose name leads out of the folder it is unpacked to.",
            next_step=_SUSPECT,
        )


def _refuse_unreadable(member: Member, limits: Limits) -> None:
    name = printable(member.name, 80)
    if member.is_link:
        raise BadFile(f"{name!r} in the archive is a link and no file.", next_step=_SUSPECT)
    if member.is_encrypted:
        raise BadFile(f"{name!r} in the archive is encrypted.", next_step="Fetch the results in BlazeMeter itself.")
    if not member.is_readable:
        raise BadFile(f"{name!r} in the archive is packed in an unusual way.", next_step=_SUSPECT)
    if member.size > limits.ratio_free_bytes and member.size > limits.ratio * max(1, member.packed):
        raise _too_much(f"{name!r} unpacks to more than {limits.ratio} times its size, as a zip bomb does")


def _refuse_repeated(found: Sequence[Wanted]) -> None:
    repeated = [name for name, count in Counter(one.member.name for one in found).items() if count > 1]
    if repeated:
        raise BadFile(
            f"The archive has several members called {printable(repeated[0], 80)!r}; which one holds is not known.",
            next_step=_SUSPECT,
        )


def _refuse_totals(found: Sequence[Wanted], archive_bytes: int, limits: Limits) -> None:
    size = sum(one.member.size for one in found)
    if size > limits.unpacked_bytes:
        raise _too_much(f"it unpacks to {size} bytes, and {limits.unpacked_bytes} are allowed")
    if sum(one.member.packed for one in found) > archive_bytes:
        raise _too_much("its members overlap, as those of a zip bomb do")


def _too_much(why: str) -> PerfsuiteError:
    return LimitExceeded(f"The archive is not unpacked: {why}.", next_step=_SUSPECT)
