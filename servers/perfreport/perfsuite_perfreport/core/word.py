"""The report for Word, made of the same Markdown as the web page: real headings, tables, captions and alt texts."""

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from lxml.html import HtmlElement  # type: ignore[import-untyped]

from perfsuite_perfreport.core.markdown.tree import LOOKS, Leaf, is_caption
from perfsuite_perfreport.models.report import Report

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell
    from docx.text.paragraph import Paragraph

_MARGIN_CM: Final = 1.8
_PICTURE_CM: Final = 17.0
_COLOURS: Final[Mapping[str, str]] = {"good": "1A7F4B", "warn": "9A6200", "bad": "B42318", "open": "5A5F69"}
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP file can say: the same report gives the same bytes."""
_WIDE: Final = "Cell"
_NARROW: Final = "Cell of a wide table"
_CELLS: Final = {_WIDE: 8.5, _NARROW: 7.5}
"""The sizes of what stands in tables."""
_FEW_COLUMNS: Final = 6
_LINE: Final = "C9CED4"
_NARROWEST: Final = 3
_WIDEST: Final = 60
_LONGEST_WORDS: Final = (28, 20, 16, 13, 10, 8, 6)
_PADDING_CM: Final = 0.45
_LETTER_CM: Final = 0.0205
"""How wide a letter is for each point of its size."""
_HEADINGS: Final = {"h1": 0, "h2": 1, "h3": 2, "h4": 3, "h5": 4, "h6": 5}
_DEEPEST_LIST: Final = 3


def word_document(report: Report, leaves: tuple[Leaf, ...], pictures: Mapping[str, bytes]) -> bytes:
    """The file; `pictures` are found by where the Markdown looks for them."""
    writer = _Writer(_blank(report), pictures)
    for leaf in leaves:
        writer.blocks(leaf.tree)
        if leaf.name in report.edited:
            writer.note("This part was written by hand; its numbers may be older than the rest.")
    content = BytesIO()
    writer.document.save(content)
    return _without_times(content)


def _blank(report: Report) -> "Document":
    from docx import Document
    from docx.shared import Cm, Pt

    document = Document()
    for section in document.sections:
        section.page_width, section.page_height = Cm(21.0), Cm(29.7)
        section.left_margin = section.right_margin = Cm(_MARGIN_CM)
        section.top_margin = section.bottom_margin = Cm(_MARGIN_CM)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(10)
    for name, size in _CELLS.items():
        _add_cell_style(document, name, size)
    about = document.core_properties
    about.title, about.author, about.comments = report.title, "perfsuite", f"Run {report.run_id}"
    return document


def _add_cell_style(document: "Document", name: str, size: float) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt

    style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Normal"]
    style.font.size = Pt(size)
    form = style.paragraph_format
    form.space_before, form.space_after, form.line_spacing = Pt(1), Pt(1), 1.0


def _without_times(content: BytesIO) -> bytes:
    result = BytesIO()
    with ZipFile(content) as old, ZipFile(result, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            info = ZipInfo(name, _EPOCH)
            info.compress_type = ZIP_DEFLATED
            new.writestr(info, old.read(name))
    return result.getvalue()


class _Writer:
    """Goes through the tree and adds to the document."""

    def __init__(self, document: "Document", pictures: Mapping[str, bytes]) -> None:
        self.document = document
        self._pictures = pictures
        self._styles = {style.name: style.style_id for style in document.styles}

    def blocks(self, root: HtmlElement) -> None:
        """Everything in an element, one block after the other."""
        for element in root:
            if element.tag in _HEADINGS:
                self._inline(self.document.add_heading("", level=_HEADINGS[element.tag]), element)
            elif element.tag in ("ul", "ol"):
                self._list(element, 1)
            elif element.tag == "table":
                self._table(element)
            elif element.tag == "pre":
                self._text(self.document.add_paragraph(), element.text_content().rstrip("\n"), {"code"})
            elif element.tag in ("blockquote", "div"):
                self.blocks(element)
            elif element.tag != "hr":
                self._paragraph(element)

    def note(self, text: str) -> None:
        """A remark of ours."""
        self._text(self.document.add_paragraph(), text, {"em"})

    def _styled(self, style: str) -> "Paragraph":
        paragraph = self.document.add_paragraph()
        # Looking a style up by its name takes longer than all else here, and there are thousands of paragraphs.
        paragraph._p.style = self._styles[style]  # noqa: SLF001
        return paragraph

    def _paragraph(self, element: HtmlElement) -> None:
        if is_caption(element):
            paragraph = self._styled("Caption")
            paragraph.paragraph_format.keep_with_next = (element[0].text or "").startswith("Table")
            _numbered(paragraph, element[0].text or "")
            self._rest(paragraph, element[0], set())
            return
        self._inline(self.document.add_paragraph(), element)

    def _list(self, element: HtmlElement, depth: int) -> None:
        level = min(depth, _DEEPEST_LIST)
        start = int(element.get("start") or 1) if (element.get("start") or "1").isdigit() else 1
        for number, item in enumerate(element.findall("li"), start=start):
            style = f"List Bullet{'' if level == 1 else f' {level}'}" if element.tag == "ul" else "List Paragraph"
            paragraph = self._styled(style)
            # Word goes on counting where the list before ended, so the numbers are written out.
            if element.tag == "ol":
                self._text(paragraph, f"{number}. ", set())
            self._inline(paragraph, item)
            for inner in item:
                if inner.tag in ("ul", "ol"):
                    self._list(inner, depth + 1)

    def _table(self, element: HtmlElement) -> None:
        from docx.shared import Cm

        rows = element.findall(".//tr")
        width = max((len(row) for row in rows), default=0)
        if not width:
            return
        table = self.document.add_table(rows=0, cols=width, style="Normal Table")
        table.autofit = False
        _rule(table)
        style = _NARROW if width > _FEW_COLUMNS else _WIDE
        for column, share in zip(table.columns, _widths(rows, width, _CELLS[style]), strict=True):
            column.width = Cm(share)
        for number, row in enumerate(rows):
            added = table.add_row()
            for cell, source in zip(added.cells, row, strict=False):
                self._cell(cell, source, style, is_head=number == 0)
            _row_stays_whole(added, is_head=number == 0)
        self.document.add_paragraph()

    def _cell(self, cell: "_Cell", source: HtmlElement, style: str, *, is_head: bool) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        paragraph = cell.paragraphs[0]
        paragraph._p.style = self._styles[style]  # noqa: SLF001 - as `_styled`
        self._inline(paragraph, source, {"strong", "cell"} if is_head else {"cell"})
        if source.get("class") == "number":
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT

    def _inline(self, paragraph: "Paragraph", element: HtmlElement, marks: set[str] | None = None) -> None:
        marks = marks or set()
        self._text(paragraph, element.text, marks)
        for inner in element:
            if inner.tag == "img":
                self._picture(paragraph, inner)
            elif inner.tag == "br":
                paragraph.add_run().add_break()
            elif inner.tag not in ("ul", "ol"):
                self._inline(paragraph, inner, {*marks, inner.tag, *_verdict(inner)})
                self._address(paragraph, inner)
            self._text(paragraph, inner.tail, marks)

    def _rest(self, paragraph: "Paragraph", after: HtmlElement, marks: set[str]) -> None:
        self._text(paragraph, after.tail, marks)
        for inner in after.itersiblings():
            self._inline(paragraph, inner, {*marks, inner.tag})
            self._text(paragraph, inner.tail, marks)

    def _address(self, paragraph: "Paragraph", link: HtmlElement) -> None:
        address = link.get("href") if link.tag == "a" else None
        if address and not address.startswith("#") and address != link.text_content():
            self._text(paragraph, f" ({address})", set())

    def _picture(self, paragraph: "Paragraph", image: HtmlElement) -> None:
        from docx.image.exceptions import (
            InvalidImageStreamError,
            UnexpectedEndOfFileError,
            UnrecognizedImageError,
        )
        from docx.shared import Cm

        alt = image.get("alt") or ""
        content = self._pictures.get(image.get("src") or "")
        try:
            picture = paragraph.add_run().add_picture(BytesIO(content or b""), width=Cm(_PICTURE_CM))
        except (UnrecognizedImageError, InvalidImageStreamError, UnexpectedEndOfFileError):
            self._text(paragraph, f"The picture is not there: {alt or 'without a name'}.", {"em"})
            return
        paragraph.paragraph_format.keep_with_next = True
        about = picture._inline.docPr  # noqa: SLF001 - python-docx has no public way to give a picture an alt text
        about.set("descr", alt)
        about.set("title", alt[:80])

    def _text(self, paragraph: "Paragraph", text: str | None, marks: set[str]) -> None:
        from docx.shared import Pt, RGBColor

        if not text or (not text.strip() and not paragraph.runs):
            return
        run = paragraph.add_run(text if "code" in marks else " ".join(text.split("\n")))
        if "strong" in marks:
            run.bold = True
        if "em" in marks:
            run.italic = True
        if "code" in marks:
            run.font.name, run.font.color.rgb = "Consolas", RGBColor(0x59, 0x61, 0x6B)
            if "cell" not in marks:
                run.font.size = Pt(8)
        if colour := next((_COLOURS[look] for mark in marks if (look := LOOKS.get(mark))), None):
            run.font.color.rgb = RGBColor.from_string(colour)


def _verdict(element: HtmlElement) -> set[str]:
    text = element.text_content()
    return {text} if element.tag == "strong" and text in LOOKS else set()


def _numbered(paragraph: "Paragraph", text: str) -> None:
    """`Table 3. Title`, with its number as a field, so that Word can list tables and figures."""
    kind, _, rest = text.partition(" ")
    number, dot, title = rest.partition(".")
    paragraph.add_run(f"{kind} ")
    field = _element("w:fldSimple", {"w:instr": f" SEQ {kind} \\* ARABIC "})
    run = _element("w:r", {})
    shown = _element("w:t", {})
    shown.text = number
    run.append(shown)
    field.append(run)
    paragraph._p.append(field)  # noqa: SLF001 - python-docx knows no fields
    paragraph.add_run(f"{dot}{title}")


def _rule(table: Any) -> None:
    """Thin lines between the rows: columns are told by their heads."""
    borders = _element("w:tblBorders", {})
    for side in ("top", "bottom", "insideH"):
        borders.append(_element(f"w:{side}", {"w:val": "single", "w:sz": "4", "w:space": "0", "w:color": _LINE}))
    table._tbl.tblPr.append(borders)  # noqa: SLF001 - python-docx knows styles, and no borders


def _widths(rows: list[HtmlElement], count: int, size: float) -> list[float]:
    """How wide each column is in centimetres: its longest word has room, and long texts share what is left.

    Where there is too little room for all of them, the longest words are broken, so that numbers stay whole.
    """
    words, texts = [_NARROWEST] * count, [_NARROWEST] * count
    for row in rows:
        for place, cell in enumerate(row):
            text = cell.text_content()
            words[place] = max(words[place], max(map(len, text.split()), default=0))
            texts[place] = max(texts[place], min(_WIDEST, len(text)))
    kept = next((most for most in _LONGEST_WORDS if _needed(words, most, size) <= _PICTURE_CM), _LONGEST_WORDS[-1])
    needed = [_PADDING_CM + min(one, kept) * size * _LETTER_CM for one in words]
    left = _PICTURE_CM - sum(needed)
    if left <= 0:
        return [_PICTURE_CM * one / sum(needed) for one in needed]
    wishes = [max(text - min(word, kept), 0) + 1 for text, word in zip(texts, words, strict=True)]
    return [one + left * wish / sum(wishes) for one, wish in zip(needed, wishes, strict=True)]


def _needed(words: list[int], most: int, size: float) -> float:
    return sum(_PADDING_CM + min(one, most) * size * _LETTER_CM for one in words)


def _row_stays_whole(row: Any, *, is_head: bool) -> None:
    properties = row._tr.get_or_add_trPr()  # noqa: SLF001 - python-docx has no public way to repeat a head
    properties.append(_element("w:cantSplit", {}))
    if is_head:
        properties.append(_element("w:tblHeader", {}))


def _element(name: str, attributes: Mapping[str, str]) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(name)
    for key, value in attributes.items():
        element.set(qn(key), value)
    return element
