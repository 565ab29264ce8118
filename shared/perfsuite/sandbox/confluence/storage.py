"""The storage format: XHTML with Confluence's own elements, whose namespaces nobody declares."""

import itertools
import re
import uuid
from html.entities import name2codepoint
from typing import Final

from lxml import etree  # type: ignore[import-untyped]

AC: Final = "{http://atlassian.com/content}"
RI: Final = "{http://atlassian.com/resource/identifier}"
_OF_XML: Final = {"amp", "lt", "gt", "quot"}
_ENTITIES: Final = "".join(
    f'<!ENTITY {name} "&#{code};">' for name, code in name2codepoint.items() if name not in _OF_XML
)
_HEAD: Final = (
    f"<!DOCTYPE page [{_ENTITIES}]>"
    f'<page xmlns:ac="{AC[1:-1]}" xmlns:ri="{RI[1:-1]}">\n'
)  # fmt: skip
_TAIL: Final = "</page>"
_MISMATCH: Final = re.compile(r"Opening and ending tag mismatch: (\S+) line \d+ and (\S+?),")
_PLACE: Final = re.compile(r", line \d+, column \d+$")
_VERBATIM: Final = re.compile(r"(<!\[CDATA\[.*?]]>|<!--.*?-->)", re.DOTALL)
_MACRO: Final = re.compile(r"<ac:structured-macro\b(?![^>]*\bac:macro-id=)")


class BadStorage(Exception):
    """A body that is no storage format. The text is what Confluence says about it."""


def parse(body: str) -> etree._Element:
    """The tree of a body, under a root that is not part of it."""
    parser = etree.XMLParser(strip_cdata=False, no_network=True, remove_pis=True, remove_comments=True)
    try:
        return etree.fromstring(f"{_HEAD}{body}{_TAIL}".encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as error:
        raise BadStorage(_said(error)) from None


def settled(body: str) -> str:
    """The body as Confluence keeps it: every macro has an id and the version of its schema."""
    seed, numbers = uuid.uuid5(uuid.NAMESPACE_URL, body), itertools.count()

    def with_id(found: re.Match[str]) -> str:
        return f'{found[0]} ac:schema-version="1" ac:macro-id="{uuid.uuid5(seed, str(next(numbers)))}"'

    parts = _VERBATIM.split(body)
    parts[::2] = [_MACRO.sub(with_id, part) for part in parts[::2]]
    return "".join(parts)


def _said(error: Exception) -> str:
    """In the words of Confluence's parser for the usual mistake, and of ours for the others."""
    text = str(getattr(error, "msg", error))
    row, column = (getattr(error, "position", None) or (2, 1))[:2]
    place = f"\n at [row,col {{unknown-source}}]: [{max(1, row - 1)},{column}]"
    if found := _MISMATCH.search(text):
        closing = "xml" if found[2] == "page" else found[2]
        return f"Error parsing xhtml: Unexpected close tag </{closing}>; expected </{found[1]}>.{place}"
    return f"Error parsing xhtml: {_PLACE.sub('', text)[:300]}{place}"
