"""A piece of Markdown as a tree of HTML. Whatever HTML it holds is text."""

import re
from typing import Final

from lxml import etree  # type: ignore[import-untyped]
from lxml import html as lxml_html

from perfsuite.errors import BadFile
from perfsuite_confluence.core.elements import Element

_QUOTED: Final = re.compile(r"^( {0,3}(?:> ?){8})[> ]*", re.MULTILINE)
_GAP: Final = re.compile(r"(\n[ \t]*\n)")
# To look for the end of a link takes the package the length of the paragraph, for each bracket that opens one.
_MOST_SEARCH: Final = 400_000
_NEXT: Final = "Correct the report, or make it again by `create_performance_test_report`."


def to_html(markdown: str) -> Element:
    """The tree under a `div`."""
    from markdown import Markdown

    reader = Markdown(extensions=["tables", "sane_lists"], output_format="xhtml")
    reader.preprocessors.deregister("html_block")
    reader.inlinePatterns.deregister("html")
    try:
        html = reader.convert(_bounded(markdown))
        return lxml_html.fragment_fromstring(html, create_parent="div")
    except RecursionError:
        raise BadFile("A part of the report is nested too deeply to be read.", next_step=_NEXT) from None
    except (etree.LxmlError, ValueError) as error:
        raise BadFile(f"A part of the report cannot be read: {error}.", next_step=_NEXT) from None


def _bounded(markdown: str) -> str:
    """The same text, without what would keep the package busy for minutes."""
    parts = _GAP.split(_QUOTED.sub(r"\1", markdown))
    return "".join(part if place % 2 else _few_brackets(part) for place, part in enumerate(parts))


def _few_brackets(paragraph: str) -> str:
    if paragraph.lstrip().startswith("|"):
        return "\n".join(_bounded_brackets(line) for line in paragraph.split("\n"))
    return _bounded_brackets(paragraph)


def _bounded_brackets(text: str) -> str:
    if text.count("[") * len(text) <= _MOST_SEARCH:
        return text
    return re.sub(r"(?<!\\)\[", r"\\[", text)
