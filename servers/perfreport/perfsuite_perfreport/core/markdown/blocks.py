"""The marked blocks of a report, and how an edit by hand outlives the next report.

A block stands between `<!-- block: NAME -->` and `<!-- end: NAME -->`, each on a line of its own. What stands between
two blocks is a part too, known by the block before it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from perfsuite.errors import BadFile

_MARK: Final = re.compile(r"^<!-- (block|end): ([a-z][a-z0-9_-]*) -->[ \t]*$", re.MULTILINE)
_AFTER: Final = "after "


@dataclass(frozen=True)
class Part:
    """A block, or, with an empty name, the text between two."""

    name: str
    body: str

    @property
    def text(self) -> str:
        """As it stands in the file."""
        return f"<!-- block: {self.name} -->\n{self.body}<!-- end: {self.name} -->\n" if self.name else self.body


@dataclass(frozen=True)
class Merged:
    """A report with what was written by hand in it."""

    parts: tuple[Part, ...]
    edited: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


def marked(name: str, body: str) -> str:
    """A block as templates write it."""
    return Part(name, f"\n{body.strip()}\n\n" if body.strip() else "\n").text


def split(text: str) -> tuple[Part, ...]:
    """The parts of a report. Marks that do not fit are an error that names the line."""
    parts = list[Part]()
    place, opened = 0, None
    for mark in _MARK.finditer(text):
        kind, name = mark[1], mark[2]
        body = text[place : mark.start()]
        if kind == "block":
            if opened is not None or name in {part.name for part in parts}:
                raise _broken(text, mark, "a block begins inside another, or for the second time")
            parts.append(Part("", body))
        elif opened != name:
            raise _broken(text, mark, "the end of a block that does not stand open")
        else:
            parts.append(Part(name, body))
        opened = name if kind == "block" else None
        place = min(mark.end() + 1, len(text))
    if opened is not None:
        raise _broken(text, None, f"the block {opened!r} has no end")
    return (*parts, Part("", text[place:]))


def fingerprints(parts: tuple[Part, ...]) -> dict[str, str]:
    """By which an edit is told."""
    return {key: _hash(part.body) for key, part in _keyed(parts)}


def merged(new: tuple[Part, ...], old: tuple[Part, ...], recorded: Mapping[str, tuple[str, ...]]) -> Merged:
    """The new report, with every part of the old one that is not as it was generated.

    A part that was taken out by hand stays out. A block that the template no longer has is kept at the end, if a hand
    wrote in it. Without a record whatever differs from the new report counts as edited.
    """
    before, after = dict(_keyed(old)), dict(_keyed(new))
    parts, edited = list[Part](), list[str]()
    for key, part in after.items():
        if key not in before:
            removed = key in recorded
            edited += [key] if removed and part.name else []
            parts += [] if removed else [part]
        elif before[key].body != part.body and _hash(before[key].body) not in recorded.get(key, ()):
            edited.append(key)
            parts.append(before[key])
        else:
            parts.append(part)
    for key, part in before.items():
        if key not in after and part.name and _hash(part.body) not in recorded.get(key, ()):
            edited.append(key)
            parts += [Part("", "\n"), part]
    return Merged(tuple(parts), tuple(edited))


def _keyed(parts: tuple[Part, ...]) -> list[tuple[str, Part]]:
    keyed, last = [], "the top"
    for part in parts:
        keyed.append((part.name or f"{_AFTER}{last}", part))
        last = part.name or last
    return keyed


def _hash(body: str) -> str:
    """Of the words: editors change the ends of lines by themselves."""
    return sha256("\n".join(line.rstrip() for line in body.strip().splitlines()).encode("utf-8")).hexdigest()


def _broken(text: str, mark: re.Match[str] | None, problem: str) -> BadFile:
    line = text.count("\n", 0, mark.start() if mark else len(text)) + 1
    return BadFile(
        f"The marks of the report are broken: line {line}, {problem}.",
        next_step="Mend the lines `<!-- block: NAME -->` and `<!-- end: NAME -->`, or call the tool with `keep_edits` "
        "false, which writes the report anew.",
    )
