"""Configuration files that people write: YAML, found, read carefully, and checked against a model.

A file stands in the folder that PERFSUITE_CONFIG_DIR names; where that is not set, in the project folder, then in the
user's folder for configuration. What is wrong is said with the file, the line, the key and what was expected there.
"""

import os
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from perfsuite.errors import BadFile, BadSettings

_LARGEST: Final = 1_000_000
_DEEPEST: Final = 50
_VARIABLE: Final = "PERFSUITE_CONFIG_DIR"
_SHOWN: Final = 60

Place = tuple[str | int, ...]


class Configuration(BaseModel):
    """The base of every file's model: frozen, and without room for a misspelt key."""

    model_config = ConfigDict(frozen=True, extra="forbid")


M = TypeVar("M", bound=Configuration)


@dataclass(frozen=True)
class Loaded(Generic[M]):
    """What a file says, or the defaults where `path` is None."""

    value: M
    path: Path | None
    searched: tuple[Path, ...]

    def where(self, key: str) -> str:
        """Where to change a key: in the file that was read, or in the one to be made."""
        name = f"{key!r} in {str(self.path)!r}" if self.path else f"{key!r} in a new file {str(self.searched[0])!r}"
        return name.replace("'", "`")


def configuration_folders(config_dir: Path | None, environ: Mapping[str, str], project: Path) -> tuple[Path, ...]:
    """Where files are looked for, in this order."""
    if config_dir is None:
        configured = environ.get("XDG_CONFIG_HOME", "")
        # The XDG specification says to ignore a relative path.
        user = Path(configured) if Path(configured).is_absolute() else Path("~/.config").expanduser()
        return project, user / "perfsuite"
    folder = config_dir.expanduser()
    if not folder.is_dir():
        raise BadSettings(
            f"{_VARIABLE} names {str(config_dir)!r}, which is not a folder.",
            next_step="Set it to the folder with the configuration files, or leave it out.",
        )
    return (folder,)


def load_configuration(model: type[M], name: str, folders: tuple[Path, ...]) -> Loaded[M]:
    """The first file of this name, or the model's defaults where there is none."""
    searched = tuple(folder / name for folder in folders)
    for path in searched:
        if os.path.lexists(path):
            return Loaded(read_configuration(model, path), path, searched)
    return Loaded(model(), None, searched)


def read_configuration(model: type[M], path: Path) -> M:
    """The content of one file."""
    node = _parsed(path, _text(path))
    try:
        return model.model_validate(_plain(path, node))
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise BadFile(
            " ".join(
                _unknown(path, node, model, one["loc"])
                if one["type"] == "extra_forbidden"
                else _problem(path, node, one["loc"], one["msg"], one["input"])
                for one in problems
            ),
            next_step="Correct the file, then try again.",
        ) from None


def _text(path: Path) -> str:
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST else None
    except OSError as error:
        raise BadFile(
            f"The configuration file {str(path)!r} cannot be read: {error.strerror}.",
            next_step="Make it a readable file, or take it away.",
        ) from None
    if content is None:
        raise _bad(path, f"is larger than {_LARGEST} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(path, f"is not UTF-8 text (byte {error.start})") from None


class _Loader(yaml.SafeLoader):
    """Plain YAML: without anchors, which can make a small file huge, and without a second value for a key."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        self.depth += 1
        if getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors and aliases are not taken", problem_mark=event.start_mark)
        if self.depth > _DEEPEST:
            raise yaml.MarkedYAMLError(problem="it is nested too deeply", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _parsed(path: Path, text: str) -> yaml.Node | None:
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _bad(path, f"line {line}, is not YAML that is understood: {error.problem}") from None
    except yaml.YAMLError as error:
        raise _bad(path, f"is not YAML: {str(error).splitlines()[0]}") from None
    if node is not None and not isinstance(node, yaml.MappingNode):
        raise _bad(path, "holds no keys; expected lines such as `key: value`")
    return node


def _plain(path: Path, node: yaml.Node | None) -> Any:
    if node is None:
        return {}
    if isinstance(node, yaml.MappingNode):
        return _mapping(path, node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(path, part) for part in node.value]
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError):
        raise _bad(path, f"line {node.start_mark.line + 1}, has the unusable value {node.value[:_SHOWN]!r}") from None


def _mapping(path: Path, node: yaml.MappingNode) -> dict[Hashable, Any]:
    result: dict[Hashable, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _bad(path, f"line {key.start_mark.line + 1}, has a key that is not text")
        if key.value in result:
            raise _bad(path, f"line {key.start_mark.line + 1}, has the key {key.value[:_SHOWN]!r} a second time")
        result[key.value] = _plain(path, value)
    return result


def _unknown(path: Path, node: yaml.Node | None, model: type[M], place: Place) -> str:
    line = f", line {_line(node, place)}" if node else ""
    known = dict.fromkeys(name for one in _models(model, place[:-1]) for name in one.model_fields)
    told = f"; known there are {', '.join(known)}" if known else ""
    return f"{str(path)!r}{line}, has the unknown key {'.'.join(map(str, place))!r}{told}."


def _models(kind: Any, place: Place) -> Iterator[type[BaseModel]]:
    """What may stand at a place of this type, which can be a mapping, a list or a choice of models."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if not place:
            yield kind
        elif field := kind.model_fields.get(str(place[0])):
            yield from _models(field.annotation, place[1:])
        return
    inner = place[1:] if get_origin(kind) in (dict, list, tuple) else place
    for part in get_args(kind):
        yield from _models(part, inner)


def _problem(path: Path, node: yaml.Node | None, place: Place, message: str, found: object) -> str:
    key = ".".join(map(str, place)) or "the file"
    line = f", line {_line(node, place)}" if node else ""
    expected = message.removeprefix("Value error, ").rstrip(".")
    return f"{str(path)!r}{line}, key {key!r}: {expected}; found {repr(found)[:_SHOWN]}."


def _line(node: yaml.Node, place: Place) -> int:
    """The line of the innermost part of the place that the file has."""
    line = node.start_mark.line + 1
    for part in place:
        found = _part(node, part)
        if found is None:
            return line
        key, node = found
        line = key.start_mark.line + 1
    return line


def _part(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part], node.value[part]
    return None


def _bad(path: Path, what: str) -> BadFile:
    return BadFile(
        f"The configuration file {str(path)!r} {what}.",
        next_step="Correct the file, then try again.",
    )
