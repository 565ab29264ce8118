"""Whether the real JMeter takes a plan, without running any of it."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from perfsuite.errors import BadFile, BadInput, NotFound
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
_PLAN: Final = "plan.jmx"
_PROPERTIES: Final = "run.properties"
_RESULTS: Final = "results.csv"
_MOST_LINES: Final = 8
_LONGEST_LINE: Final = 400
_CAUSE: Final = re.compile(r"^Cause:\s*\n(?P<cause>.+)$", re.MULTILINE)
_DRIVER: Final = re.compile(r"^Error in NonGUIDriver (?P<cause>.+)$", re.MULTILINE)
_PATH: Final = re.compile(r"^path\s*: (?P<path>\S+)$", re.MULTILINE)
_LINE: Final = re.compile(r"^line number\s*: (?P<line>\d+)$", re.MULTILINE)
_UNKNOWN_CLASS: Final = re.compile(r"CannotResolveClassException: (?P<name>[\w.$]+)")
_INCLUDED: Final = re.compile(r"^Including file .* failed.*$", re.MULTILINE)
_STEP: Final = "Name a plan that `list_jmeter_scripts` lists."
# Scripts that these name are run when JMeter starts; an empty value takes them back.
_RUN_AT_START: Final = ("beanshell.init.file", "beanshell.server.port", "jsr223.init.file")
_NOISE: Final = ("WARNING:", "Picked up ", "\tat ", "OpenJDK ")


class Loaded(NamedTuple):
    """What JMeter said to a plan: `lines` say why it did not take it, `rows` are what was measured."""

    ok: bool
    seconds: float
    lines: tuple[str, ...] = ()
    unknown_class: str | None = None
    timed_out: bool = False
    rows: tuple[str, ...] = ()
    printed: str = ""


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
        copy = inert(_content(plan))
    except BadFile as error:
        return Loaded(ok=False, seconds=0.0, lines=(error.message,))
    # JMeter looks for included plans in the folder it was started in.
    return run_once(engine, copy, properties, work, beside=plan.absolute().parent, timeout_s=timeout_s)


def _content(plan: Path) -> bytes:
    try:
        # Anything but a file could be read for ever.
        if plan.exists() and not plan.is_file():
            raise BadInput(f"The plan {str(plan)!r} is not a file.", next_step=_STEP)
        return plan.read_bytes()
    except OSError as error:
        raise NotFound(f"The plan {str(plan)!r} cannot be read: {error.strerror}.", next_step=_STEP) from error


def run_once(
    engine: Engine, plan: bytes, properties: Mapping[str, str], work: Path, *, beside: Path, timeout_s: float
) -> Loaded:
    """Have JMeter run this to the end, started in the folder `beside`."""
    with tempfile.TemporaryDirectory(prefix="loading-", dir=work) as place:
        return _run_in(Path(place), engine, plan, properties, beside, timeout_s)


def _run_in(
    place: Path, engine: Engine, plan: bytes, properties: Mapping[str, str], beside: Path, timeout_s: float
) -> Loaded:
    (place / _PLAN).write_bytes(plan)
    write_properties(place / _PROPERTIES, properties)
    jvm = (*_QUICK_START, f"-XX:ErrorFile={place}/jvm.log")
    command = engine.command(_arguments(place), heap=_HEAP, jvm=jvm)
    environ = engine.environment(os.environ)
    try:
        ended = run(command, environ=environ, cwd=beside, output=place / "console.log", timeout_s=timeout_s)
    except OSError as error:
        return Loaded(ok=False, seconds=0.0, lines=(f"{str(engine.java)!r} cannot be started: {error.strerror}.",))
    return _judged(ended, _first_lines(place / _RESULTS), timeout_s)


def _arguments(place: Path) -> list[str]:
    files = {"-t": _PLAN, "-l": _RESULTS, "-j": "jmeter.log", "-q": _PROPERTIES}
    # No port for stop messages: nobody needs it here, and it might be the one that a running test listens on.
    pinned = {
        **result_properties(),
        **dict.fromkeys(_RUN_AT_START, ""),
        "jmeterengine.nongui.port": "0",
        "jmeterengine.force.system.exit": "true",
    }
    return [
        "-n",
        *(part for flag, name in files.items() for part in (flag, str(place / name))),
        *(f"-J{name}={value}" for name, value in pinned.items()),
    ]


def _judged(ended: Ended, results: list[str], timeout_s: float) -> Loaded:
    if ended.code is None:
        line = f"JMeter had not loaded the plan after {timeout_s:g} s and was ended."
        return Loaded(ok=False, seconds=ended.seconds, lines=(line,), timed_out=True)
    lines = tuple(printable(line, _LONGEST_LINE) for line in _complaints(ended, results))
    unknown = _UNKNOWN_CLASS.search(ended.output)
    return Loaded(
        ok=not lines,
        seconds=ended.seconds,
        lines=lines,
        unknown_class=unknown["name"] if unknown and lines else None,
        rows=tuple(results[1:]),
        printed=ended.output,
    )


def _complaints(ended: Ended, results: list[str]) -> list[str]:
    """Everything that is wrong, for JMeter ends with code 0 on most of it."""
    if included := _INCLUDED.findall(ended.output):
        return list(included[:_MOST_LINES])
    if ended.code != 0 or END_OF_RUN not in ended.output:
        return [*_driver_error(ended.output)] or _last_lines(ended)
    header = results[0] if results else ""
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


def _first_lines(results: Path) -> list[str]:
    try:
        with results.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in islice(file, _MOST_LINES)]
    except OSError:
        return []
