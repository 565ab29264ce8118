"""A server as a terminal sees it: asked by its tools, with its questions put to the user."""

import os
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import anyio
from mcp import MCPError
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import ElicitRequestParams, ElicitResult, ImageContent, TextContent

from perfsuite.errors import BadAnswer, BadInput, NotFound, PerfsuiteError, RemoteError, Unreachable
from perfsuite.samples.rows import printable

_LONGEST: Final = 4_000
# Servers cut their own waits at 45 s; a load by the real JMeter, which a check waits for, may take a minute.
_PATIENCE_S: Final = 180
_BROKEN: Final = (MCPError, anyio.ClosedResourceError, anyio.BrokenResourceError)

S = TypeVar("S")
T = TypeVar("T")
Progress = Callable[[float, float | None, str | None], None]


def _nothing() -> None:
    """Nothing is in the way of a question."""


@dataclass
class Consent:
    """Answers the server's questions: as --yes says, or as the user does.

    `answer` is None until there was a question; `nobody` means that there was no terminal to ask at. `clear` makes room
    for the question where something is being drawn.
    """

    always: bool
    at_terminal: bool
    clear: Callable[[], None] = _nothing
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
        self.clear()
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


@dataclass(frozen=True)
class Answer:
    """What a tool answered: as data where it has some, and as the text that a model reads."""

    facts: dict[str, Any] | None
    text: str
    images: int


class Server:
    """A connection to a server."""

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self._client = client

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        failing: type[PerfsuiteError] = RemoteError,
        next_step: str,
        tell: Progress | None = None,
    ) -> Answer:
        """What a tool answers, or an error of this kind in the tool's own words."""
        given = {name: value for name, value in arguments.items() if value not in (None, {}, [])}

        async def told(progress: float, total: float | None, message: str | None) -> None:
            if tell is not None:
                tell(progress, total, message)

        try:
            result = await self._client.call_tool(tool, given, _PATIENCE_S, told)
        except _BROKEN as error:
            why = str(error).rstrip(".") or "the connection is closed"
            raise Unreachable(f"The {self.name} server did not answer `{tool}`: {why}.", next_step=next_step) from None
        text = " ".join(block.text for block in result.content if isinstance(block, TextContent))
        if result.is_error:
            raise failing(printable(text, _LONGEST), next_step=next_step)
        images = sum(isinstance(block, ImageContent) for block in result.content)
        return Answer(dict(result.structured_content) if result.structured_content is not None else None, text, images)

    async def ask(
        self, tool: str, *, failing: type[PerfsuiteError] = RemoteError, next_step: str, **arguments: Any
    ) -> dict[str, Any]:
        """The data that a tool answers."""
        answer = await self.call(tool, arguments, failing=failing, next_step=next_step)
        if answer.facts is None:
            raise BadAnswer(f"`{tool}` answered without content.", next_step=next_step)
        return answer.facts


async def with_server(
    name: str,
    command: Sequence[str],
    consent: Consent,
    work: Callable[[Server], Awaitable[T]],
    environ: Mapping[str, str] = os.environ,
) -> T:
    """Start a server, do this work with it, and let it go. The load tests that it started outlive it."""
    program, *arguments = command
    parameters = StdioServerParameters(command=program, args=arguments, env=dict(environ))
    wire = stdio_client(parameters, errlog=sys.stderr)
    client = Client(wire, elicitation_callback=consent, read_timeout_seconds=_PATIENCE_S)
    try:
        async with client:
            found = await outcome_of(work, Server(name, client))
    except ExceptionGroup as group:
        if group.subgroup(lambda error: isinstance(error, Exception) and not _is_of_the_wire(error)) is not None:
            raise
        raise Unreachable(
            f"{program!r} does not speak as an MCP server.",
            next_step=f"Run `{shlex.join(command)}` in a terminal to see why.",
        ) from None
    if isinstance(found, PerfsuiteError):
        raise found
    return found


async def outcome_of(work: Callable[[S], Awaitable[T]], with_this: S) -> T | PerfsuiteError:
    """What the work returns or raises: a group of tasks would wrap what is raised through it."""
    try:
        return await work(with_this)
    except PerfsuiteError as error:
        return error


def _is_of_the_wire(error: Exception) -> bool:
    return isinstance(error, MCPError | ExceptionGroup)


def server_command(name: str, instead: str = "") -> list[str]:
    """What starts our server of this name, or another command in its place."""
    try:
        parts = shlex.split(instead)
    except ValueError as error:
        raise BadInput(f"--server {instead!r} is no command: {error}.", next_step="Correct the quotes.") from None
    parts = parts or [str(Path(sysconfig.get_path("scripts")) / f"{name}-mcp")]
    if shutil.which(parts[0]) is None:
        raise NotFound(
            f"There is no command {parts[0]!r}.", next_step="Install perfsuite again, or name the server by --server."
        )
    return parts


def at_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
