"""The jmeter server as a terminal sees it: asked by its tools, with its questions put to the user."""

import os
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import anyio
from mcp import MCPError
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import ElicitRequestParams, ElicitResult, TextContent

from perfsuite.errors import BadAnswer, BadInput, NotFound, PerfsuiteError, RemoteError, Unreachable
from perfsuite.samples.rows import printable

SERVER: Final = "jmeter-mcp"
_LONGEST: Final = 4_000
# The server cuts its own waits at 45 s; a load by the real JMeter, which a check waits for, may take a minute.
_PATIENCE_S: Final = 180

T = TypeVar("T")


@dataclass
class Consent:
    """Answers the server's questions: as --yes says, or as the user does.

    `answer` is None until there was a question; `nobody` means that there was no terminal to ask at.
    """

    always: bool
    at_terminal: bool
    question: str = ""
    answer: Literal["yes", "no", "nobody"] | None = None
    _asking: anyio.CancelScope | None = None

    async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult:
        del context
        self.question = printable(params.message, _LONGEST)
        if self.always:
            self.answer = "yes"
        elif self.at_terminal:
            self.answer = "yes" if await self._agrees() else "no"
        else:
            self.answer = "nobody"
        if self.answer == "yes":
            return ElicitResult(action="accept", content={"agreed": True})
        return ElicitResult(action="decline")

    def give_up(self) -> bool:
        """Take this as a no, if somebody is being asked."""
        if self._asking is None:
            return False
        self._asking.cancel()
        return True

    async def _agrees(self) -> bool:
        # input() would not do: a Ctrl-C just before it blocks is noted, and then it blocks.
        sys.stderr.write(f"{self.question} [y/N] ")
        sys.stderr.flush()
        line = ""
        with anyio.CancelScope() as self._asking:
            await anyio.wait_readable(sys.stdin)
            line = sys.stdin.readline()
        self._asking = None
        if not line:
            sys.stderr.write("\n")
        return line.strip().lower() in {"y", "yes"}


class JMeterServer:
    """A connection to the server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ask(
        self, tool: str, *, failing: type[PerfsuiteError] = RemoteError, next_step: str, **arguments: Any
    ) -> dict[str, Any]:
        """What a tool answers, or an error of this kind in the tool's own words."""
        given = {name: value for name, value in arguments.items() if value not in (None, {}, [])}
        try:
            result = await self._client.call_tool(tool, given, read_timeout_seconds=_PATIENCE_S)
        except MCPError as error:
            raise Unreachable(f"The jmeter server did not answer `{tool}`: {error}.", next_step=next_step) from None
        if result.is_error:
            said = " ".join(block.text for block in result.content if isinstance(block, TextContent))
            raise failing(printable(said, _LONGEST), next_step=next_step)
        if result.structured_content is None:
            raise BadAnswer(f"`{tool}` answered without content.", next_step=next_step)
        return dict(result.structured_content)


async def with_server(command: str, consent: Consent, work: Callable[[JMeterServer], Awaitable[T]]) -> T:
    """Start the server, do this work with it, and let it go. The runs that it started outlive it."""
    program, *arguments = _command(command)
    parameters = StdioServerParameters(command=program, args=arguments, env=dict(os.environ))
    wire = stdio_client(parameters, errlog=sys.stderr)
    client = Client(wire, elicitation_callback=consent, read_timeout_seconds=_PATIENCE_S)
    try:
        async with client:
            found = await _outcome(work, JMeterServer(client))
    except ExceptionGroup as group:
        if group.subgroup(lambda error: isinstance(error, Exception) and not _is_of_the_wire(error)) is not None:
            raise
        raise Unreachable(
            f"{program!r} does not speak as an MCP server.",
            next_step=f"Run `{shlex.join([program, *arguments])}` in a terminal to see why.",
        ) from None
    if isinstance(found, PerfsuiteError):
        raise found
    return found


async def _outcome(work: Callable[[JMeterServer], Awaitable[T]], server: JMeterServer) -> T | PerfsuiteError:
    """What the work returns or raises: the connection would wrap what is raised through it."""
    try:
        return await work(server)
    except PerfsuiteError as error:
        return error


def _is_of_the_wire(error: Exception) -> bool:
    return isinstance(error, MCPError | ExceptionGroup)


def _command(command: str) -> list[str]:
    try:
        parts = shlex.split(command)
    except ValueError as error:
        raise BadInput(f"--server {command!r} is no command: {error}.", next_step="Correct the quotes.") from None
    parts = parts or [str(Path(sysconfig.get_path("scripts")) / SERVER)]
    if shutil.which(parts[0]) is None:
        raise NotFound(
            f"There is no command {parts[0]!r}.", next_step="Install perfsuite again, or name the server by --server."
        )
    return parts


def at_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
