"""The storage format as text. It is checked before it goes anywhere: Confluence answers a bad page with a riddle."""

from collections.abc import Iterator
from typing import Final

from lxml import etree  # type: ignore[import-untyped]

from perfsuite.errors import BadFile
from perfsuite_confluence.core.elements import AC, NAMESPACES, Element

_PREFIXES: Final = {uri: prefix for prefix, uri in NAMESPACES.items()}
_VERBATIM: Final = frozenset({f"{{{AC}}}plain-text-body", f"{{{AC}}}plain-text-link-body"})
_EMPTY: Final = frozenset({"br", "hr", "col"})
_DEEPEST: Final = 120
_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_VALUE: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": " ", "\t": " "}
)
_ROOT: Final = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())


def written(root: Element) -> str:
    """What stands in the root, as Confluence takes it: the namespaces are not declared."""
    text = "\n".join("".join(_parts(child, 0)) for child in root)
    check(text)
    return text


def check(storage: str) -> None:
    """Refuse a page that is not well-formed, or that uses a namespace that Confluence does not know."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        etree.fromstring(f"<page{_ROOT}>{storage}</page>".encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as error:
        raise BadFile(
            f"The page made of the report is not well-formed: {error}.",
            next_step="Make the report again by `create_performance_test_report`; what it holds there cannot be shown.",
        ) from None


def _parts(element: Element, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise BadFile("The report is nested too deeply for a page.", next_step="Take some of its nesting out.")
    name = _name(str(element.tag))
    attributes = "".join(f' {_name(str(key))}="{str(value).translate(_VALUE)}"' for key, value in element.items())
    if name in _EMPTY or not (len(element) or element.text or element.tag in _VERBATIM):
        yield f"<{name}{attributes} />"
    else:
        yield f"<{name}{attributes}>"
        yield _cdata(element.text or "") if element.tag in _VERBATIM else (element.text or "").translate(_TEXT)
        for child in element:
            yield from _parts(child, depth + 1)
        yield f"</{name}>"
    yield (element.tail or "").translate(_TEXT)


def _name(tag: str) -> str:
    uri, brace, local = tag.removeprefix("{").partition("}")
    return f"{_PREFIXES[uri]}:{local}" if brace else tag


def _cdata(text: str) -> str:
    """Text as it is. Its end mark cannot stand in it, so it is parted there."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
