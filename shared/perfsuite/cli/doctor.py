"""`perfsuite doctor`: whether everything that perfsuite needs is here and works, tried rather than looked up."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from perfsuite import __version__
from perfsuite.artifacts import RunStore
from perfsuite.cli import exits, output
from perfsuite.cli.doctor_servers import Finding, ask_all_servers
from perfsuite.cli.options import AsJson
from perfsuite.errors import PerfsuiteError
from perfsuite.samples.engine import Engine
from perfsuite.settings import SuiteSettings

_COLOURS: Final = {"ok": "green", "unset": "dim", "warning": "yellow", "broken": "bold red"}
_LITTLE_DISK: Final = 2_000_000_000

Check = Callable[[], Finding]


def doctor(as_json: AsJson = False) -> None:
    """Try everything that perfsuite needs on this machine, and every account; say what to do about what fails."""
    own: tuple[Check, ...] = (_python, _settings, _artifacts, _configuration, _temporary_disk, _statistics)
    findings = [finding for check in own for finding in _tried(check)]
    findings += ask_all_servers()
    if as_json:
        output.print_json({"version": __version__, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    if any(finding.state == "broken" for finding in findings):
        raise SystemExit(exits.INTERNAL)


def _tried(check: Check) -> list[Finding]:
    try:
        return [check()]
    except PerfsuiteError as error:
        return [Finding(check.__name__.strip("_").replace("_", " "), "broken", error.message, error.next_step)]


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


def _existing(folder: Path) -> Path:
    return next(candidate for candidate in (folder, *folder.parents) if candidate.exists())


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        table.add_row(Text(finding.state, _COLOURS[finding.state]), finding.check, output.plain(finding.found))
        if finding.next_step:
            table.add_row("", "", Text(f"→ {finding.next_step}", "cyan"))
    output.print_table(table)
