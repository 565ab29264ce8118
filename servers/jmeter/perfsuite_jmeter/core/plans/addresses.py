"""Names and addresses of hosts, as Java takes them, and whether a pattern allows one.

Java reads `127.1` and `2130706433` as addresses, a leading zero as nothing special, and `0x7f.1` as a name; the C
library reads some of these differently. What the two could take for different hosts is no host here.
"""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

ANYTHING: Final = "*"
LOOPBACK: Final = ("localhost", "127.0.0.0/8", "::1")

_LONGEST: Final = 253
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]*")
_LOOKS_NUMERIC: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.ASCII)
_AUTHORITY: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)")
_HOST_AND_PORT: Final = re.compile(r"(?P<host>\[[^\[\]@]*\]|[^:\[\]@]*)(?::(?P<port>[0-9]*))?")
_PATTERN: Final = re.compile(r"[a-z0-9_*?-]+")


def canonical_host(host: str) -> str | None:
    """One spelling for each host, or None for what is none, or could be two."""
    text = host.strip().lower()
    if text.startswith("[") and text.endswith("]"):
        return _version_6(text[1:-1])
    if ":" in text:
        return _version_6(text)
    text = text.removesuffix(".") if text.isascii() else _ascii(text)
    parts = text.split(".")
    if _LOOKS_NUMERIC.fullmatch(parts[-1]):
        return _version_4(parts)
    return text if len(text) <= _LONGEST and _NAME.fullmatch(text) else None


def _ascii(text: str) -> str:
    try:
        return text.encode("idna").decode("ascii").removesuffix(".")
    except UnicodeError:
        return ""


def _version_6(text: str) -> str | None:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    # An address with a zone is that of one network card, and Java drops the zone of some.
    return None if address.scope_id else str(address.ipv4_mapped or address)


def _version_4(parts: list[str]) -> str | None:
    """An address in one to four numbers, the last of which fills what the others leave."""
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) and len(part) <= 10 for part in parts):
        return None
    *leading, last = map(int, parts)
    if any(number > 255 for number in leading) or last >= 256 ** (4 - len(leading)):
        return None
    return str(ipaddress.IPv4Address(sum(number << 8 * (3 - at) for at, number in enumerate(leading)) + last))


def is_loopback(host: str) -> bool:
    """Whether this machine is meant, whoever answers for names."""
    canonical = canonical_host(host) if host.isascii() else None
    if canonical is None:
        return False
    if canonical == "localhost":
        return True
    address = _address(canonical)
    return address is not None and address.is_loopback


def host_of_url(url: str) -> str | None:
    """The host that a URL leads to, or None for one that different readers would take to different hosts."""
    found = _AUTHORITY.match(url)
    authority = found["authority"] if found else ""
    if authority.count("@") > 1 or re.search(r"[\s\\%]", authority):
        return None
    return host_of_authority(authority.rpartition("@")[2])


def host_of_authority(text: str) -> str | None:
    """The host of `host`, `host:port` or `[address]:port`."""
    found = _HOST_AND_PORT.fullmatch(text.strip())
    return found["host"].strip("[]") or None if found else None


def is_allowed(host: str, patterns: Iterable[str]) -> bool:
    """Whether this machine is meant, or one of the patterns."""
    canonical = canonical_host(host)
    return canonical is not None and (is_loopback(host) or any(_matches(canonical, one) for one in patterns))


def _matches(host: str, pattern: str) -> bool:
    if pattern == ANYTHING:
        return True
    address = _address(host)
    if "/" in pattern:
        return address is not None and address in ipaddress.ip_network(pattern)
    return bool(_expression(pattern).fullmatch(host))


@lru_cache(maxsize=1_000)
def _expression(pattern: str) -> re.Pattern[str]:
    """`*` and `?` stay within a label, but for `*.` at the beginning, which stands for one label or more."""
    head, rest = ("(?:[^.]+\\.)+", pattern[2:]) if pattern.startswith("*.") else ("", pattern)
    body = "".join({"*": "[^.]*", "?": "[^.]"}.get(character, re.escape(character)) for character in rest)
    return re.compile(head + body)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def canonical_pattern(pattern: str) -> str:
    """A pattern in the spelling that hosts are compared in. ValueError says what is wrong with it."""
    text = pattern.strip().lower()
    if "://" in text:
        raise ValueError(f"expected a host without a scheme; found {pattern!r}")
    if "/" in text:
        return str(ipaddress.ip_network(text))
    if not {"*", "?"} & set(text):
        if (host := canonical_host(text)) is None:
            raise ValueError(f"expected a host, without a port, or a pattern with * and ?; found {pattern!r}")
        return host
    text = text.removesuffix(".") if text.isascii() else _ascii_pattern(text)
    if not all(map(_PATTERN.fullmatch, text.split("."))):
        raise ValueError(f"expected a host with * and ?, without a port; found {pattern!r}")
    return text


def _ascii_pattern(text: str) -> str:
    """The labels with wildcards as they are, the others as names are sent."""
    return ".".join(label if label.isascii() else _ascii(label) for label in text.split("."))
