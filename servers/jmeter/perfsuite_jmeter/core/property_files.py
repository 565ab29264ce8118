"""Java's property files, as they are read."""

import re
from collections.abc import Iterator
from typing import Final

_COMMENT: Final = re.compile(r"[ \t\f]*(?:[#!].*)?")
_SPLIT: Final = re.compile(r"(?P<name>(?:\\.|[^ \t\f=:\\])*)[ \t\f]*(?:[=:][ \t\f]*)?(?P<value>.*)", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:u(?P<code>[0-9A-Fa-f]{4})|(?P<letter>.)|$)", re.DOTALL)
_LETTERS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def read_properties(content: bytes) -> dict[str, str]:
    """Names and values; of two with the same name the last."""
    found = (_SPLIT.fullmatch(line) for line in _lines(content.decode("latin-1")))
    return {_plain(one["name"]): _plain(one["value"]) for one in found if one}


def _lines(text: str) -> Iterator[str]:
    """Lines with what they go on with: an odd number of backslashes at the end takes the next line in."""
    waiting = ""
    for line in re.split(r"\r\n|\n|\r", text):
        if not waiting and _COMMENT.fullmatch(line):
            continue
        whole = waiting + line.lstrip(" \t\f")
        backslashes = len(whole) - len(whole.rstrip("\\"))
        if backslashes % 2:
            waiting = whole[:-1]
        else:
            yield whole
            waiting = ""
    if waiting:
        yield waiting


def _plain(text: str) -> str:
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    if found["code"]:
        return chr(int(found["code"], 16))
    return _LETTERS.get(found["letter"], found["letter"]) if found["letter"] else ""
