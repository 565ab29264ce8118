"""Text from outside as Markdown that says nothing but this text, whatever characters it holds."""

import re
from typing import Final

_SPECIAL: Final = re.compile(r"([\\`*_\[\]{}|])")
_FIRST: Final = re.compile(r"^(#|[-+](?=\s|$)|[-=](?=[-=]*$)|\d(?=\d{0,8}[.)](?:\s|$)))")
_TOOL: Final = re.compile(r"\\`([a-z]+(?:\\_[a-z]+)+)\\`")


class Md(str):
    """Text that is Markdown already, and stays as it is."""

    __slots__ = ()


def escaped(text: str) -> Md:
    """The text, on one line, so that neither Markdown nor HTML finds anything to do in it."""
    line = " ".join(text.split())
    safe = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = _TOOL.sub(_as_code, _SPECIAL.sub(r"\\\1", safe))
    return Md(_FIRST.sub(_as_entity, safe))


def code(text: str) -> Md:
    """A span of code. There is no way to write a backtick that every reader of Markdown takes, so it is replaced."""
    line = " ".join(text.split()).replace("`", "'").replace("|", "¦")
    return Md(f"`{line}`") if line else Md("")


def lozenge(word: str) -> Md:
    """A verdict, written so that the page on Confluence gives it its colour."""
    return Md(f"**[{escaped(word)}]**")


def _as_code(tool: re.Match[str]) -> str:
    """The name of a tool, as our own sentences quote it: letters and underscores can do no harm."""
    return f"`{tool[1].replace(chr(92), '')}`"


def _as_entity(first: re.Match[str]) -> str:
    """What would begin a list or a heading, as a number of its character, which begins nothing."""
    return f"&#{ord(first[1][0])};{first[1][1:]}"
