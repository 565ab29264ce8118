"""What the caller reads when something failed, and what only the log keeps."""

import secrets
from collections.abc import Iterator

from mcp.server.mcpserver.exceptions import (
    ResourceError,
    ResourceNotFoundError,
    ToolError,
    UnexpectedResourceError,
    UnexpectedToolError,
)
from mcp.server.mcpserver.tools import Tool
from pydantic import ValidationError

from perfsuite.errors import BadInput, NotFound, PerfsuiteError
from perfsuite.mcp.answers import encodable
from perfsuite.mcp.arguments import unusable
from perfsuite.mcp.logs import logger
from perfsuite.settings import redact

LONGEST_ERROR = 4_000
# How errors of the SDK about what a client sent in answer to our questions begin.
_CONFIRMATION = "Resolver 'perfsuite.mcp.confirmation:"
_NO_ANSWER = (
    "Nothing was changed: the client's answer to the question is neither a yes nor a no. "
    "Do not call again unless the user asks for it; then the client must show the form, and send what was ticked."
)


def told(text: str) -> str:
    """An error's text as it leaves the server: without secrets, and not endless."""
    clean = redact(encodable(text))
    return clean if len(clean) <= LONGEST_ERROR else f"{clean[:LONGEST_ERROR]} [cut]"


def tool_failure(tool: Tool, error: Exception) -> ToolError:
    """What the model is told about a call that failed."""
    cause = error.__cause__
    if str(cause or error).startswith(_CONFIRMATION):
        return ToolError(_NO_ANSWER)
    if isinstance(error, UnexpectedToolError) or not isinstance(error, ToolError):
        return ToolError(_unexpected(f"`{tool.name}`", cause or error))
    if isinstance(cause, ValidationError):
        again = f"Correct this and call `{tool.name}` again."
        return ToolError(told(unusable(cause, tool.parameters.get("properties", {}), again)))
    return ToolError(told(str(cause or error)))


def resource_failure(uri: str, error: ResourceError) -> ResourceError:
    """What the client is told about a resource that could not be read."""
    if not isinstance(error, UnexpectedResourceError):
        return type(error)(told(str(error)))
    cause = error.__cause__ or error
    if isinstance(cause, ValidationError):
        return ResourceNotFoundError(told(unusable(cause, {}, f"Correct this part of {uri!r}.")))
    kind = ResourceNotFoundError if isinstance(cause, NotFound | BadInput) else ResourceError
    return kind(_unexpected(f"Reading {uri!r}", cause))


def _unexpected(what: str, cause: BaseException) -> str:
    ours = list(_ours(cause))
    if ours:
        return told(" ".join(map(str, ours)))
    number = secrets.token_hex(4)
    logger.error("%s failed inside, error %s.", what, number, exc_info=cause)
    return told(
        f"{what} failed inside, for a reason that nobody foresaw (error {number}). "
        f"Look for {number} in the server's log; if the same call fails again, report it with that part of the log."
    )


def _ours(cause: BaseException) -> Iterator[PerfsuiteError]:
    """The errors raised on purpose, if there is nothing else: tasks that fail together come as a group."""
    if isinstance(cause, PerfsuiteError):
        yield cause
    elif isinstance(cause, ExceptionGroup):
        found = [list(_ours(part)) for part in cause.exceptions]
        if all(found):
            yield from (error for errors in found for error in errors)
