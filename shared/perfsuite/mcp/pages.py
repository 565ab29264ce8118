"""The pages written for agents: `agents-rules/` of a checkout, or its copy in the wheel."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from mcp.server import MCPServer
from mcp.server.mcpserver.prompts import Prompt

import perfsuite
from perfsuite.errors import NotFound

WORKFLOW: Final = "AGENTS.md"
"""The page about everything from end to end; a page of the same name below it is about one server."""
_PACKAGE = Path(perfsuite.__file__).parent
# An installed package carries the copy; in a checkout the pages lie at the top, beside `shared/`.
_PLACES = (_PACKAGE / "agents_rules", _PACKAGE.parents[1] / "agents-rules")


@dataclass(frozen=True)
class Page:
    """A page, by its path below agents-rules/."""

    path: str
    text: str

    @property
    def server(self) -> str | None:
        """The server that it is about; None for the page about everything."""
        return PurePosixPath(self.path).parent.name or None

    @property
    def about(self) -> str:
        """Its first paragraph, which says what it is for and when to read it."""
        return " ".join(self.text.split("\n\n")[1].split())


def pages() -> list[Page]:
    """Every page, the one about everything first."""
    place = next((place for place in _PLACES if (place / WORKFLOW).is_file()), None)
    if place is None:
        raise _missing(WORKFLOW)
    paths = [WORKFLOW, *sorted(path.relative_to(place).as_posix() for path in place.glob(f"*/{WORKFLOW}"))]
    return [Page(path, read_page(path)) for path in paths]


def read_page(name: str) -> str:
    """The text of a page, such as 'perfanalysis/AGENTS.md'."""
    for place in _PLACES:
        if (page := place / name).is_file():
            return page.read_text(encoding="utf-8")
    raise _missing(name)


def add_page(server: MCPServer[Any], page: str, *, name: str, title: str, description: str) -> None:
    """Serve a page as a prompt. It is read when somebody asks for it."""

    def text() -> str:
        return read_page(page)

    server.add_prompt(Prompt.from_function(text, name=name, title=title, description=description))


def _missing(name: str) -> NotFound:
    return NotFound(f"There is no page {name!r} for agents.", next_step="Install perfsuite again: it lacks files.")
