"""JSON schemas as the model reads them: every byte of tools/list is sent with every request."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

Schema = dict[str, Any]

# What stands under these keys is keyed by names of ours, one of which may well be 'title'.
_NAMED = ("properties", "$defs", "patternProperties")
# What stands under these keys is data.
_VERBATIM = ("default", "const", "enum", "examples", "required")


def slim(schema: Schema) -> Schema:
    """The same schema without the titles that pydantic makes out of names, and without definitions that nobody uses.

    What may be left out is not said to take null as well: the server takes it, and nobody needs to send it.
    """
    slimmed: Schema = _untitled(schema)
    definitions = slimmed.pop("$defs", {})
    if "properties" in slimmed:
        slimmed["properties"] = {name: _optional(value) for name, value in slimmed["properties"].items()}
    if used := _reachable(slimmed, definitions):
        slimmed["$defs"] = used
    return slimmed


def outline(schema: Schema) -> Schema:
    """What an answer holds, one level deep: what lies deeper is seen in the answer, and would be most of the text."""
    whole = _untitled(schema)
    definitions = whole.get("$defs", {})
    properties = {name: _sketch(value, definitions) for name, value in whole.get("properties", {}).items()}
    return {"type": "object", "properties": properties}


def closed(schema: Schema) -> Schema:
    """The schema of a tool's arguments, saying that no other argument is taken."""
    return {**schema, "additionalProperties": False}


def _optional(schema: Schema) -> Schema:
    match schema:
        case {"anyOf": [dict(only), {"type": "null"}], "default": None, **others}:
            return {**only, **others}
    return schema


def _sketch(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    kinds = _kinds(schema, definitions)
    sketch: Schema = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
    return {**sketch, **{key: schema[key] for key in ("enum", "description") if key in schema}}


def _kinds(schema: Schema, definitions: Mapping[str, Schema]) -> list[str]:
    """The JSON types that a value may have; none where any may stand there."""
    if "$ref" in schema:
        return _kinds(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    if "anyOf" not in schema:
        return [schema["type"]] if "type" in schema else []
    kinds = [_kinds(one, definitions) for one in schema["anyOf"]]
    return list(dict.fromkeys(chain.from_iterable(kinds))) if all(kinds) else []


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
