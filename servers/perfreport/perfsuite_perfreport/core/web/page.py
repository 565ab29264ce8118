"""The web page: one file that opens without a network, made of the Markdown and of the data of the charts."""

import base64
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from html import escape
from typing import Final

from lxml import html  # type: ignore[import-untyped]
from lxml.html import HtmlElement  # type: ignore[import-untyped]

from perfsuite_perfreport.core.markdown.tree import VERDICTS, Leaf, is_caption, pictures
from perfsuite_perfreport.core.web.figures import Drawn, drawn, script_of_bokeh
from perfsuite_perfreport.models.report import Plot, Report

_LOOKS: Final = {
    "PASS": "good", "LOW": "", "MINOR": "", "INFO": "", "PASS WITH WARNINGS": "warn", "WARN": "warn", "MEDIUM": "",
    "HIGH": "", "FAIL": "bad", "CRITICAL": "bad", "MAJOR": "warn", "INCONCLUSIVE": "open", "NOT EVALUATED": "open",
}  # fmt: skip
_CHARTS: Final = "charts"
_SECTION: Final = re.compile(r"[^a-z0-9]+")
_LETTER: Final = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
_RIGHT_TO_LEFT: Final = re.compile(f"({_LETTER}(?:[^A-Za-z0-9]*{_LETTER})*)")
# What the page may do: nothing from anywhere else.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; connect-src 'none'; form-action 'none'; base-uri 'none'"
)


@dataclass(frozen=True)
class Assets:
    """What a page brings with it: its style, its script, and the pictures by where the Markdown looks for them."""

    style: str
    script: str
    pictures: Mapping[str, bytes]


def page(report: Report, leaves: tuple[Leaf, ...], assets: Assets) -> str:
    """The whole page."""
    has_charts = any(leaf.name == _CHARTS for leaf in leaves) and _CHARTS not in report.edited
    charts = drawn(report) if has_charts else Drawn("", {})
    body = [_part(leaf, report, charts, assets) for leaf in leaves]
    headings = [heading for element in body for heading in element.iter("h2")]
    for number, heading in enumerate(headings, start=1):
        heading.set("id", f"{_SECTION.sub('-', heading.text_content().lower()).strip('-')[:40]}-{number}")
    links = "".join(f'<a href="#{one.get("id")}">{escape(one.text_content())}</a>' for one in headings)
    inner = "".join(_inside(element) for element in body)
    # The links stand behind the first heading, which begins the first part.
    head, end, rest = inner.partition("</h1>")
    content = f"{head}{end}<nav>{links}</nav>{rest}" if end else f"<nav>{links}</nav>{inner}"
    return _document(report.title, content, charts, assets)


def _document(title: str, content: str, charts: Drawn, assets: Assets) -> str:
    scripts = f"<script>{script_of_bokeh()}</script>" if charts.places else ""
    data = f'<script type="application/json" id="charts-data">{charts.documents}</script>' if charts.places else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{assets.style}</style>\n</head>\n<body>\n<main>{content}</main>\n"
        f"{data}\n{scripts}\n<script>{assets.script}</script>\n</body>\n</html>\n"
    )


def _part(part: Leaf, report: Report, charts: Drawn, assets: Assets) -> HtmlElement:
    if part.name == _CHARTS and charts.places:
        return _charts(report, charts)
    root = deepcopy(part.tree)
    for element in list(root.iter()):
        _isolate(element)
    for image, source in pictures(root):
        _inline(image, assets.pictures.get(source))
    for table in list(root.iter("table")):
        _frame(table, is_sortable=len(table.findall(".//tr")) > 3 and part.name not in ("verdict", "scope", "methods"))
    for paragraph in root.iter("p"):
        if is_caption(paragraph):
            paragraph.set("class", "caption")
    for strong in root.iter("strong"):
        if strong.text_content() in VERDICTS:
            strong.set("class", _LOOKS[strong.text_content()])
    if not part.name:
        return root
    section = html.Element("section", id=f"block-{part.name}")
    section.append(_wrapped(part, root, report))
    wrapper = html.Element("div")
    wrapper.append(section)
    return wrapper


def _wrapped(part: Leaf, root: HtmlElement, report: Report) -> HtmlElement:
    classes = ["banner", _LOOKS[report.verdict]] if part.name == "verdict" else []
    if part.name in report.edited:
        classes.append("edited")
        note = html.Element("p", {"class": "note"})
        note.text = "This part was written by hand; its numbers may be older than the rest."
        root.append(note)
    if classes:
        root.set("class", " ".join(classes))
    return root


def _inline(image: HtmlElement, content: bytes | None) -> None:
    if content is None:
        note = html.Element("em")
        note.text = f"The picture is not there: {image.get('alt') or 'without a name'}."
        image.getparent().replace(image, note)
        return
    image.set("src", f"data:image/png;base64,{base64.b64encode(content).decode()}")


def _isolate(element: HtmlElement) -> None:
    """Keep a name that is written from right to left from turning round the words and numbers beside it."""
    element.text, runs = _runs(element.text)
    for place, run in enumerate(runs):
        element.insert(place, run)
    if element.getparent() is not None:
        element.tail, runs = _runs(element.tail)
        for run in reversed(runs):
            tail, element.tail = element.tail, None
            element.addnext(run)
            element.tail = tail


def _runs(text: str | None) -> tuple[str | None, list[HtmlElement]]:
    """The text up to the first of these names, and each name with what follows it."""
    first, *rest = _RIGHT_TO_LEFT.split(text or "")
    runs = []
    for name, after in zip(rest[::2], rest[1::2], strict=True):
        run = html.Element("bdi")
        run.text, run.tail = name, after
        runs.append(run)
    return (first if runs else text), runs


def _frame(table: HtmlElement, *, is_sortable: bool) -> None:
    frame = html.Element("div", {"class": "wide", "tabindex": "0"})
    table.getparent().replace(table, frame)
    tail, table.tail = table.tail, None
    frame.append(table)
    frame.tail = tail
    if is_sortable:
        table.set("class", "sortable")


def _charts(report: Report, charts: Drawn) -> HtmlElement:
    root = html.Element("div")
    section = html.Element("section", id="block-charts")
    root.append(section)
    note = html.Element("p", {"class": "note"})
    note.text = "".join(_chart_note(report))
    section.append(note)
    for plot in report.plots:
        section.append(_chart(plot, charts.places[plot.id]))
    return root


def _chart(plot: Plot, place: str) -> HtmlElement:
    figure = html.Element("figure")
    chart = html.Element("div", {"class": "chart", "id": place, "role": "img", "aria-label": plot.title})
    caption = html.Element("figcaption")
    strong = html.Element("strong")
    strong.text, strong.tail = plot.title, f", {plot.unit}. Source: "
    cite = html.Element("code")
    cite.text = plot.source
    caption.extend([strong, cite])
    figure.extend([caption, chart])
    return figure


def _chart_note(report: Report) -> Iterator[str]:
    yield "Charts over time share their axis: zoom in one and all follow. Click a name to hide its line. "
    if report.spans:
        yield "Shaded: " + ", ".join(f"{one.name} {one.from_s:.0f} to {one.to_s:.0f} s" for one in report.spans) + ". "
    if report.pictures:
        yield "The same charts as pictures lie in the folder charts of the run."


def _inside(element: HtmlElement) -> str:
    return (escape(element.text or "")) + "".join(html.tostring(child, encoding="unicode") for child in element)
