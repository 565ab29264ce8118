"""A report as a sequence of blocks: Markdown, code, and sections that fold.

Code and folding sections are taken out by their lines, because the Markdown package knows fences only at the margin,
and because HTML is text here: `<details>` and `<summary>` mean something only on lines of their own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Final, TypeAlias

from perfsuite_confluence.core.lists import Indents

_FENCE: Final = re.compile(r"( *)(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$")
_COMMENT: Final = re.compile(r"\s*<!--.*-->\s*")
_COMMENT_BEGINS: Final = re.compile(r"\s*<!--(?!.*-->)")
_OPENS: Final = re.compile(r"\s*<details(?: open)?>\s*(?:<summary>(.*)</summary>)?\s*", re.IGNORECASE)
_SUMMARY: Final = re.compile(r"\s*<summary>(.*)</summary>\s*", re.IGNORECASE)
_CLOSES: Final = re.compile(r"\s*</details>\s*", re.IGNORECASE)
_CONTENTS: Final = re.compile(r"\s*\[TOC\]\s*", re.IGNORECASE)
# What XML cannot hold, and marks that turn around the text of others.
_UNWANTED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_LINE_ENDS: Final = re.compile("\r\n?|\u2028|\u2029|\x0b|\x0c|\x85")
_DEEPEST: Final = 8


@dataclass(frozen=True)
class Text:
    """A piece of Markdown without code blocks."""

    markdown: str


@dataclass(frozen=True)
class Code:
    """A block of code."""

    language: str
    text: str


@dataclass(frozen=True)
class Contents:
    """The place of the table of contents."""


@dataclass
class Folded:
    """A section that opens when somebody wants to see it."""

    title: str = ""
    blocks: "list[Block]" = field(default_factory=list)


Block: TypeAlias = Text | Code | Contents | Folded


def read_blocks(markdown: str) -> list[Block]:
    """The blocks of a report."""
    return _Reader(cleaned(markdown)).blocks()


def cleaned(text: str) -> str:
    """The text without characters that no page can show."""
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))


class _Reader:
    def __init__(self, markdown: str) -> None:
        self._lines = markdown.split("\n")
        self._open: list[Folded] = [Folded()]
        self._text: list[str] = []
        self._indents = Indents()

    def blocks(self) -> list[Block]:
        lines = iter(_without_comments(self._lines))
        for line in lines:
            if fence := _FENCE.fullmatch(line):
                self._take_code(fence, list(_until_closed(lines, fence[2])))
            elif not self._take_mark(line):
                self._text += self._indents.laid_out(line)
        self._end_text()
        return self._open[0].blocks

    def _take_mark(self, line: str) -> bool:
        if found := _OPENS.fullmatch(line):
            self._open_section(found[1] or "")
        elif (found := _SUMMARY.fullmatch(line)) and len(self._open) > 1 and not self._text:
            self._open[-1].title = self._open[-1].title or unescape(found[1].strip())
        elif _CLOSES.fullmatch(line):
            self._close_section()
        elif _CONTENTS.fullmatch(line):
            self._end_text()
            self._open[-1].blocks.append(Contents())
        else:
            return False
        return True

    def _take_code(self, fence: re.Match[str], lines: list[str]) -> None:
        margin = len(fence[1])
        code = [line[min(margin, len(line) - len(line.lstrip(" "))) :] for line in lines]
        if margin and self._indents.depth:
            # A block of the list: cutting the list in two would number its items anew.
            self._text += self._indents.code(code)
            return
        self._end_text()
        self._open[-1].blocks.append(Code(fence[3].lower(), "\n".join(code)))

    def _open_section(self, title: str) -> None:
        self._end_text()
        if len(self._open) < _DEEPEST:
            section = Folded(unescape(title.strip()))
            self._open[-1].blocks.append(section)
            self._open.append(section)

    def _close_section(self) -> None:
        self._end_text()
        if len(self._open) > 1:
            self._open.pop()

    def _end_text(self) -> None:
        text = "\n".join(self._text).strip("\n")
        if text.strip():
            self._open[-1].blocks.append(Text(text))
        self._text, self._indents = [], Indents()


def _until_closed(lines: Iterator[str], fence: str) -> Iterator[str]:
    """The lines of a block of code. One that nobody closed ends with the report."""
    for line in lines:
        mark = line.strip()
        if len(mark) >= len(fence) and not mark.strip(fence[0]):
            return
        yield line


def _without_comments(lines: list[str]) -> Iterator[str]:
    """Leave out comments that stand on lines of their own, such as the marks of blocks. Code keeps its own."""
    fence, ends = "", -1
    for number, line in enumerate(lines):
        if number <= ends:
            continue
        if fence:
            fence = "" if not line.strip().strip(fence[0]) and len(line.strip()) >= len(fence) else fence
        elif found := _FENCE.fullmatch(line):
            fence = found[2]
        elif _COMMENT.fullmatch(line):
            continue
        elif _COMMENT_BEGINS.match(line) and (end := _comment_end(lines, number)) is not None:
            ends = end
            continue
        yield line


def _comment_end(lines: list[str], begin: int) -> int | None:
    return next((n for n in range(begin + 1, min(len(lines), begin + 200)) if "-->" in lines[n]), None)
