"""What is wrong with a call, in words that let the caller correct it."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from mcp.server.mcpserver.tools import Tool
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from perfsuite.mcp.answers import as_argument

_MOST_PROBLEMS = 5
_TYPES = {
    "int": "an integer", "float": "a number", "bool": "true or false", "string": "a string", "list": "a list",
    "dict": "an object", "model": "an object", "datetime": "a date and time, such as 2026-01-31T12:00:00Z",
    "date": "a date, such as 2026-01-31", "finite": "a finite number", "none": "null", "set": "a list",
}  # fmt: skip
_LIMITS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "at least {}"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "at most {}"),
    "string_too_short": ("min_length", "at least {} characters"),
    "string_too_long": ("max_length", "at most {} characters"),
    "too_short": ("min_length", "at least {} items"),
    "too_long": ("max_length", "at most {} items"),
    "string_pattern_mismatch": ("pattern", "a string like {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
}


def unknown_tool(name: str, tools: Collection[str]) -> str:
    """Say that there is no such tool, and which one may have been meant."""
    return f"There is no tool {name!r}.{_meant(name, tools)} List the tools to see what there is."


def unknown_arguments(tool: Tool, arguments: Mapping[str, Any]) -> str | None:
    """Say which arguments the tool does not take, and which may have been meant; None if it takes all."""
    accepted = tool.parameters.get("properties", {})
    unknown = sorted(set(arguments) - set(accepted))[:_MOST_PROBLEMS]
    if not unknown:
        return None
    hints = "".join(_meant(name, set(accepted) - set(arguments)) for name in unknown)
    known = ", ".join(f"`{name}`" for name in accepted) or "none"
    return (
        f"`{tool.name}` does not take {', '.join(map(repr, unknown))}.{hints} "
        f"It takes: {known}. Correct the names and call `{tool.name}` again."
    )


def as_text(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, with integers as text where a string is taken: an id of one answer fits the next call."""
    schemas = tool.parameters.get("properties", {})
    return {name: _as_text(value, schemas.get(name, {})) for name, value in arguments.items()}


def _as_text(value: Any, schema: Mapping[str, Any]) -> Any:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_integer and schema.get("type") == "string" else value


def unusable(error: ValidationError, described: Mapping[str, Any], again: str) -> str:
    """Say of each argument what was expected and what was found."""
    problems = error.errors(include_url=False)
    lines = list(dict.fromkeys(_sentence(problem, described) for problem in problems))
    more = f" {len(lines) - _MOST_PROBLEMS} more are wrong, too." if len(lines) > _MOST_PROBLEMS else ""
    return f"{' '.join(lines[:_MOST_PROBLEMS])}{more} {again}"


def _sentence(problem: ErrorDetails, described: Mapping[str, Any]) -> str:
    where = ".".join(map(str, problem["loc"])) or "the arguments"
    if problem["type"] == "missing":
        about = described.get(where, {}).get("description", "")
        return f"`{where}` is missing{': ' + about.rstrip('.') if about else ''}."
    if problem["type"] == "extra_forbidden":
        return f"`{where}` is not known there."
    expected = _expected(problem)
    if expected is None:
        message = problem["msg"].removeprefix("Value error, ")
        return f"`{where}`: {message if message.endswith('.') else message + '.'}"
    return f"`{where}`: expected {expected}, found {as_argument(problem['input'])}."


def _expected(problem: ErrorDetails) -> str | None:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in _LIMITS:
        key, phrase = _LIMITS[kind]
        limit = context[key]
        return phrase.format(int(limit) if isinstance(limit, float) and limit.is_integer() else limit)
    if kind in ("literal_error", "enum"):
        return f"one of {context['expected']}"
    return _TYPES.get(kind.removesuffix("_type").split("_")[0]) if _is_about_type(kind) else None


def _is_about_type(kind: str) -> bool:
    return kind.endswith(("_type", "_parsing", "_from_float", "_parsing_size")) or kind == "finite_number"


def _meant(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(f'`{word}`' for word in near)}?" if near else ""
