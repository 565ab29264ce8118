"""The pages for agents as Agent Skills: folders with a SKILL.md, for clients that look for those.

A skill is made of its page, so that there is one source. The head of SKILL.md carries the hash of what follows it: a
later version can tell a skill that nobody touched, which it may replace, from one that somebody edited.
"""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from perfsuite import __version__
from perfsuite.mcp.pages import Page, pages

FILE: Final = "SKILL.md"
_HEAD: Final = re.compile(r"\A---\n(.*?)\n---\n\n?", re.DOTALL)
_MARK: Final = re.compile(r'^  perfsuite-sha256: "([0-9a-f]{64})"$', re.MULTILINE)


@dataclass(frozen=True)
class Skill:
    """A skill: the name of its folder, and what its SKILL.md holds."""

    name: str
    text: str


def skills() -> list[Skill]:
    """One of every page, that of the whole workflow first."""
    return [_skill(page) for page in pages()]


def is_untouched(text: str) -> bool:
    """Whether this is a SKILL.md as some version of perfsuite wrote it."""
    head = _HEAD.match(text)
    mark = _MARK.search(head[1]) if head else None
    return head is not None and mark is not None and mark[1] == _hash(text[head.end() :])


def _skill(page: Page) -> Skill:
    name = f"perfsuite-{page.server or 'workflow'}"
    lines = [
        "---",
        f"name: {name}",
        f"description: {_quoted(page.about)}",
        "license: Apache-2.0",
        f"compatibility: {_quoted(_needs(page))}",
        "metadata:",
        f"  perfsuite-version: {_quoted(__version__)}",
        f"  perfsuite-sha256: {_quoted(_hash(page.text))}",
        "---",
        "",
        page.text,
    ]
    return Skill(name, "\n".join(lines))


def _needs(page: Page) -> str:
    which = f"the MCP server {page.server}-mcp of perfsuite" if page.server else "the MCP servers of perfsuite"
    return f"Needs {which}, connected to the client."


def _quoted(text: str) -> str:
    """A text as YAML takes it, whatever stands in it: JSON is YAML."""
    return json.dumps(text, ensure_ascii=False)


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8")).hexdigest()
