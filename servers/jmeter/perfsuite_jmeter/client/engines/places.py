"""Where a JMeter or a Java may be on this machine. Nothing is started here."""

import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from perfsuite_jmeter.client.engines.packages import packaged_java
from perfsuite_jmeter.models.engine import JavaSource
from perfsuite_jmeter.settings import JMeterSettings

LAUNCHER: Final = Path("bin/ApacheJMeter.jar")

_LONGEST_SCRIPT: Final = 65_536
_HOME_IN_SCRIPT: Final = re.compile(r"(/[^\s\"'$:;]+?)/bin/(?:jmeter|ApacheJMeter)\b")
_VERSION: Final = re.compile(r"^Implementation-Version:\s*(\d[\w.-]*)", re.MULTILINE)


def jmeter_on_path(search_path: str) -> Path | None:
    """The command `jmeter`, or nothing."""
    found = shutil.which("jmeter", path=search_path)
    return Path(found).absolute() if found else None


def home_of(command: Path) -> Path:
    """The folder that the command `jmeter` starts JMeter from; the nearest guess where nothing tells."""
    real = command.resolve()
    homes = [real.parent.parent, *_named_in(real)]
    return next((home for home in homes if (home / LAUNCHER).is_file()), homes[0])


def javas(settings: JMeterSettings) -> Iterator[tuple[JavaSource, Path]]:
    """Every Java that may be there, in the order in which the user means them."""
    if settings.java_home is not None:
        yield "JAVA_HOME", settings.java_home.expanduser().absolute() / "bin" / "java"
    if found := shutil.which("java", path=settings.search_path):
        yield "PATH", Path(found).absolute()
    if packaged := packaged_java():
        yield "packages", packaged


def missing_from(home: Path) -> str | None:
    """Why this is no home of a JMeter, or nothing when it is one."""
    if (home / LAUNCHER).is_file():
        return None
    if not home.is_dir():
        return f"there is no folder {str(home)!r}"
    near = [
        other
        for other in (home.parent, home / "libexec", *sorted(home.glob("apache-jmeter*")))
        if (other / LAUNCHER).is_file()
    ]
    hint = f"; {str(near[0])!r} is one" if near else ""
    return f"{str(home)!r} is no home of a JMeter: it holds no {LAUNCHER}{hint}"


def version_of(home: Path) -> str | None:
    """The version that the jar files of this JMeter state."""
    cores = sorted((home / "lib" / "ext").glob("ApacheJMeter_core*.jar"))
    return next((found for jar in (*cores, home / LAUNCHER) if (found := _stated_by(jar))), None)


def _named_in(script: Path) -> list[Path]:
    """Package managers put a script on PATH that names the real one."""
    try:
        with script.open("rb") as file:
            text = file.read(_LONGEST_SCRIPT).decode("utf-8", "replace")
    except OSError:
        return []
    return [Path(home) for home in _HOME_IN_SCRIPT.findall(text)] if text.startswith("#!") else []


def _stated_by(jar: Path) -> str | None:
    try:
        with zipfile.ZipFile(jar) as archive:
            manifest = archive.read("META-INF/MANIFEST.MF")
    except (OSError, KeyError, zipfile.BadZipFile):
        return None
    found = _VERSION.search(manifest.decode("utf-8", "replace"))
    return found[1] if found else None
