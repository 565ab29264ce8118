"""The table of calls in a page for agents, read as an agent reads it.

A row that begins in bold opens a stage. Another names its steps by number and title, what it is "only with", its calls
in backticks, and the files that must be there before going on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from perfsuite.mcp.pages import WORKFLOW, pages

_SPAN = re.compile(r"`([^`]+)`")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_STAGE = re.compile(r"\*\*(\w+)(?:: (\d+))?\*\*")
_STEP = re.compile(r"(\d+) (.+?)(?=, \d+ |$)")
_SUFFIXES = frozenset(
    {".csv", ".docx", ".html", ".jmx", ".json", ".jtl", ".log", ".md", ".parquet", ".png", ".xml", ".yaml"}
)


@dataclass(frozen=True)
class Row:
    """A row with calls. Of each group in `needs`, one must be known, else the row is skipped."""

    stage: str
    steps: tuple[tuple[int, str], ...]
    needs: tuple[frozenset[str], ...]
    calls: tuple[str, ...]
    waits: bool
    """Whether the calls are made again until what they are about has ended."""
    files: tuple[str, ...]

    @property
    def tools(self) -> tuple[str, ...]:
        return tuple(call.partition("(")[0] for call in self.calls)


@dataclass(frozen=True)
class Section:
    """The rows of a stage, and how many steps its heading promises."""

    stage: str
    steps: int | None
    rows: tuple[Row, ...]

    @property
    def tools(self) -> set[str]:
        return {tool for row in self.rows for tool in row.tools}


@cache
def page_of(server: str | None = None) -> str:
    """The page about a server, or about everything."""
    return next(page.text for page in pages() if page.server == server)


def sections(page: str) -> list[Section]:
    """What the tables of a page say is to be called."""
    found: list[tuple[str, int | None, frozenset[str], list[Row]]] = []
    for first, *others in _cells(page):
        if head := _STAGE.match(first):
            found.append((head[1], int(head[2]) if head[2] else None, _needs(first), []))
        if found and others and "(" in others[0]:
            stage, _, needed, rows = found[-1]
            rows.append(_row(stage, needed, first, *others))
    return [Section(stage, steps, tuple(rows)) for stage, steps, _, rows in found]


def files_in(page: str) -> set[str]:
    """Every span in backticks that names a file."""
    return {span for span in _SPAN.findall(page) if PurePosixPath(span).suffix in _SUFFIXES and " " not in span}


def names_in(page: str) -> set[str]:
    """Every span in backticks that is a name of a tool, an argument or a field."""
    return {span for span in _SPAN.findall(page) if re.fullmatch(r"[a-z]+(?:_[a-z0-9]+)+", span)}


def placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def _cells(page: str) -> Iterator[list[str]]:
    """The rows of those tables whose head says `step`."""
    is_ours = False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.startswith("|") else []
        if not cells:
            is_ours = False
        elif cells[0] == "step":
            is_ours = True
        elif is_ours and not cells[0].startswith("---"):
            yield cells


def _row(stage: str, needed: frozenset[str], first: str, call: str, files: str = "") -> Row:
    name = first.partition(", only with")[0]
    steps = tuple((int(number), title) for number, title in _STEP.findall(name))
    own = _needs(first)
    needs = tuple(dict.fromkeys(group for group in (needed, own) if group))
    calls = tuple(span for span in _SPAN.findall(call) if "(" in span)
    return Row(stage, steps, needs, calls, call.endswith("until ended"), tuple(_SPAN.findall(files)))


def _needs(cell: str) -> frozenset[str]:
    return frozenset(placeholders(cell.partition("only with")[2]))


__all__ = ["WORKFLOW", "Row", "Section", "files_in", "names_in", "page_of", "placeholders", "sections"]
