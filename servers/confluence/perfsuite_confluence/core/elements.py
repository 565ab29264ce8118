"""The elements of the storage format: XHTML and Confluence's own, in the namespaces `ac` and `ri`."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from lxml import etree  # type: ignore[import-untyped]

Element: TypeAlias = Any
"""An element of lxml, which has no types."""
AC: Final = "http://atlassian.com/content"
RI: Final = "http://atlassian.com/resource/identifier"
NAMESPACES: Final = {"ac": AC, "ri": RI}
# Confluence scales pictures down to the column, but loads them in full width where none is given.
WIDEST_PX: Final = 900

_COLOURS: Final = {
    "Green": ("PASS", "PASSED", "OK", "SUCCESS", "IMPROVED", "IMPROVEMENT", "MET"),
    "Red": ("FAIL", "FAILED", "BREACHED", "CRITICAL", "ERROR", "REGRESSED", "REGRESSION", "HIGH"),
    "Yellow": ("WARN", "WARNING", "PASS WITH WARNINGS", "PARTIAL", "PARTIAL SUCCESS", "DEGRADED", "MAJOR", "MEDIUM"),
    "Blue": ("INFO", "NEW", "LOW", "MINOR", "UNCHANGED", "WITHIN NOISE"),
    "Grey": ("INCONCLUSIVE", "NOT EVALUATED", "NOT AVAILABLE", "NOT COMPARABLE", "TOO FEW SAMPLES", "NO DATA", "NO SLA",
             "SKIPPED", "UNKNOWN", "N/A"),
}  # fmt: skip
COLOUR_OF: Final[Mapping[str, str]] = {word: colour for colour, words in _COLOURS.items() for word in words}


def made(name: str, text: str | None = None, children: Iterable[Element] = (), **attributes: str) -> Element:
    """An element such as `p`, `ac:link` or `ri:attachment`; attributes are written with `_` for `-`."""
    element = etree.Element(qualified(name), {key.replace("_", "-"): value for key, value in attributes.items()})
    element.text = text
    element.extend(children)
    return element


def qualified(name: str) -> str:
    """The name as lxml writes it."""
    prefix, colon, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}" if colon else name


def named(element: Element, **attributes: str) -> Element:
    """The same element with attributes in the namespace `ac`."""
    for key, value in attributes.items():
        element.set(qualified(f"ac:{key}"), value)
    return element


def attachment(filename: str) -> Element:
    """What refers to a file of the page itself."""
    element = made("ri:attachment")
    element.set(qualified("ri:filename"), filename)
    return element


def macro(name: str, parameters: Mapping[str, str] | None = None, *bodies: Element) -> Element:
    """A macro with its parameters and its body."""
    element = named(made("ac:structured-macro"), name=name)
    for key, value in (parameters or {}).items():
        element.append(named(made("ac:parameter", value), name=key))
    element.extend(bodies)
    return element


def rich(children: Iterable[Element] = ()) -> Element:
    """The body of a macro that holds other elements."""
    return made("ac:rich-text-body", children=children)


def code(text: str, language: str) -> Element:
    """A block of code."""
    return macro("code", {"language": language}, made("ac:plain-text-body", text))


def status(title: str) -> Element:
    """A lozenge in the colour of its words."""
    return macro("status", {"colour": COLOUR_OF[title], "title": title})


def image(filename: str, alt: str, width_px: int | None) -> Element:
    """A picture among the files of the page."""
    facts = {"align": "center", "alt": alt} | ({"width": str(min(width_px, WIDEST_PX))} if width_px else {})
    element = named(made("ac:image"), **facts)
    element.append(attachment(filename))
    return element


def file_link(filename: str, words: str) -> Element:
    """A link to a file of the page."""
    return made("ac:link", children=[attachment(filename), made("ac:plain-text-link-body", words)])


def anchor_link(anchor: str, words: str) -> Element:
    """A link to a place on the page."""
    return named(made("ac:link", children=[made("ac:plain-text-link-body", words)]), anchor=anchor)


def words_of(element: Element) -> str:
    """All text in an element."""
    return " ".join("".join(str(part) for part in element.itertext()).split())
