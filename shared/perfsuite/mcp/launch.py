"""How the process of a server starts.

Nothing but the standard library is imported here, because the standard streams must be taken before anything heavy is:
a `print` while importing would otherwise stand in the middle of the protocol. From then on descriptor 1 is standard
error and descriptor 0 is empty, for every print, library and child process; the protocol has descriptors of its own.
"""

import gc
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

DEFAULT_PORT = 8000


@dataclass(frozen=True)
class Switch:
    """An option of the command line that sets an environment variable."""

    option: str
    variable: str
    about: str
    metavar: str | None = None
    """What its value is called; None where it has none, and sets the variable to 1."""


READ_ONLY = Switch(
    "--read-only",
    "PERFSUITE_READ_ONLY",
    "leave out every tool that changes something outside the run folder, as PERFSUITE_READ_ONLY=1 does",
)


@dataclass(frozen=True)
class Wire:
    """The two descriptors that carry the protocol."""

    incoming: int
    outgoing: int


@dataclass(frozen=True)
class Options:
    """The command line."""

    http: bool = False
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    allowed_hosts: Sequence[str] = field(default=())


def serve(module: str, argv: Sequence[str] | None = None, *, switches: Sequence[Switch] = ()) -> None:
    """Run the `server` that this module holds: over stdio, or over HTTP when the command line says so.

    `switches` are options of this server alone. What they say is in the environment when the module is imported.
    """
    arguments = sys.argv[1:] if argv is None else argv
    options = _parse(arguments, (READ_ONLY, *switches)) if arguments else Options()
    wire = None if options.http else take_standard_streams()
    # Imports leave hardly any garbage, and looking for it takes a fifteenth of the start. `run` turns this on again.
    gc.disable()

    from perfsuite.mcp.process import run

    run(module, wire, options)


def take_standard_streams() -> Wire:
    """Keep the client's pipes for the protocol, and leave harmless ones in their place."""
    try:
        wire = Wire(incoming=os.dup(0), outgoing=os.dup(1))
    except OSError:
        sys.exit(
            "This server speaks over standard input and output, and one of them is closed. Open both, or use --http."
        )
    if sys.platform != "win32":  # There, pipes block anyway.
        for descriptor in (wire.incoming, wire.outgoing):
            os.set_blocking(descriptor, True)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    return wire


def _parse(arguments: Sequence[str], switches: Sequence[Switch]) -> Options:
    import argparse
    from pathlib import Path

    from perfsuite import __version__

    parser = argparse.ArgumentParser(
        prog=Path(sys.argv[0]).name,
        description="An MCP server of perfsuite. It speaks over standard input and output, and MCP clients start it.",
        epilog="Over HTTP, a token in PERFSUITE_HTTP_TOKEN (or a file named by PERFSUITE_HTTP_TOKEN_FILE) is asked of "
        "every client, and is needed to listen on anything but the loopback interface.",
    )
    parser.add_argument("--version", action="version", version=f"perfsuite {__version__}")
    parser.add_argument("--http", action="store_true", help="serve streamable HTTP at /mcp instead")
    parser.add_argument("--host", default=Options.host, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=Options.port, help="port, 0 for any (default: %(default)s)")
    parser.add_argument(
        "--allowed-host", action="append", default=[], dest="allowed_hosts", metavar="NAME",
        help="a further name by which clients call this machine; may be given more than once",
    )  # fmt: skip
    for one in switches:
        kind = {"metavar": one.metavar} if one.metavar else {"action": "store_const", "const": "1"}
        parser.add_argument(one.option, dest=one.variable, help=one.about, **kind)  # type: ignore[arg-type]
    found = vars(parser.parse_args(arguments))
    set_now = {one.variable: found.pop(one.variable) for one in switches}
    os.environ.update({name: value for name, value in set_now.items() if value is not None})
    return Options(**found)
