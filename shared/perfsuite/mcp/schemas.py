"""JSON schemas as the model reads them: every byte of tools/list is sent with every request."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

# What stands under these keys is keyed by names of ours, one of which may well be 'title'.
_NAMED = ("properties", "$defs", "patternProperties")
# What stands under these keys is data.
_VERBATIM = ("default", "const", "enum", "examples", "required")


def slim(schema: Schema) -> Schema:
    """The same schema without the titles that pydantic makes out of names, and without definitions that nobody uses."""
    slimmed: Schema = _untitled(schema)
    definitions = slimmed.pop("$defs", {})
    if used := _reachable(slimmed, definitions):
        slimmed["$defs"] = used
    return slimmed


def closed(schema: Schema) -> Schema:
    """The schema of a tool's arguments, saying that no other argument is taken."""
    return {**schema, "additionalProperties": False}


def _untitled(node: Any) -> Any:
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {key: _child(key, value) for key, value in node.items() if key != "title"}


def _child(key: str, value: Any) -> Any:
    if key in _VERBATIM:
        return value
    if key in _NAMED and isinstance(value, Mapping):
        return {name: _untitled(schema) for name, schema in value.items()}
    return _untitled(value)


def _reachable(schema: Schema, definitions: Mapping[str, Schema]) -> dict[str, Schema]:
    used: dict[str, Schema] = {}
    waiting = _references(schema)
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in used:
            used[name] = definitions[name]
            waiting |= _references(definitions[name])
    return {name: used[name] for name in definitions if name in used}


def _references(node: Any) -> set[str]:
    if isinstance(node, Mapping):
        own = {node["$ref"].removeprefix("#/$defs/")} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(_references, node.values()))
    if isinstance(node, list):
        return set().union(*map(_references, node))
    return set()
