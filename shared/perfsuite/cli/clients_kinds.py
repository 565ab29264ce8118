"""The MCP clients whose configuration perfsuite writes: where it lies, and how each refers to what it must not hold."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from perfsuite.cli.accounts import Variable
from perfsuite.errors import BadInput

Scope = Literal["user", "project"]
Name = Literal["claude-code", "claude-desktop", "cursor", "vscode", "plain"]
Setting = dict[str, str]

INPUTS: Final = "inputs"
_OURS: Final = "perfsuite-"


@dataclass(frozen=True)
class Kind:
    """A client."""

    title: str
    key: str
    """Where the servers stand in its file."""
    refer: Callable[[Variable], Setting]
    """How the environment of a server names a value that stands elsewhere; nothing where that cannot be said."""
    files: Callable[[Scope], Path | None]
    """Its file; None where it has none of this scope."""
    is_typed: bool = False
    has_inputs: bool = False
    fill_in: str = ""
    """How the user gives a value that is referred to."""
    most_tools: int | None = None
    prefers_files: bool = False


def _braces(variable: Variable) -> Setting:
    return {variable.name: f"${{{variable.name}}}"}


def _braces_or_nothing(variable: Variable) -> Setting:
    # Without a default, an unset variable is an error of the whole file, or arrives as the reference itself.
    return {variable.name: f"${{{variable.name}:-}}"}


def _env_braces(variable: Variable) -> Setting:
    return {variable.name: f"${{env:{variable.name}}}"}


def _input(variable: Variable) -> Setting:
    return {variable.name: f"${{input:{input_id(variable.name)}}}"}


def _file(variable: Variable) -> Setting:
    """The client passes on what its file holds, and nothing else; so the value stands in a file of its own."""
    path = str(_configuration_folder() / "perfsuite" / "secrets" / variable.name)
    names = {"secret": f"{variable.name}_FILE", "file": variable.name}
    return {names[variable.kind]: path} if variable.kind in names else {}


def input_id(name: str) -> str:
    """The id by which VS Code knows what it asks the user for."""
    return _OURS + name.lower().replace("_", "-")


def is_input_of_ours(definition: Any) -> bool:
    return isinstance(definition, dict) and str(definition.get("id", "")).startswith(_OURS)


def input_definition(variable: Variable) -> dict[str, Any]:
    """What VS Code asks the user for once, and then keeps for itself."""
    return {
        "type": "promptString",
        "id": input_id(variable.name),
        "description": f"{variable.name}: {variable.about}",
        "password": variable.kind == "secret",
    }


def _configuration_folder() -> Path:
    """Where programs keep what the user configures."""
    if sys.platform == "win32":
        return _from_environment(os.environ, "APPDATA") or Path.home() / "AppData" / "Roaming"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return _from_environment(os.environ, "XDG_CONFIG_HOME") or Path.home() / ".config"


def _from_environment(environ: Mapping[str, str], name: str) -> Path | None:
    # The XDG specification says to ignore a relative path.
    path = Path(environ.get(name, ""))
    return path if path.is_absolute() else None


def _claude_code(scope: Scope) -> Path:
    if scope == "project":
        return Path.cwd() / ".mcp.json"
    return (_from_environment(os.environ, "CLAUDE_CONFIG_DIR") or Path.home()) / ".claude.json"


def _claude_desktop(scope: Scope) -> Path | None:
    return _configuration_folder() / "Claude" / "claude_desktop_config.json" if scope == "user" else None


def _cursor(scope: Scope) -> Path:
    return (Path.home() if scope == "user" else Path.cwd()) / ".cursor" / "mcp.json"


def _vscode(scope: Scope) -> Path:
    folder = _configuration_folder() / "Code" / "User" if scope == "user" else Path.cwd() / ".vscode"
    return folder / "mcp.json"


KINDS: Final[Mapping[Name, Kind]] = {
    "claude-code": Kind(
        "Claude Code", "mcpServers", _braces_or_nothing, _claude_code, is_typed=True,
        fill_in="Set these in the shell that starts Claude Code",
    ),
    "claude-desktop": Kind(
        "Claude Desktop", "mcpServers", _file, _claude_desktop,
        fill_in="Write each value into its file, which only you can read", prefers_files=True,
    ),
    "cursor": Kind(
        "Cursor", "mcpServers", _env_braces, _cursor,
        fill_in="Set these in the environment that Cursor starts in", most_tools=40,
    ),
    "vscode": Kind(
        "VS Code", "servers", _input, _vscode, is_typed=True, has_inputs=True,
        fill_in="VS Code asks for these once, and keeps them safe",
    ),
    "plain": Kind(
        "your client", "mcpServers", _braces, lambda scope: None,
        fill_in="Put your client's way to refer to these in place of ${...}",
    ),
}  # fmt: skip


def file_of(name: Name, scope: Scope) -> Path:
    """The file of a client, or an error that says what to do instead."""
    found = KINDS[name].files(scope)
    if found is None and name == "plain":
        raise BadInput("`plain` is no client with a file.", next_step="Add --print, and put the text where it belongs.")
    if found is None:
        raise BadInput(
            f"{KINDS[name].title} has no configuration for a project.", next_step="Leave out `--scope project`."
        )
    return found
