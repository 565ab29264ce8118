"""A report as a tree of the storage format."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from perfsuite_confluence.core import elements as e
from perfsuite_confluence.core.blocks import Block, Code, Contents, Folded, Text, cleaned
from perfsuite_confluence.core.elements import Element
from perfsuite_confluence.core.markdown import to_html
from perfsuite_confluence.models.parts import Picture

# What the code macro of every version knows; with any other name it shows an error in place of the code.
_LANGUAGES: Final = {
    **dict.fromkeys(("json", "javascript", "js"), "js"),
    **dict.fromkeys(("bash", "sh", "shell", "console"), "bash"),
    **dict.fromkeys(("xml", "html", "jmx"), "xml"),
    **dict.fromkeys(("python", "py"), "py"),
    **dict.fromkeys(("java", "groovy", "sql", "diff", "css", "scala", "ruby", "perl", "php", "csharp", "cpp"), None),
}
_PLAIN: Final = "text"
_SAME: Final = frozenset(
    {"p", "ul", "ol", "li", "strong", "em", "code", "hr", "br", "h1", "h2", "h3", "h4", "h5", "h6"}
)
_LOZENGE: Final = re.compile(r"\[([A-Z][A-Z /]{1,30})\]")
_PANEL: Final = re.compile(r"\s*\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*")
_PANELS: Final = {"NOTE": "info", "TIP": "tip", "IMPORTANT": "note", "WARNING": "warning", "CAUTION": "warning"}
_ALIGNED: Final = re.compile(r"text-align: (left|right|center);")
_WEB: Final = frozenset({"http", "https", "mailto"})
_LONGEST_ALT: Final = 300
# A table with more columns gets the width of the window, where Confluence can.
_NARROW: Final = 6

CONTENTS: Final = "toc-here"
ANCHOR: Final = "#"


FindPicture = Callable[[str], Picture | None]
"""From what the Markdown names to the picture, or None where there is none to be had."""


def render(blocks: Sequence[Block], find_picture: FindPicture) -> Element:
    """The tree, under a root that is not part of the page."""
    root = e.made("page")
    root.extend(_Renderer(find_picture).blocks(blocks))
    return root


class _Renderer:
    def __init__(self, find_picture: FindPicture) -> None:
        self._find_picture = find_picture

    def blocks(self, blocks: Sequence[Block]) -> Iterator[Element]:
        for block in blocks:
            match block:
                case Text():
                    yield from self._children(to_html(block.markdown))
                case Code():
                    yield e.code(block.text, _language(block.language))
                case Contents():
                    yield e.made(CONTENTS)
                case Folded():
                    title = cleaned(block.title) or "Details"
                    yield e.macro("expand", {"title": title}, e.rich(self.blocks(block.blocks)))

    def _children(self, parent: Element) -> Iterator[Element]:
        """The blocks in an element; text between them is no more than line ends."""
        for child in parent:
            yield from self._block(child)

    def _block(self, element: Element) -> Iterator[Element]:
        tag = str(element.tag)
        if tag == "p":
            yield from self._paragraph(element)
        elif tag == "pre":
            yield e.code("".join(map(str, element.itertext())).removesuffix("\n"), _PLAIN)
        elif tag == "table":
            yield self._table(element)
        elif tag == "blockquote":
            yield self._quote(element)
        else:
            yield self._same(element, tag if tag in _SAME else "p")

    def _same(self, element: Element, tag: str) -> Element:
        made = e.made(tag)
        if tag == "ol" and (start := element.get("start")):
            made.set("start", start)
        return self._filled(made, element)

    def _filled(self, made: Element, element: Element) -> Element:
        """Put what stands in one element into another."""
        made.text = element.text
        for child in element:
            copies = list(self._any(child))
            made.extend(copies)
            if copies:
                copies[-1].tail = (copies[-1].tail or "") + (child.tail or "")
            else:
                _append_text(made, child.tail or "")
        return made

    def _any(self, element: Element) -> Iterator[Element]:
        tag = str(element.tag)
        if tag == "img":
            yield self._picture(element)
        elif tag == "a":
            yield self._link(element)
        elif tag == "strong" and (found := _LOZENGE.fullmatch(_text(element))) and found[1] in e.COLOUR_OF:
            yield e.status(found[1])
        elif tag in ("strong", "em", "code", "br"):
            yield self._same(element, tag)
        else:
            yield from self._block(element)

    def _paragraph(self, element: Element) -> Iterator[Element]:
        """A paragraph. Pictures that are alone in it stand for themselves."""
        made = self._filled(e.made("p"), element)
        images = made.findall(e.qualified("ac:image"))
        if images and len(images) == len(made) and not e.words_of(made):
            for one in images:
                one.tail = None
                yield one
        else:
            yield made

    def _quote(self, element: Element) -> Element:
        first = element.find("p")
        found = _PANEL.match(first.text or "") if first is not None else None
        if first is None or found is None:
            return self._same(element, "blockquote")
        first.text = (first.text or "")[found.end() :]
        return e.macro(_PANELS[found[1]], None, e.rich(self._children(element)))

    def _table(self, element: Element) -> Element:
        table = e.made("table")
        for part in element:
            rows = [e.made("tr", children=[self._cell(cell) for cell in row]) for row in part]
            if rows:
                table.append(e.made(str(part.tag), children=rows))
        columns = max((len(row) for row in table.iter("tr")), default=0)
        if columns > _NARROW:
            table.set("data-layout", "full-width")
        return table

    def _cell(self, cell: Element) -> Element:
        paragraph = self._filled(e.made("p"), cell)
        if found := _ALIGNED.fullmatch(cell.get("style") or ""):
            paragraph.set("style", f"text-align: {found[1]};")
        return e.made(str(cell.tag), children=[paragraph])

    def _picture(self, element: Element) -> Element:
        source, alt = element.get("src") or "", (element.get("alt") or "")[:_LONGEST_ALT]
        found = self._find_picture(unquote(source))
        if found is None:
            return e.made("em", f"There is no picture here: {alt or source[:_LONGEST_ALT]}.")
        return e.image(found.filename, alt or found.filename, found.width_px)

    def _link(self, element: Element) -> Element:
        target = element.get("href") or ""
        if target.startswith(ANCHOR) and len(target) > 1:
            return e.anchor_link(target[1:], e.words_of(element))
        if _leads_to_the_web(target):
            return self._filled(e.made("a", href=target), element)
        # Paths lead nowhere from a page, and other kinds of addresses may do anything.
        return self._filled(e.made("span"), element)


def _leads_to_the_web(target: str) -> bool:
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return parts.scheme.lower() in _WEB and bool(parts.netloc or parts.scheme.lower() == "mailto")


def _language(name: str) -> str:
    return _LANGUAGES[name] or name if name in _LANGUAGES else _PLAIN


def _text(element: Element) -> str:
    return element.text or "" if not len(element) else ""


def _append_text(element: Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text
