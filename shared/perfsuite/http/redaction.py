"""How addresses and other people's words may be shown."""

import logging
import re

import httpx

from perfsuite.settings import REDACTED, redact

_LONGEST_PATH = 200
_LONGEST_EXCERPT = 240
# The patterns below look back and forth, which on hostile text takes the square of its length.
_LONGEST_SEARCH = 4000
_USER = re.compile(r"://[^/\s\"'<>@]*@")
_QUERY_OF_URL = re.compile(r"(https?:/{1,3}[^\s\"'<>?]{0,2000})\?[^\s\"'<>]*", re.IGNORECASE)
_QUERY = re.compile(r"\?[^\s\"'<>=?]*=[^\s\"'<>]*")
_NAME = r"[\w.-]{0,40}(?:signature|\bsig|token|secret|passw|credential|api[-_]?key)[\w.-]{0,40}"
_NAMED = re.compile(_NAME, re.IGNORECASE)
_CREDENTIAL = re.compile(rf"""({_NAME}(?:=|["']\s?:\s?["']))[^\s&"'<>]+""", re.IGNORECASE)
_LIBRARY_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)


def shown_url(url: httpx.URL) -> str:
    """The address without user, query or fragment: signed links carry their key there."""
    path = url.raw_path.decode("ascii").partition("?")[0]
    host = f"{url.scheme}://{url.netloc.decode('ascii')}"
    return redact(host) + _cut(redact(path), _LONGEST_PATH)


def excerpt(text: str, limit: int = _LONGEST_EXCERPT) -> str:
    """Somebody else's words, fit for an error: one short line, no control characters, no secrets, no signed links."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = _USER.sub("://", redact(line)[:_LONGEST_SEARCH])
    line = _QUERY_OF_URL.sub(rf"\1?{REDACTED}", line)
    line = _QUERY.sub(f"?{REDACTED}", line)
    return _cut(_CREDENTIAL.sub(rf"\1{REDACTED}", line), limit)


def excerpt_about(url: httpx.URL, text: str) -> str:
    """The same for words about this address, which may repeat what signs it."""
    for name, value in url.params.multi_items():
        if value and _NAMED.fullmatch(name):
            text = text.replace(value, REDACTED)
    return excerpt(text)


def mute_libraries() -> None:
    """Drop what httpx and httpcore log: whole addresses with signatures, and headers with cookies and redirects."""
    for name in _LIBRARY_LOGGERS:
        logging.getLogger(name).addFilter(_drop)


def _drop(_: logging.LogRecord) -> bool:
    return False


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
