"""What a tool must say about itself before it is taken, and the presets of what it does to the world."""

import functools
import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp.server.mcpserver.resolve import find_resolved_parameters
from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations

from perfsuite.errors import BadInput
from perfsuite.mcp import schemas
from perfsuite.mcp.confirmation import Confirmation
from perfsuite.mcp.threads import in_thread

READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
# What lies in a run folder can be made again by the same call.
WRITES_RUN_FOLDER = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
CHANGES_OUTSIDE = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True
)

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def changes_outside(annotations: ToolAnnotations | None) -> bool:
    """Whether a tool may destroy, or reach, what lies outside the run folder."""
    return annotations is not None and annotations.read_only_hint is False and annotations.open_world_hint is True


def checked(tool: Tool) -> Tool:
    """The tool as it is sent to the model, or an error that says what its author forgot."""
    for complaint, remedy in _complaints(tool):
        raise BadInput(f"Tool {tool.name!r} {complaint}.", next_step=remedy)
    tool.parameters = schemas.closed(schemas.slim(tool.parameters))
    return tool


def _complaints(tool: Tool) -> list[tuple[str, str]]:
    hints = tool.annotations and tool.annotations.model_dump(exclude={"title"})
    undescribed = [name for name, schema in tool.parameters.get("properties", {}).items() if not _says(schema)]
    unasked = changes_outside(tool.annotations) and not asks_first(tool.fn)
    wrapped = tool.output_schema is not None and tool.fn_metadata.wrap_output
    checks = [
        (not _NAME.fullmatch(tool.name), "is not named like `verb_noun`", "Use small letters, digits and underscores."),
        (not tool.title, "has no title", "Pass title= to `@server.tool`."),
        (not tool.description, "has no description", "Write a docstring; the model reads it."),
        (not hints or None in hints.values(), "lacks annotations", "Pass annotations=READ_ONLY or another preset."),
        (undescribed, f"does not describe {undescribed!r}", "Use Annotated[..., Field(description=...)]."),
        (unasked, "changes something outside without asking", "Take a parameter filled by `asks(question)`."),
        (wrapped, "returns no model", "Return a model, or pass structured_output=False for text and images."),
    ]
    return [(complaint, remedy) for is_wrong, complaint, remedy in checks if is_wrong]


def _says(schema: dict[str, Any]) -> bool:
    return bool(schema.get("description", "").strip())


def asks_first(function: Callable[..., Any]) -> bool:
    """Whether one of the parameters is filled by asking the user."""
    return any(isinstance(resolve, Confirmation) for resolve, _ in find_resolved_parameters(function).values())


def off_the_loop(
    function: Callable[..., Any], slots: Callable[[], anyio.CapacityLimiter]
) -> Callable[..., Awaitable[Any]]:
    """The function as one that may be awaited; a plain function works in a thread, at most so many at a time."""
    if inspect.iscoroutinefunction(function):
        return function

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        async with slots():
            return await in_thread(functools.partial(function, *args, **kwargs), name=function.__name__)

    return call
