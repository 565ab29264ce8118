"""What the registry of MCP servers is told of each server: a server.json, made of its code. `just docs` writes them.

A client starts a package by its own name, so every server is `perfsuite mcp NAME`. The owner of the package proves that
by a comment in the README.
"""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from perfsuite import __version__
from perfsuite.mcp.server import SuiteServer
from suite.repository import ALL_IN_ONE, ROOT, server_folders, servers
from suite.settings import Variable, variables_of

SCHEMA: Final = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
_OWNER: Final = "io.github.perfsuite"
_PACKAGE: Final = "perfsuite"
_FIRST_CLAUSE: Final = re.compile(r"[^.:;]*")
# A shell sets these, and nobody configures them for a server.
_OF_THE_SHELL: Final = frozenset({"PATH", "XDG_CACHE_HOME"})
# These ask services on the network.
_WITH_HTTP: Final = frozenset({"blazemeter", "confluence", "datadog"})


def place_of(server: str) -> Path:
    return ROOT / "servers" / server / "server.json"


def name_of(server: str) -> str:
    return f"{_OWNER}/{_PACKAGE if server == ALL_IN_ONE else server}"


def text_of(server: str) -> str:
    return json.dumps(document_of(server), indent=2, ensure_ascii=False) + "\n"


def document_of(server: str) -> dict[str, Any]:
    module: SuiteServer = importlib.import_module(f"perfsuite_{server}.server").server
    first = _FIRST_CLAUSE.match(module.instructions or "")
    assert first is not None
    return {
        "$schema": SCHEMA,
        "name": name_of(server),
        "title": module.title,
        "description": f"{first[0]}.",
        "version": __version__,
        "packages": [
            {
                "registryType": "pypi",
                "identifier": _PACKAGE,
                "version": __version__,
                "runtimeHint": "uvx",
                "packageArguments": [{"type": "positional", "value": value} for value in _arguments(server)],
                "transport": {"type": "stdio"},
                "environmentVariables": [_described(one) for one in _variables(server)],
            }
        ],
    }


def _arguments(server: str) -> list[str]:
    return ["mcp"] if server == ALL_IN_ONE else ["mcp", server]


def _variables(server: str) -> Iterator[Variable]:
    """Those of the server, or of all that it carries, and those that all share."""
    parts = server_folders() if server == ALL_IN_ONE else (server,)
    shared = ["perfsuite.settings", *(["perfsuite.http"] if _WITH_HTTP & {*parts} else [])]
    for package in (*shared, *(f"perfsuite_{part}" for part in parts)):
        yield from (one for one in variables_of(package) if one.name not in _OF_THE_SHELL)


def _described(variable: Variable) -> dict[str, Any]:
    found: dict[str, Any] = {"name": variable.name, "description": variable.sentence}
    if variable.is_required:
        found["isRequired"] = True
    if variable.is_secret:
        found["isSecret"] = True
    if variable.format != "string":
        found["format"] = variable.format
    if variable.shown_default:
        found["default"] = variable.shown_default
    return found


def main() -> None:
    for server in (*servers(), ALL_IN_ONE):
        place_of(server).write_text(text_of(server), encoding="utf-8", newline="\n")
