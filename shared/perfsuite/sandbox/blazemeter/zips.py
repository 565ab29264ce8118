"""The archive that each engine leaves, and archives that nobody should unpack."""

import json
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from perfsuite.artifacts.atomic import replacing
from perfsuite.sandbox.blazemeter import kpi_files
from perfsuite.sandbox.blazemeter.kpi_files import Part
from perfsuite.sandbox.blazemeter.masters import Master, Session
from perfsuite.sandbox.blazemeter.recording import Recording
from perfsuite.sandbox.blazemeter.spec import BlazeMeterSpec

HOSTILE: Final = ("zip_slip", "zip_bomb", "zip_symlink", "zip_many", "zip_no_kpi")
_WHEN: Final = (2026, 1, 1, 0, 0, 0)
"""The same samples give the same bytes."""
_LINE: Final = "%Y-%m-%d %H:%M:%S"
_BOMB_MB: Final = 300
_CHUNK: Final = bytes(1_000_000)
_MANY: Final = 20_000
_MODULES: Final = {"blazemeter": {"token": "sandbox-token-that-must-not-be-shown"}}


def pack(target: Path, spec: BlazeMeterSpec, master: Master, session: Session, rows: Recording, *, old: bool) -> None:
    """The archive of one engine; older runs have another name for their samples."""
    with replacing(target, shown_as=target.name) as path, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, "bzt.log", bzt_log(master, session))
        _write(archive, "effective.json", json.dumps(_configuration(master.recording), indent=1))
        for execution in range(spec.executions):
            name = "sample.jtl" if old else "kpi.jtl" if spec.executions == 1 else f"kpi-{execution + 1}.jtl"
            part = Part(
                session.number,
                master.shift_us,
                execution,
                spec.executions,
                spec.mixed_columns and session.number % 2 == 1,
            )
            _add_kpi(archive, name, rows.rows, part)
        _write(
            archive,
            "error.jtl",
            '<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n</testResults>\n',
        )
        _write(archive, "jmeter.log", _jmeter_log(master, session, rows))


def _configuration(whole: Recording) -> dict[str, Any]:
    users = whole.numbers().total.users
    return {
        "execution": [{"scenario": "checkout", "concurrency": users, "hold-for": whole.length}],
        "modules": _MODULES,
    }


def pack_hostile(target: Path, kind: str, sound: Path) -> None:
    """An archive with everything that a sound one has, and with something wrong."""
    with replacing(target, shown_as=target.name) as path, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with zipfile.ZipFile(sound) as good:
            for member in good.infolist():
                if kind != "zip_no_kpi" or not member.filename.endswith(".jtl"):
                    archive.writestr(member, good.read(member))
        for add in _HARM.get(kind, ()):
            add(archive)


def _slip(archive: zipfile.ZipFile) -> None:
    for name in ("../../escaped.jtl", "/tmp/escaped.jtl", "..\\escaped.jtl"):  # noqa: S108 - what must not be written
        _write(archive, name, "escaped")


def _bomb(archive: zipfile.ZipFile) -> None:
    with archive.open(_member("kpi-9.jtl"), "w") as member:
        for _ in range(_BOMB_MB):
            member.write(_CHUNK)


def _symlink(archive: zipfile.ZipFile) -> None:
    link = _member("link.jtl")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(link, "/etc/passwd")


def _many(archive: zipfile.ZipFile) -> None:
    for number in range(_MANY):
        archive.writestr(_member(f"part-{number}.txt"), "")


_HARM: Final[dict[str, tuple[Callable[[zipfile.ZipFile], None], ...]]] = {
    "zip_slip": (_slip,),
    "zip_bomb": (_bomb,),
    "zip_symlink": (_symlink,),
    "zip_many": (_many,),
}


def _add_kpi(archive: zipfile.ZipFile, name: str, rows: Path, part: Part) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, name)
        kpi_files.write(rows, written, part)
        with archive.open(_member(name), "w", force_zip64=True) as member, written.open("rb") as source:
            while chunk := source.read(len(_CHUNK)):
                member.write(chunk)


def _write(archive: zipfile.ZipFile, name: str, text: str) -> None:
    archive.writestr(_member(name), text)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _WHEN)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def bzt_log(master: Master, session: Session) -> str:
    """What Taurus said on one engine."""
    at = datetime.fromtimestamp(master.created, UTC)
    return "".join(
        f"[{at:{_LINE}},000 {level} {place}] {text}\n"
        for level, place, text in (
            ("INFO", "root", "Taurus CLI Tool"),
            ("INFO", "Engine", f"Session {session.id} at {session.location}"),
            ("WARNING", "Engine", "There is newer version of Taurus available"),
            ("INFO", "Engine", "Done performing with code: 0"),
        )
    )


def _jmeter_log(master: Master, session: Session, rows: Recording) -> str:
    return "".join(f"{at:{_LINE}},000 {text}\n" for at, text in _said(master, session, rows))


def _said(master: Master, session: Session, rows: Recording) -> Iterator[tuple[datetime, str]]:
    first, last = (
        datetime.fromtimestamp((moment + master.shift_us) // 1_000_000, UTC) for moment in (rows.first_us, rows.last_us)
    )
    yield first, "INFO o.a.j.JMeter: Version 5.5"
    yield first, f"INFO o.a.j.e.StandardJMeterEngine: Running the test on engine {session.number + 1}"
    for failure in rows.numbers().failures:
        if failure.label is not None and failure.code:
            yield last, f"WARN o.a.j.p.h.s.HTTPSamplerBase: {failure.label}: {failure.code} {failure.message}"
    yield last, "INFO o.a.j.e.StandardJMeterEngine: Notifying test listeners of end of test"
