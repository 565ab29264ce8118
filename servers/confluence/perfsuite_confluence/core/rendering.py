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
_LONG_WORD: Final = re.compile(r"\S{60,}")
_PIECE: Final = re.compile(r".{1,19}[/._,;:&?=-]|.{20}")
_WEB: Final = frozenset({"http", "https", "mailto"})
_LONGEST_ALT: Final = 300
_LONGEST_NUMBER: Final = 24
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
            yield from self._quotes(element)
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

    def _quotes(self, element: Element) -> Iterator[Element]:
        """A quote. The package makes one of all that follow each other, so every mark of a panel begins another."""
        parts: list[tuple[str, list[Element]]] = [("", [])]
        for child in element:
            found = _PANEL.match(child.text or "") if child.tag == "p" else None
            if found:
                child.text = (child.text or "")[found.end() :]
                parts.append((_PANELS[found[1]], []))
            parts[-1][1].extend(self._block(child))
        for panel, children in parts:
            if panel:
                yield e.macro(panel, None, e.rich(children))
            elif children:
                yield e.made("blockquote", children=children)

    def _table(self, element: Element) -> Element:
        table, is_list = e.made("table"), not any(e.words_of(head) for head in element.iterfind("thead"))
        for part in element:
            rows = [self._row(row, is_list) for row in part]
            if rows and not (is_list and part.tag == "thead"):
                table.append(e.made(str(part.tag), children=rows))
        columns = max((len(row) for row in table.iter("tr")), default=0)
        if columns > _NARROW:
            table.set("data-layout", "full-width")
        return table

    def _row(self, row: Element, is_list: bool) -> Element:
        """A row. In a table without words in its head, the first cell of each row is the head of that row."""
        cells = [self._cell(cell) for cell in row]
        if is_list and cells:
            cells[0].tag = "th"
        return e.made("tr", children=cells)

    def _cell(self, cell: Element) -> Element:
        paragraph = self._filled(e.made("p"), cell)
        for part in paragraph.iter("p", "strong", "em"):
            part.text = _breakable(part.text)
        for part in paragraph:
            part.tail = _breakable(part.tail)
        if found := _ALIGNED.fullmatch(cell.get("style") or ""):
            paragraph.set("style", f"text-align: {found[1]};")
            if found[1] == "right" and paragraph.text and len(paragraph.text) <= _LONGEST_NUMBER:
                # A number and its unit belong on one line.
                paragraph.text = paragraph.text.replace(" ", "\xa0")
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


def _breakable(text: str | None) -> str | None:
    """The text with places where a line may end in words that would push the other columns out of sight."""
    return _LONG_WORD.sub(lambda word: _PIECE.sub("\\g<0>\u200b", word[0]), text) if text else text


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
