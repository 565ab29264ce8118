"""The words of a page, for whoever wants to know what is on it."""

import re
from html import unescape
from typing import Final

_CDATA: Final = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_PARAMETER: Final = re.compile(r"<ac:parameter [^<>]*ac:name=\"(?!title\")[^<>]*>[^<]*</ac:parameter>")
_STATUS: Final = re.compile(r'<ac:structured-macro [^<>]*ac:name="status"[^<>]*>(.{0,500}?)</ac:structured-macro>')
_BLOCK: Final = re.compile(r"</(?:p|h[1-6]|li|tr|ac:structured-macro)>|<br ?/?>")
_CELL: Final = re.compile(r"</t[dh]>")
_TAG: Final = re.compile(r"<[^<>]{0,2000}>")
_SPACES: Final = re.compile(r"[ \t\r\xa0]+")
_LINES: Final = re.compile(r" ?\n\s*")


def unbroken(text: str) -> str:
    """The text without the places where a line may end, and those where it may not, which were put in for the page."""
    return text.replace("\u200b", "").replace("\xa0", " ")


def plain_text(storage: str) -> str:
    """Text line by line, without macros and marks."""
    text = _CDATA.sub(lambda found: found[1].replace("&", "&amp;").replace("<", "&lt;"), storage)
    text = _STATUS.sub(r"\1", _PARAMETER.sub("", text))
    text = _BLOCK.sub("\n", _CELL.sub(" | ", text.replace("</p></td>", "</td>").replace("</p></th>", "</th>")))
    return _LINES.sub("\n", _SPACES.sub(" ", unbroken(unescape(_TAG.sub("", text))))).strip()
