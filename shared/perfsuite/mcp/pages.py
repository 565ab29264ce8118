"""The pages written for agents: `agents-rules/` of a checkout, or its copy in the wheel."""

from pathlib import Path

import perfsuite
from perfsuite.errors import NotFound

_PACKAGE = Path(perfsuite.__file__).parent
# An installed package carries the copy; in a checkout the pages lie at the top, beside `shared/`.
_PLACES = (_PACKAGE / "agents_rules", _PACKAGE.parents[1] / "agents-rules")


def read_page(name: str) -> str:
    """The text of a page, such as 'perfanalysis/AGENTS.md'."""
    for place in _PLACES:
        if (page := place / name).is_file():
            return page.read_text(encoding="utf-8")
    raise NotFound(f"There is no page {name!r} for agents.", next_step="Install perfsuite again: it lacks files.")
