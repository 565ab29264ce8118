"""Java's property files: what is written here never reaches a command line, which everybody on the machine can read."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FIRST_PRINTABLE: Final = " "
_LAST_PLAIN: Final = "~"
_SYNTAX: Final = frozenset(" :=#!\\")


def write_properties(path: Path, properties: Mapping[str, str]) -> Path:
    """Write the file so that only this user can read it. It must not exist."""
    text = "".join(f"{_escaped(name)}={_escaped(value)}\n" for name, value in properties.items())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    return path


def _escaped(text: str) -> str:
    return "".join(map(_escaped_character, text))


def _escaped_character(character: str) -> str:
    if character in _SYNTAX:
        return f"\\{character}"
    if _FIRST_PRINTABLE <= character <= _LAST_PLAIN:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
