"""Error messages without their details, so that the same cause counts once."""

import re
from typing import Final

_MASKS: Final = (
    (re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE), "<url>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<uuid>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<ip>"),
    (re.compile(r"\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w])"), "<n>"),
    (re.compile(r"\s+"), " "),
)
_LONGEST: Final = 300


def masked(message: str) -> str:
    """The message with addresses, identifiers and numbers replaced by what they are."""
    if message.strip().isdigit():
        # A message that is nothing but a number is a code, as k6's are.
        return message.strip()[:_LONGEST]
    text = message[: 4 * _LONGEST]
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()[:_LONGEST]
