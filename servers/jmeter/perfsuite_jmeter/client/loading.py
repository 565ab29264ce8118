"""Whether the real JMeter takes a plan, without running any of it."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from perfsuite.errors import BadFile
from perfsuite.samples.rows import printable
from perfsuite_jmeter.client.engines.columns import RESULT_HEADER, result_properties
from perfsuite_jmeter.client.engines.running import Ended, run
from perfsuite_jmeter.client.inert import inert, path_in_plan
from perfsuite_jmeter.client.property_files import write_properties
from perfsuite_jmeter.models.engine import Engine

END_OF_RUN: Final = "... end of run"
LOADING_TIMEOUT_S: Final = 60.0

# A load ends before a better collector or compiler would have paid for its own start.
_QUICK_START: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_HEAP: Final = "256m"
_MOST_LINES: Final = 8
_LONGEST_LINE: Final = 400
_CAUSE: Final = re.compile(r"^Cause:\s*\n(?P<cause>.+)$", re.MULTILINE)
_DRIVER: Final = re.compile(r"^Error in NonGUIDriver (?P<cause>.+)$", re.MULTILINE)
_PATH: Final = re.compile(r"^path\s*: (?P<path>\S+)$", re.MULTILINE)
_LINE: Final = re.compile(r"^line number\s*: (?P<line>\d+)$", re.MULTILINE)
_UNKNOWN_CLASS: Final = re.compile(r"CannotResolveClassException: (?P<name>[\w.$]+)")
_INCLUDED: Final = re.compile(r"^Including file .* failed.*$", re.MULTILINE)
_NOISE: Final = ("WARNING:", "Picked up ", "\tat ", "OpenJDK ")


class Loaded(NamedTuple):
    """What JMeter said to a plan: `lines` say why it did not take it."""

    ok: bool
    seconds: float
    lines: tuple[str, ...] = ()
    unknown_class: str | None = None
    timed_out: bool = False


def load_plan(
    engine: Engine,
    plan: Path,
    properties: Mapping[str, str],
    work: Path,
    *,
    timeout_s: float = LOADING_TIMEOUT_S,
) -> Loaded:
    """Have JMeter make every element of the plan. Nothing of it runs, and nothing is written but below `work`."""
    try:
        copy = inert(plan.read_bytes())
    except BadFile as error:
        return Loaded(ok=False, seconds=0.0, lines=(error.message,))
    with tempfile.TemporaryDirectory(prefix="loading-", dir=work) as place:
        return _load(engine, copy, properties, Path(place), plan.absolute().parent, timeout_s)


def _load(
    engine: Engine, copy: bytes, properties: Mapping[str, str], place: Path, beside: Path, timeout_s: float
) -> Loaded:
    results = place / "results.csv"
    (place / "plan.jmx").write_bytes(copy)
    write_properties(place / "run.properties", properties)
    command = engine.command(
        _arguments(place, results), heap=_HEAP, jvm=(*_QUICK_START, f"-XX:ErrorFile={place}/jvm.log")
    )
    try:
        # JMeter looks for included plans in the folder it was started in.
        ended = run(
            command,
            environ=engine.environment(os.environ),
            cwd=beside,
            output=place / "console.log",
            timeout_s=timeout_s,
        )
    except OSError as error:
        return Loaded(ok=False, seconds=0.0, lines=(f"{str(engine.java)!r} cannot be started: {error.strerror}.",))
    return _judged(ended, results, timeout_s)


def _arguments(place: Path, results: Path) -> Iterator[str]:
    yield from ("-n", "-t", str(place / "plan.jmx"), "-l", str(results), "-j", str(place / "jmeter.log"))
    yield from ("-q", str(place / "run.properties"))
    # No port for stop messages: nobody needs it here, and it might be the one that a running test listens on.
    pinned = {**result_properties(), "jmeterengine.nongui.port": "0", "jmeterengine.force.system.exit": "true"}
    yield from (f"-J{name}={value}" for name, value in pinned.items())


def _judged(ended: Ended, results: Path, timeout_s: float) -> Loaded:
    if ended.code is None:
        line = f"JMeter had not loaded the plan after {timeout_s:g} s and was ended."
        return Loaded(ok=False, seconds=ended.seconds, lines=(line,), timed_out=True)
    lines = tuple(printable(line, _LONGEST_LINE) for line in _complaints(ended, results))
    unknown = _UNKNOWN_CLASS.search(ended.output)
    name = unknown["name"] if unknown and lines else None
    return Loaded(ok=not lines, seconds=ended.seconds, lines=lines, unknown_class=name)


def _complaints(ended: Ended, results: Path) -> list[str]:
    """Everything that is wrong, for JMeter ends with code 0 on most of it."""
    if included := _INCLUDED.findall(ended.output):
        return list(included[:_MOST_LINES])
    if ended.code != 0 or END_OF_RUN not in ended.output:
        return [*_driver_error(ended.output)] or _last_lines(ended)
    header = _first_line(results)
    if not header.startswith(RESULT_HEADER):
        return [f"The results begin with {header[:200]!r} and not with the columns that were asked for."]
    return []


def _driver_error(output: str) -> Iterator[str]:
    if found := _CAUSE.search(output) or _DRIVER.search(output):
        yield found["cause"]
        path, line = _PATH.search(output), _LINE.search(output)
        if path and line:
            yield f"at {path_in_plan(path['path'])}, line {line['line']}"


def _last_lines(ended: Ended) -> list[str]:
    said = [line for line in ended.output.splitlines() if line.strip() and not line.startswith(_NOISE)]
    return [f"JMeter ended with code {ended.code} before the end of the run.", *said[-_MOST_LINES:]]


def _first_line(results: Path) -> str:
    try:
        with results.open(encoding="utf-8", errors="replace") as file:
            return file.readline().rstrip("\n")
    except OSError:
        return ""
