"""Markdown as a tree of harmless HTML, from which the web page and the Word document are made.

The Markdown may have been edited by anybody: HTML in it is shown as text, and only what a report needs is kept.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from lxml import html  # type: ignore[import-untyped]
from lxml.html import HtmlElement  # type: ignore[import-untyped]
from markdown import Markdown

from perfsuite_perfreport.core.markdown.blocks import Part

Look = Literal["good", "warn", "bad", "open", ""]
LOOKS: Final[Mapping[str, Look]] = {
    **dict.fromkeys(("PASS", "IMPROVEMENT", "SUCCESS"), "good"),
    **dict.fromkeys(("PASS WITH WARNINGS", "WARN", "MAJOR", "PARTIAL SUCCESS"), "warn"),
    **dict.fromkeys(("FAIL", "REGRESSION", "CRITICAL", "FAILED"), "bad"),
    **dict.fromkeys(("INCONCLUSIVE", "NOT EVALUATED", "TOO FEW SAMPLES", "NOT COMPARABLE"), "open"),
    **dict.fromkeys(("WITHIN NOISE", "MINOR", "INFO", "HIGH", "MEDIUM", "LOW"), ""),
}
"""The words that judge, and in which colour they stand out."""
_UNTELLABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""
_LOZENGE: Final = re.compile(r"\[([A-Z][A-Z /]{1,30})\]")
"""A verdict: Confluence makes a lozenge of it, and here its colour is enough."""
_KEPT: Final = {"a": ("href",), "img": ("src", "alt"), "ol": ("start",)}
_SCHEMES: Final = ("http://", "https://", "mailto:", "#")
_TAGS: Final = frozenset(
    {"a", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol",
     "p", "pre", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)  # fmt: skip


@dataclass(frozen=True)
class Leaf:
    """A part of a report as a tree; it is read by many, and changed by nobody."""

    name: str
    tree: HtmlElement


def leaves_of(parts: tuple[Part, ...]) -> tuple[Leaf, ...]:
    """Every part as a tree."""
    return tuple(Leaf(part.name, tree_of(part.body)) for part in parts)


def tree_of(text: str) -> HtmlElement:
    """The text as a `div`."""
    engine = Markdown(extensions=["tables", "sane_lists", "fenced_code"], output_format="html")
    engine.preprocessors.deregister("html_block")
    engine.inlinePatterns.deregister("html")
    root = html.fragment_fromstring(engine.convert(_UNTELLABLE.sub("", text)), create_parent="div")
    _clean(root)
    for strong in root.iter("strong"):
        if word := _LOZENGE.fullmatch(strong.text or ""):
            strong.text = word[1]
    return root


def _clean(root: HtmlElement) -> None:
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.tag not in _TAGS:
            element.drop_tree()
            continue
        right = (element.get("style") or "") == "text-align: right;" or element.get("align") == "right"
        kept = {name: element.get(name) for name in _KEPT.get(element.tag, ()) if element.get(name) is not None}
        element.attrib.clear()
        element.attrib.update(kept)
        if right:
            element.set("class", "number")
        if element.tag == "a" and not (kept.get("href") or "").lower().startswith(_SCHEMES):
            element.attrib.pop("href", None)


def pictures(root: HtmlElement) -> Iterator[tuple[HtmlElement, str]]:
    """Every picture, with where it lies."""
    for element in list(root.iter("img")):
        yield element, element.get("src") or ""


def is_caption(element: HtmlElement) -> bool:
    """Whether a paragraph names a table or a figure."""
    if element.tag != "p" or not len(element) or (element.text or "").strip():
        return False
    return bool(element[0].tag == "em" and (element[0].text or "").startswith(("Table ", "Figure ")))
