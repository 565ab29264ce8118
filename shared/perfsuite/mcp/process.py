"""The life of a server's process, from the import of its module to its exit."""

import gc
import importlib
import os
import sys
import traceback

import anyio

from perfsuite.errors import PerfsuiteError
from perfsuite.mcp.environment import ServingSettings
from perfsuite.mcp.launch import Options, Wire
from perfsuite.mcp.server import SuiteServer
from perfsuite.mcp.threads import left_behind
from perfsuite.settings import redact


def run(module: str, wire: Wire | None, options: Options) -> None:
    """Serve until the client leaves, then end this process whatever still works in it."""
    code = _code(module, wire, options)
    sys.stdout.flush()
    sys.stderr.flush()
    if left_behind():
        # The interpreter would tear down libraries under the feet of threads that are inside them.
        os._exit(code)
    sys.exit(code)


def _code(module: str, wire: Wire | None, options: Options) -> int:
    try:
        settings = ServingSettings.load()
        server = _server(module)
        gc.freeze()
        gc.enable()
        anyio.run(_serve, server, wire, options, settings)
    except PerfsuiteError as error:
        sys.stderr.write(redact(f"{error}\n"))
        return 2
    except Exception:  # noqa: BLE001 - the last frame of the process: what is not said here is never said
        sys.stderr.write(redact(traceback.format_exc()))
        return 1
    return 0


def _server(module: str) -> SuiteServer:
    server = importlib.import_module(module).server
    if not isinstance(server, SuiteServer):
        raise TypeError(f"{module}.server is a {type(server).__name__}, not what create_server() makes.")
    return server


async def _serve(server: SuiteServer, wire: Wire | None, options: Options, settings: ServingSettings) -> None:
    if wire is None:
        from perfsuite.mcp.web import serve_http

        await serve_http(server, options, settings.http_token)
    else:
        from perfsuite.mcp.stdio import serve_stdio

        await serve_stdio(server, wire, only_legacy=settings.era == "legacy")
