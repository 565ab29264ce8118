"""JSON schemas as the model reads them: every byte of tools/list is sent with every request."""

from collections.abc import Collection, Mapping
from itertools import chain
from typing import Any

Schema = dict[str, Any]

# What stands under these keys is keyed by names of ours, one of which may well be 'title'.
_NAMED = ("properties", "$defs", "patternProperties")
# What stands under these keys is data.
_VERBATIM = ("default", "const", "enum", "examples", "required")
# How long a text may be and what is in it hardly ever matters, and where it does, the error says what was expected.
_UNSAID = ("title", "pattern", "maxLength")
_EMPTY: tuple[object, ...] = (None, "", [])
_LARGEST_NUMBER = 2**53 - 1


def slim(schema: Schema) -> Schema:
    """The same schema without what pydantic makes out of names, limits that errors tell, and unused definitions.

    What may be left out is not said to take null as well, nor to be nothing by default: the server takes both, and
    nobody needs to send them. Of the items of a list, the description of the list says enough.
    """
    slimmed: Schema = _without(_UNSAID, schema)
    definitions = slimmed.pop("$defs", {})
    if "properties" in slimmed:
        slimmed["properties"] = {name: _argument(value) for name, value in slimmed["properties"].items()}
    if used := _reachable(slimmed, definitions):
        slimmed["$defs"] = used
    return slimmed


def outline(schema: Schema) -> Schema:
    """What an answer always holds, by name, and whatever is said of its parts, one level deep.

    Of which type they are, what lies deeper, and what is not always there is seen in the answer: it would be most of
    the text.
    """
    whole = _without(("title",), schema)
    definitions, always = whole.get("$defs", {}), whole.get("required", [])
    told = {name: _sketch(value, definitions) for name, value in whole.get("properties", {}).items() if _says(value)}
    return {
        "type": "object",
        **({"properties": told} if told else {}),
        **({"required": always} if always else {}),
    }


def _says(schema: Schema) -> bool:
    return "description" in schema or "enum" in schema


def closed(schema: Schema) -> Schema:
    """The schema of a tool's arguments, saying that no other argument is taken."""
    return {**schema, "additionalProperties": False}


def _argument(schema: Schema) -> Schema:
    match schema:
        case {"anyOf": [dict(only), {"type": "null"}], "default": None, **others}:
            schema = {**only, **others}
    said = {key: value for key, value in schema.items() if not _goes_without_saying(key, value)}
    if isinstance(said.get("items"), dict):
        said["items"] = {key: value for key, value in said["items"].items() if key != "description"}
    return said


def _goes_without_saying(key: str, value: Any) -> bool:
    """Nothing by default, the largest number of JSON, and what everybody would take for the smallest."""
    match key:
        case "default":
            return value in _EMPTY
        case "maximum":
            return bool(value == _LARGEST_NUMBER)
        case "minimum" | "minItems":
            return value in (0, 1)
    return False


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


def _without(keys: Collection[str], node: Any) -> Any:
    if isinstance(node, list):
        return [_without(keys, item) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {key: _child(keys, key, value) for key, value in node.items() if key not in keys}


def _child(keys: Collection[str], key: str, value: Any) -> Any:
    if key in _VERBATIM:
        return value
    if key in _NAMED and isinstance(value, Mapping):
        return {name: _without(keys, schema) for name, schema in value.items()}
    return _without(keys, value)


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
