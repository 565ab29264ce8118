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

from perfsuite_perfreport.core.markdown.tree import LOOKS, Leaf, is_caption, pictures
from perfsuite_perfreport.core.web.figures import Drawn, drawn, script_of_bokeh
from perfsuite_perfreport.models.report import Picture, Plot, Report

_CHARTS: Final = "charts"
_DRAWN_ANEW: Final = frozenset(
    {"THROUGHPUT_USERS", "PERCENTILES_OVER_TIME", "P90_USERS", "CPU_UTILIZATION", "MEMORY_UTILIZATION", "CPU_USERS",
     "MEMORY_USERS", "LATENCY_VS_USERS", "LATENCY_DISTRIBUTION"}
)  # fmt: skip
"""Pictures in whose place the page has lines to zoom in."""
_MOST_BYTES: Final = 1_000_000
"""Of the other pictures: the page is to stay small enough for a mail."""
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
        return _charts(report, charts, assets)
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
        if look := LOOKS.get(strong.text_content()):
            strong.set("class", look)
    if not part.name:
        return root
    section = html.Element("section", id=f"block-{part.name}")
    section.append(_wrapped(part, root, report))
    wrapper = html.Element("div")
    wrapper.append(section)
    return wrapper


def _wrapped(part: Leaf, root: HtmlElement, report: Report) -> HtmlElement:
    classes = ["banner", LOOKS[report.verdict]] if part.name == "verdict" else []
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


def _charts(report: Report, charts: Drawn, assets: Assets) -> HtmlElement:
    root = html.Element("div")
    section = html.Element("section", id="block-charts")
    root.append(section)
    shown, left_out = _still_pictures(report, assets)
    note = html.Element("p", {"class": "note"})
    note.text = "".join(_chart_note(report, left_out))
    section.append(note)
    for plot in report.plots:
        section.append(_chart(plot, charts.places[plot.id]))
    for picture, content in shown:
        section.append(_still(picture, content))
    return root


def _still_pictures(report: Report, assets: Assets) -> tuple[list[tuple[Picture, bytes]], list[Picture]]:
    """The pictures of which the page has no lines, and those for which it has no room."""
    shown, left_out, room = list[tuple[Picture, bytes]](), list[Picture](), _MOST_BYTES
    for one in report.pictures:
        content = assets.pictures.get(f"../{one.file}")
        if content is None or one.chart_id in _DRAWN_ANEW:
            continue
        if len(content) > room:
            left_out.append(one)
        else:
            room -= len(content)
            shown.append((one, content))
    return shown, left_out


def _still(picture: Picture, content: bytes) -> HtmlElement:
    figure = html.Element("figure")
    caption = html.Element("figcaption")
    strong = html.Element("strong")
    strong.text = picture.title
    caption.append(strong)
    image = html.Element("img", alt=picture.alt)
    _inline(image, content)
    figure.extend([caption, image])
    return figure


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


def _chart_note(report: Report, left_out: list[Picture]) -> Iterator[str]:
    yield "Charts over time share their axis: zoom in one and all follow. Click a name to hide its line. "
    if report.spans:
        yield "Shaded: " + ", ".join(f"{one.name} {one.from_s:.0f} to {one.to_s:.0f} s" for one in report.spans) + ". "
    if report.pictures:
        yield "All charts lie as pictures in the folder charts of the run"
        yield f"; {len(left_out)} of them would make this page too large and lie only there." if left_out else "."


def _inside(element: HtmlElement) -> str:
    return (escape(element.text or "")) + "".join(html.tostring(child, encoding="unicode") for child in element)
