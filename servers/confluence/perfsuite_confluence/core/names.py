"""Titles and labels that Confluence takes."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from perfsuite.samples.rows import printable

LONGEST_TITLE: Final = 255
_LONGEST_LABEL: Final = 100
_NO_LABEL: Final = re.compile(r"[^\w.-]+")
_EDGES: Final = "-._"


def title_of(text: str) -> str:
    """A title: any characters that show, on one line, cut to what Confluence takes."""
    return printable(" ".join(unicodedata.normalize("NFC", text).split()), LONGEST_TITLE)


def labels_of(words: Sequence[str]) -> list[str]:
    """Labels in the characters that they may have: small letters, digits, dots and dashes."""
    made = (_NO_LABEL.sub("-", word.strip().casefold()).strip(_EDGES)[:_LONGEST_LABEL] for word in words)
    return list(dict.fromkeys(filter(None, made)))
