"""Lists, indented as the Markdown package wants them.

It knows only levels of four spaces, and lists after an empty line. People and editors indent by two or three.
"""

import re
from typing import Final

_ITEM: Final = re.compile(r"( *)([-*+]|\d{1,9}[.)])( +)(?=\S)")
_RULE: Final = re.compile(r" {0,3}([-*_])(?: *\1){2,} *")
_ROW: Final = re.compile(r" {0,3}\|")
_LEVEL: Final = "    "
_DEEPEST: Final = 12
_NESTED_FROM: Final = 2


class Indents:
    """Follows the lines of a text, and lays out those that belong to lists."""

    def __init__(self) -> None:
        self._items: list[tuple[int, bool]] = []
        """The items that are open, from the outermost: where their marks stand, and whether those are numbers."""
        self._last_closed: tuple[int, bool] | None = None
        self._before = ""
        self._is_loose = False
        """Whether a further paragraph of an item goes on, which an item ends only after an empty line."""

    @property
    def depth(self) -> int:
        return len(self._items)

    def laid_out(self, line: str) -> list[str]:
        """The line as the package wants it, with the empty line that it may want before."""
        line = line.expandtabs(4).rstrip() + ("  " if line.endswith("  ") else "")
        lines = self._lines(line)
        self._before = line.strip()
        return lines

    def code(self, lines: list[str]) -> list[str]:
        """Lines of code inside the item that is open."""
        margin = _LEVEL * (self.depth + 1)
        self._before = ""
        return ["", *(margin + line if line.strip() else "" for line in lines), ""]

    def _lines(self, line: str) -> list[str]:
        if not line.strip():
            return [""]
        if (item := _ITEM.match(line)) and not _RULE.fullmatch(line):
            return self._item(line, item)
        if self._items:
            return self._inside(line)
        needs_gap = bool(_ROW.match(line)) != bool(_ROW.match(self._before)) and self._before
        return ["", line] if needs_gap else [line]

    def _item(self, line: str, item: re.Match[str]) -> list[str]:
        place = len(item[1])
        if not self._items and place >= len(_LEVEL):
            return [line]
        was_inside, is_numbered = bool(self._items), item[2][0].isdigit()
        self._leave(place)
        level = min(self.depth, _DEEPEST)
        self._items.append((place, is_numbered))
        changes = self._last_closed is not None and self._last_closed[1] != is_numbered
        mark = f"{item[2][:-1]}." if item[2].endswith(")") else item[2]
        laid = f"{_LEVEL * level}{mark} {line[item.end() :]}"
        needs_gap = self._before and (self._is_loose or changes or not was_inside)
        self._is_loose = False
        return ["", laid] if needs_gap else [laid]

    def _inside(self, line: str) -> list[str]:
        place = len(line) - len(line.lstrip(" "))
        if self._before:
            return [_LEVEL * min(self.depth, _DEEPEST) + line.lstrip(" ") if place else line]
        self._leave(place)
        self._is_loose = bool(self._items)
        if not self._items:
            return [line]
        return [_LEVEL * min(self.depth, _DEEPEST) + line.lstrip(" ")]

    def _leave(self, place: int) -> None:
        """Close the items that something at this place does not belong to."""
        self._last_closed = None
        while self._items and place < self._items[-1][0] + _NESTED_FROM:
            self._last_closed = self._items.pop()
