"""The parts of the documents that come from the code. `just docs` writes them, and a test compares them.

In Markdown such a part stands between `<!-- generated: name -->` and `<!-- end -->`, where words after the name say of
what; .env.example is one as a whole.
"""

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

import anyio
import typer.main
from mcp_types import Tool

from perfsuite.artifacts import layout
from perfsuite.cli.app import app
from perfsuite.cli.exits import MEANINGS
from perfsuite.sandbox.standins.evidence import MEANINGS as MEANINGS_OF_EVIDENCE
from perfsuite.sandbox.standins.routes import StandInRoute
from perfsuite_suite.choices import CORE, SERVERS
from suite import registry
from suite.repository import ROOT, command_of, server_folders, servers
from suite.settings import shown, variables

DOCUMENTS: Final = tuple(
    ROOT / folder / "README.md" for folder in ("", "artifacts", *(f"servers/{n}" for n in server_folders()))
)
ENV_EXAMPLE: Final = ROOT / ".env.example"
EXAMPLE: Final = "tests/data/checkout.jtl"
SHARED: Final = "cancel_job"
"""The tool that servers have in common, and that stops the work of the others."""
_BLOCK: Final = re.compile(r"(<!-- generated: (\w+)([\w ]*) -->\n).*?(<!-- end -->)", re.DOTALL)
_WIDTH: Final = "112"
_ENV_HEAD: Final = """\
# Everything that perfsuite reads from the environment. Nothing here is needed to begin.
# An MCP client sets them under "env"; in a shell: set -a; . ./.env; set +a
# A secret may also stand in a file: NAME_FILE holds the path.
"""


def rewritten(document: str) -> str:
    """The document with every generated part as the code has it now."""
    return _BLOCK.sub(lambda block: f"{block[1]}{BLOCKS[block[2]](*block[3].split())}{block[4]}", document)


def env_example() -> str:
    """The content of .env.example."""
    return _ENV_HEAD + "".join(
        f"\n# {variable.sentence}\n# {variable.name}={variable.shown_default}\n" for variable in variables()
    )


def tools(server: str) -> list[Tool]:
    """The tools of a server, as it lists them to its clients."""
    module = importlib.import_module(f"perfsuite_{server}.server")
    return anyio.run(module.server.list_tools)


def subcommands() -> Mapping[str, typer.core.TyperCommand]:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    known: dict[str, typer.core.TyperCommand] = {}
    for name, one in group.commands.items():
        parts = one.commands if isinstance(one, typer.core.TyperGroup) else {}
        known |= {f"{name} {part}": command for part, command in parts.items()} or {name: one}
    return known


def _exits() -> str:
    return _table(("code", "meaning"), ((str(code), meaning) for code, meaning in MEANINGS.items()))


def _commands() -> str:
    found = ((f"`perfsuite {name}`", _first_line(one.help or "")) for name, one in subcommands().items())
    return _table(("command", "what it does"), found)


def _tools() -> str:
    rows = []
    for name in servers():
        link = f"[`{command_of(name)}`](servers/{name}/README.md)"
        named = [tool.name for tool in tools(name)]
        rows.append((link, _purpose(name), _listing(named, {*named} - {SHARED})))
    return _table(("server", "what it does", "its tools"), rows)


def _purpose(server: str) -> str:
    """What the first sentence of a server's README says that it does."""
    text = (ROOT / "servers" / server / "README.md").read_text(encoding="utf-8").split("\n\n")[1]
    sentence = re.split(r"[.:;] ", " ".join(text.split()), maxsplit=1)[0]
    purpose = sentence.removeprefix("An MCP server that ").rstrip(".")
    return purpose[0].upper() + purpose[1:] + "."


def _parameters(server: str, name: str) -> str:
    [schema] = [tool.input_schema for tool in tools(server) if tool.name == name]
    required = schema.get("required", ())
    rows = (
        (f"`{name}`", _kind(one), "required" if name in required else _default(one), one["description"])
        for name, one in schema["properties"].items()
    )
    return _table(("parameter", "value", "default", "what it is"), rows)


def _default(schema: Mapping[str, Any]) -> str:
    return shown(schema["default"]) if "default" in schema else "none"


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(shown(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    return f"list of {_kind(schema['items'])}" if schema["type"] == "array" else str(schema["type"])


def _preset() -> str:
    """The tools of the preset core by server, and what it leaves out."""
    rows = []
    for name in SERVERS:
        named = [tool.name for tool in tools(name) if tool.name != SHARED]
        rows.append((f"`{name}`", _listing(named, CORE), _listing(named, {*named} - CORE)))
    return _table(("server", "in the preset core", "left out"), rows)


def _listing(names: Iterable[str], of: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in names if name in of)


def _environment() -> str:
    rows = ((f"`{one.name}`", one.sentence) for one in variables())
    return _table(("variable", "what it is"), rows)


def _unverified(server: str) -> str:
    """What the stand-in of a service answers, and nobody has compared with the service itself."""
    routes: tuple[StandInRoute, ...] = importlib.import_module(f"perfsuite.sandbox.{server}").ROUTES
    rows = (
        (f"`{route.method} {route.path}`", MEANINGS_OF_EVIDENCE[route.evidence], route.note)
        for route in routes
        if route.evidence != "recorded" or route.note
    )
    return _table(("request", "its shape rests on", "what is open"), rows)


def _layout() -> str:
    rows = ((f"`{one.place}`", one.makers, one.about) for one in layout.ALL)
    return _table(("file", "written by", "what it is"), rows)


def _example() -> str:
    command = [sys.executable, "-X", "utf8", "-c", "from perfsuite.cli import main; main()", "stats", EXAMPLE]
    environ = {**os.environ, "COLUMNS": _WIDTH}
    shown = subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True, encoding="utf-8").stdout
    lines = [line.rstrip() for line in shown.splitlines()]
    return "\n".join(["```text", f"$ perfsuite stats {EXAMPLE}", *lines, "```", ""])


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


BLOCKS: Final[Mapping[str, Callable[..., str]]] = {
    "example": _example,
    "tools": _tools,
    "parameters": _parameters,
    "preset": _preset,
    "commands": _commands,
    "exits": _exits,
    "environment": _environment,
    "layout": _layout,
    "unverified": _unverified,
}


if __name__ == "__main__":
    for document in DOCUMENTS:
        document.write_text(rewritten(document.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    registry.main()
    ENV_EXAMPLE.write_text(env_example(), encoding="utf-8", newline="\n")
