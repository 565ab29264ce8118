"""The title, the table of contents and links within the page."""

import re
from collections import Counter
from typing import Final

from perfsuite_confluence.core import elements as e
from perfsuite_confluence.core.elements import Element
from perfsuite_confluence.core.rendering import CONTENTS

_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
# A page with fewer is seen at a glance.
_WORTH_CONTENTS: Final = 3


def take_title(root: Element) -> str | None:
    """The first heading of the first level, which leaves the page: Confluence shows the title above it."""
    heading = root.find("h1")
    if heading is None:
        return None
    root.remove(heading)
    return e.words_of(heading) or None


def add_contents(root: Element) -> None:
    """Put the table of contents where the report has its mark, or before its first section."""
    marks = list(root.iter(CONTENTS))
    sections = root.findall("h2")
    for extra in marks[1:] if marks else ():
        _remove(extra)
    if marks:
        _replace(marks[0], _contents(root))
    elif len(sections) >= _WORTH_CONTENTS:
        sections[0].addprevious(_contents(root))


def mend_links(root: Element) -> None:
    """Give the headings that links lead to an anchor; links that lead nowhere become text."""
    headings = _headings_by_slug(root)
    for link in list(root.iter(e.qualified("ac:link"))):
        slug = link.get(e.qualified("ac:anchor"))
        if slug is None:
            continue
        if slug in headings:
            _add_anchor(headings[slug], slug)
        else:
            _replace(link, e.made("span", e.words_of(link)))


def slug_of(words: str) -> str:
    """As most editors of Markdown name the anchor of a heading."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", words.strip().lower()))


def _headings_by_slug(root: Element) -> dict[str, Element]:
    found: dict[str, Element] = {}
    seen: Counter[str] = Counter()
    for heading in root.iter(*_HEADINGS):
        slug = slug_of(e.words_of(heading))
        found.setdefault(f"{slug}-{seen[slug]}" if seen[slug] else slug, heading)
        seen[slug] += 1
    return found


def _add_anchor(heading: Element, slug: str) -> None:
    if heading.find(e.qualified("ac:structured-macro")) is None:
        anchor = e.macro("anchor", {"": slug})
        anchor.tail, heading.text = heading.text, None
        heading.insert(0, anchor)


def _contents(root: Element) -> Element:
    lowest = "1" if root.find("h1") is not None else "2"
    return e.macro("toc", {"minLevel": lowest, "maxLevel": "3"})


def _replace(old: Element, new: Element) -> None:
    parent = old.getparent()
    if parent is not None:
        new.tail = old.tail
        parent.replace(old, new)


def _remove(element: Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
