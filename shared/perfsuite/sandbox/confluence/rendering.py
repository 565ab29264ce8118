"""A page as a browser shows it: storage format to HTML. What Confluence does not show is not shown here either."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Final
from urllib.parse import urlsplit

from lxml import etree  # type: ignore[import-untyped]

from perfsuite.sandbox.confluence.macros import MACROS, Heading
from perfsuite.sandbox.confluence.storage import AC, RI, parse

_PLAIN: Final = re.compile(
    r"p|h[1-6]|[uod]l|li|d[td]|table|thead|tbody|tfoot|t[rhd]|col|colgroup|blockquote|pre|code|strong|em|[usbiaq]|sub|sup"
    r"|br|hr|span|div|small|big|tt|del|ins|time|cite|abbr|acronym|address"
)
_VOID: Final = frozenset(("br", "hr", "col"))
_HIDDEN: Final = frozenset(("script", "style", "iframe", "object", "embed", "form", "input", "link", "meta", "base"))
_ATTRIBUTES: Final = frozenset(("colspan", "rowspan", "start", "datetime", "title", "scope", "lang", "dir"))
_STYLE: Final = re.compile(
    r"(?:\s*(?:width|min-width|max-width|text-align|color|background-color|margin-left|vertical-align)"
    r"\s*:\s*[\w #%.,()-]{1,40}(?:;|$))*\s*"
)
_SIZE: Final = re.compile(r"\d{1,5}")
_SCHEMES: Final = ("", "http", "https", "mailto")
_DEEPEST: Final = 60
_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
_WORDS: Final = re.compile(r"[^\w]+")


@dataclass
class Surroundings:
    """What a page refers to: each takes a name, and gives an address or None."""

    attachment: Callable[[str], str | None]
    page: Callable[[str | None, str], str | None]
    """A space, None for this one, and a title."""
    children: list[tuple[str, str]] = field(default_factory=list)
    attachments: list[tuple[str, str]] = field(default_factory=list)


def render(body: str, around: Surroundings) -> str:
    """The HTML of a body that was accepted before."""
    root = parse(body)
    return Renderer(root, around).inner(root)


class Renderer:
    """Walks over the tree of one page."""

    def __init__(self, root: etree._Element, around: Surroundings) -> None:
        self.around = around
        self.headings = [
            Heading(int(one.tag[1]), shown := _shown_text(one), f"{_WORDS.sub('-', shown)[:60]}-{number}", one)
            for number, one in enumerate(root.iter(*_HEADINGS))
        ]
        self._anchors = {id(one.element): one.anchor for one in self.headings}
        self._depth = 0

    def inner(self, element: etree._Element) -> str:
        """Everything between the tags of an element."""
        found = [escape(element.text or "")]
        for child in element:
            found += [self.outer(child), escape(child.tail or "")]
        return "".join(found)

    def outer(self, element: etree._Element) -> str:
        if self._depth >= _DEEPEST or not isinstance(element.tag, str):
            return escape(_text(element))
        self._depth += 1
        try:
            return self._own(element) if element.tag.startswith((AC, RI)) else self._html(element)
        finally:
            self._depth -= 1

    def _html(self, element: etree._Element) -> str:
        tag = element.tag
        if tag in _HIDDEN:
            return ""
        if tag == "img":
            return unavailable(element.get("src", ""))
        if not _PLAIN.fullmatch(tag):
            return self.inner(element)
        opened = f"<{tag}{self._attributes(element)}>"
        return opened if tag in _VOID else f"{opened}{self.inner(element)}</{tag}>"

    def _attributes(self, element: etree._Element) -> str:
        found = {name: value for name, value in element.items() if name in _ATTRIBUTES}
        if anchor := self._anchors.get(id(element)):
            found["id"] = anchor
        if (style := element.get("style")) and _STYLE.fullmatch(style):
            found["style"] = style
        if element.tag == "a" and _is_safe(href := element.get("href", "")):
            found |= {"href": href, "rel": "nofollow noopener"}
        return "".join(f' {name}="{escape(value)}"' for name, value in found.items())

    def _own(self, element: etree._Element) -> str:
        match element.tag.partition("}")[2]:
            case "structured-macro":
                return self._macro(element)
            case "image":
                return self._image(element)
            case "link":
                return self._link(element)
            case "layout" | "layout-section" | "layout-cell" as name:
                return f'<div class="{name}">{self.inner(element)}</div>'
            case "task-list":
                return f'<ul class="tasks">{self._within(element, "task")}</ul>'
            case "task":
                done = element.findtext(f"{AC}task-status") == "complete"
                return f"<li>{'☑' if done else '☐'} {self._within(element, 'task-body')}</li>"
            case "task-body" | "rich-text-body" | "link-body" | "inline-comment-marker" | "caption":
                return self.inner(element)
            case "emoticon":
                return escape(element.get(f"{AC}emoji-fallback") or f"({element.get(f'{AC}name', '')})")
        return ""

    def _within(self, element: etree._Element, name: str) -> str:
        return "".join(self.outer(child) for child in element.findall(f"{AC}{name}"))

    def _macro(self, element: etree._Element) -> str:
        name = element.get(f"{AC}name", "")
        parameters = {
            one.get(f"{AC}name", ""): "".join(one.itertext()).strip() for one in element.findall(f"{AC}parameter")
        }
        shown = MACROS.get(name)
        if shown is None:
            return f'<div class="macro-error">Unknown macro: {escape(repr(name))}</div>'
        rich = element.find(f"{AC}rich-text-body")
        return shown(self, parameters, "" if rich is None else self.inner(rich), self.plain_body(element))

    def plain_body(self, element: etree._Element) -> str:
        return element.findtext(f"{AC}plain-text-body") or ""

    def _image(self, element: etree._Element) -> str:
        kept, elsewhere = element.find(f"{RI}attachment"), element.find(f"{RI}url")
        name = kept.get(f"{RI}filename", "") if kept is not None else ""
        source = self.around.attachment(name) if kept is not None else None
        if source is None:
            return unavailable(name or ("" if elsewhere is None else elsewhere.get(f"{RI}value", "")))
        sizes = {size: element.get(f"{AC}{size}", "") for size in ("width", "height")}
        shown = "".join(f' {size}="{value}"' for size, value in sizes.items() if _SIZE.fullmatch(value))
        title = element.get(f"{AC}title")
        named = f' title="{escape(title)}"' if title else ""
        picture = f'<img src="{escape(source)}" alt="{escape(element.get(f"{AC}alt", ""))}"{shown}{named}>'
        caption = element.find(f"{AC}caption")
        under = f"<figcaption>{self.inner(caption)}</figcaption>" if caption is not None else ""
        align = element.get(f"{AC}align", "")
        return f'<figure class="image {align if align in _ALIGNS else ""}">{picture}{under}</figure>'

    def _link(self, element: etree._Element) -> str:
        page, kept = element.find(f"{RI}page"), element.find(f"{RI}attachment")
        text = self._within(element, "link-body") or escape(element.findtext(f"{AC}plain-text-link-body") or "")
        anchor = element.get(f"{AC}anchor")
        if page is not None:
            title = page.get(f"{RI}content-title", "")
            return link(self.around.page(page.get(f"{RI}space-key"), title), text or escape(title))
        if kept is not None:
            name = kept.get(f"{RI}filename", "")
            return link(self.around.attachment(name), text or escape(name))
        return link(f"#{anchor}" if anchor else None, text or escape(anchor or ""))


_ALIGNS: Final = ("left", "center", "right")


def link(address: str | None, shown: str) -> str:
    """A link; one that leads nowhere is marked."""
    return (
        f'<span class="broken-link">{shown}</span>' if address is None else f'<a href="{escape(address)}">{shown}</a>'
    )


def unavailable(name: str) -> str:
    """What stands in place of a picture that is no attachment of the page."""
    return f'<span class="unavailable">Preview unavailable: {escape(name[:200])}</span>'


def _is_safe(address: str) -> bool:
    try:
        return urlsplit(address).scheme in _SCHEMES
    except ValueError:
        return False


def _shown_text(element: etree._Element) -> str:
    """The words that a reader sees: those of macros, but not how these are set up."""
    if element.tag == f"{AC}parameter" and element.get(f"{AC}name") != "title":
        return ""
    return (element.text or "") + "".join(_shown_text(child) + (child.tail or "") for child in element)


def _text(element: etree._Element) -> str:
    return "".join(element.itertext())
