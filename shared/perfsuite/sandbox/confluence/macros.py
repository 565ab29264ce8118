"""The macros that the viewer knows, each as HTML."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from perfsuite.sandbox.confluence.rendering import Renderer

    Shown = Callable[[Renderer, dict[str, str], str, str], str]

_COLOURS: Final = ("Grey", "Red", "Yellow", "Green", "Blue", "Purple")


@dataclass(frozen=True)
class Heading:
    """A heading of the page, for its table of contents."""

    level: int
    text: str
    anchor: str
    element: Any


def _status(_: "Renderer", given: dict[str, str], __: str, ___: str) -> str:
    colour = given.get("colour", "Grey").capitalize()
    kind = colour.lower() if colour in _COLOURS else "grey"
    return f'<span class="status {kind}">{escape(given.get("title", ""))}</span>'


def _expand(_: "Renderer", given: dict[str, str], rich: str, __: str) -> str:
    title = escape(given.get("title") or "Click here to expand...")
    return f'<details class="expand"><summary>{title}</summary><div>{rich}</div></details>'


def _toc(page: "Renderer", given: dict[str, str], _: str, __: str) -> str:
    low, high = _level(given.get("minLevel"), 1), _level(given.get("maxLevel"), 7)
    rows = [one for one in page.headings if low <= one.level <= high]
    items = "".join(
        f'<li style="margin-left: {one.level - low}em"><a href="#{escape(one.anchor)}">{escape(one.text)}</a></li>'
        for one in rows
    )
    return f'<nav class="toc"><ul>{items}</ul></nav>'


def _code(_: "Renderer", given: dict[str, str], __: str, plain: str) -> str:
    title = given.get("title")
    head = f"<figcaption>{escape(title)}</figcaption>" if title else ""
    return f'<figure class="code">{head}<pre><code>{escape(plain)}</code></pre></figure>'


def _panel(kind: str) -> "Shown":
    def shown(_: "Renderer", given: dict[str, str], rich: str, __: str) -> str:
        title = given.get("title")
        head = f"<strong>{escape(title)}</strong>" if title else ""
        return f'<div class="panel {kind}" role="note">{head}{rich}</div>'

    return shown


def _inside(_: "Renderer", given: dict[str, str], rich: str, __: str) -> str:
    return "" if given.get("hidden") == "true" else f"<div>{rich}</div>"


def _anchor(_: "Renderer", given: dict[str, str], __: str, ___: str) -> str:
    return f'<span id="{escape(given.get("", ""))}"></span>'


def _children(page: "Renderer", _: dict[str, str], __: str, ___: str) -> str:
    return _links(page.around.children)


def _attachments(page: "Renderer", _: dict[str, str], __: str, ___: str) -> str:
    return _links(page.around.attachments)


def _links(found: list[tuple[str, str]]) -> str:
    rows = "".join(f'<li><a href="{escape(address)}">{escape(name)}</a></li>' for name, address in found)
    return f"<ul>{rows}</ul>"


def _report(_: "Renderer", given: dict[str, str], __: str, ___: str) -> str:
    return f'<div class="panel">Page properties of all pages with {escape(given.get("cql", ""))}</div>'


def _level(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) == 1 else default


MACROS: "Final[dict[str, Shown]]" = {
    "status": _status,
    "expand": _expand,
    "toc": _toc,
    "code": _code,
    "noformat": _code,
    **{kind: _panel(kind) for kind in ("info", "note", "warning", "tip", "panel")},
    "details": _inside,
    "excerpt": _inside,
    "anchor": _anchor,
    "children": _children,
    "attachments": _attachments,
    "detailssummary": _report,
}
