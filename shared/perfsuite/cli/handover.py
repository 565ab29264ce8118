"""`perfsuite mcp`: hand over to a server, for whoever can start a package by its own name alone, as registries do."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Annotated

import typer

from perfsuite.cli.clients_entries import ALL_IN_ONE, known_servers
from perfsuite.errors import NotFound


def mcp(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SERVER] [OPTIONS]", help="By default the all-in-one. Options are the server's."),
    ] = None,
) -> None:
    """Become an MCP server: the one that is named, or the one that carries the tools of all."""
    given = list(arguments or ())
    name = given.pop(0) if given and not given[0].startswith("-") else ALL_IN_ONE
    if name != ALL_IN_ONE and name not in known_servers():
        raise NotFound(f"There is no server {name!r}.", next_step=f"Choose one of {', '.join(known_servers())}.")
    command = [str(Path(sysconfig.get_path("scripts")) / f"{name}-mcp"), *given]
    if sys.platform == "win32":  # There, a process cannot become another one.
        raise SystemExit(subprocess.run(command, check=False).returncode)  # noqa: S603 - a command of our own
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted
