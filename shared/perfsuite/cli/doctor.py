"""`perfsuite doctor`: whether everything that perfsuite needs is here and works, tried rather than looked up."""

import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final, Literal

import anyio
from rich.table import Table
from rich.text import Text

from perfsuite import __version__
from perfsuite.artifacts import RunStore
from perfsuite.cli import exits, output
from perfsuite.cli.options import AsJson
from perfsuite.errors import PerfsuiteError
from perfsuite.samples.engine import Engine
from perfsuite.samples.rows import printable
from perfsuite.settings import SuiteSettings

_COLOURS: Final = {"ok": "green", "warning": "yellow", "broken": "bold red"}
_LITTLE_DISK: Final = 2_000_000_000
_PATIENCE_S: Final = 30
# A JMeter that was never tried on this machine is put together first, and tried with every Java there is.
_ENGINE_PATIENCE_S: Final = 240
_ENGINE_TOOL: Final = "check_jmeter_engine"


@dataclass(frozen=True)
class Finding:
    """One thing that was tried."""

    check: str
    state: Literal["ok", "warning", "broken"]
    found: str
    next_step: str = ""


Check = Callable[[], Finding | list[Finding]]


def doctor(as_json: AsJson = False) -> None:
    """Try everything that perfsuite needs on this machine, and say what to do about what does not work."""
    own: tuple[Check, ...] = (_python, _settings, _artifacts, _configuration, _temporary_disk, _statistics)
    checks = (*own, *_server_checks())
    findings = [finding for check in checks for finding in _tried(check)]
    if as_json:
        output.print_json({"version": __version__, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    if any(finding.state == "broken" for finding in findings):
        raise SystemExit(exits.INTERNAL)


def _tried(check: Check) -> list[Finding]:
    try:
        found = check()
    except PerfsuiteError as error:
        return [Finding(check.__name__.strip("_").replace("_", " "), "broken", error.message, error.next_step)]
    return found if isinstance(found, list) else [found]


def _python() -> Finding:
    return Finding("python", "ok", f"Python {sys.version.split()[0]}, perfsuite {__version__}")


def _settings() -> Finding:
    settings = SuiteSettings.load()
    return Finding("settings", "ok", f"read-only mode is {'on' if settings.read_only else 'off'}")


def _artifacts() -> Finding:
    store = RunStore(SuiteSettings.load().artifacts_dir)
    free = shutil.disk_usage(_existing(store.root)).free
    found = f"{store.root} holds {len(store.runs())} runs; {free / 1e9:.1f} GB free"
    if free < _LITTLE_DISK:
        return Finding("artifacts", "warning", found, "Free some disk, or set PERFSUITE_ARTIFACTS_DIR to a larger one.")
    return Finding("artifacts", "ok", found)


def _configuration() -> Finding:
    folder = SuiteSettings.load().config_dir
    if folder is None:
        return Finding("configuration", "ok", "PERFSUITE_CONFIG_DIR is not set; the project folder is used")
    if not folder.is_dir():
        return Finding(
            "configuration",
            "broken",
            f"PERFSUITE_CONFIG_DIR is {str(folder)!r}, which is not a folder",
            "Make the folder, or correct the variable.",
        )
    return Finding("configuration", "ok", str(folder))


def _temporary_disk() -> Finding:
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free
    found = f"{folder} has {free / 1e9:.1f} GB free"
    if free < _LITTLE_DISK:
        return Finding("temporary disk", "warning", found, "Point TMPDIR at a larger disk before reading large files.")
    return Finding("temporary disk", "ok", found)


def _statistics() -> Finding:
    with Engine() as engine:
        [(version,)] = engine.rows("SELECT version()")
    return Finding("statistics", "ok", f"DuckDB {version} works")


def _server_checks() -> list[Check]:
    """One check for each server that this installation brings."""
    scripts = distribution("perfsuite").entry_points.select(group="console_scripts")
    return [_server_check(name) for name in sorted(scripts.names) if name.endswith("-mcp")]


def _server_check(name: str) -> Check:
    def check() -> list[Finding]:
        command = Path(sysconfig.get_path("scripts")) / name
        if not command.exists():
            return [Finding(name, "broken", f"the command {command} is missing", "Install perfsuite again.")]
        return ask_server(name, str(command))

    check.__name__ = name
    return check


def ask_server(name: str, *command: str) -> list[Finding]:
    """Start a server to see whether it answers, and have it look for the JMeter it needs, if it can."""
    try:
        tools, engine = anyio.run(_answers_of, command)
    except Exception as error:  # noqa: BLE001 - whatever a server dies of is what doctor is for
        told = printable(repr(error))
        return [Finding(name, "broken", f"does not answer: {told}", f"Run `{name}` in a terminal to see why.")]
    return [Finding(name, "ok", f"answers over stdio with {tools} tools"), *engine]


async def _answers_of(command: tuple[str, ...]) -> tuple[int, list[Finding]]:
    """How many tools there are, and what was found out by asking one."""
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters
    from mcp_types import TextContent

    # Without it, the server would not see JMETER_HOME and the like.
    environ = dict(os.environ)
    with anyio.fail_after(_PATIENCE_S) as limit:
        async with Client(StdioServerParameters(command=command[0], args=list(command[1:]), env=environ)) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            if _ENGINE_TOOL not in tools:
                return len(tools), []
            limit.deadline += _ENGINE_PATIENCE_S
            with output.progress_bar() as tell:

                async def told(progress: float, total: float | None, message: str | None) -> None:
                    tell(message or "", progress / (total or 1.0))

                answer = await client.call_tool(_ENGINE_TOOL, progress_callback=told)
            said = " ".join(block.text for block in answer.content if isinstance(block, TextContent))
            return len(tools), [_engine(answer.structured_content, said)]


def _engine(report: dict[str, Any] | None, said: str) -> Finding:
    if report is None:
        return Finding("JMeter", "broken", said, "Run `jmeter-mcp` in a terminal to see why.")
    engine = report["used"]
    passed_over = [f"{one['source']}: {one['reason']}" for one in report["candidates"] if not one["usable"]]
    if engine is None:
        return Finding("JMeter", "warning", f"none that works; {'; '.join(passed_over)}", report["next_step"])
    found = f"JMeter {engine['version']} ({engine['source']}) on Java {engine['java_version']}, in {engine['home']}"
    problems = "".join(f"; {problem}" for problem in [engine["groovy_problem"], *passed_over] if problem)
    if problems:
        return Finding("JMeter", "warning", found + problems, report["next_step"])
    return Finding("JMeter", "ok", found)


def _existing(folder: Path) -> Path:
    return next(candidate for candidate in (folder, *folder.parents) if candidate.exists())


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        table.add_row(Text(finding.state, _COLOURS[finding.state]), finding.check, output.plain(finding.found))
        if finding.next_step:
            table.add_row("", "", Text(f"→ {finding.next_step}", "cyan"))
    output.print_table(table)
