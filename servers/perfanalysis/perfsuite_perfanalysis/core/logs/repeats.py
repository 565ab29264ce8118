"""Events that stand in several files: a query of its own finds again what another one wrote."""

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

_SAID: Final = ("timestamp_utc", "service", "host", "message")
_DIGEST_BYTES: Final = 8


class Repeats:
    """Knows the events of the files before.

    An event without an id is known by what it says, and a service may say the same twice in a millisecond: such
    events count as often as they stand in the file that has most of them.
    """

    def __init__(self) -> None:
        self._before: dict[int, int] = {}
        self._here = Counter[int]()

    def begin_file(self) -> None:
        """Whatever comes from now on stands in another file."""
        self._here.clear()

    def is_repeat(self, row: Mapping[str, str]) -> bool:
        """Whether an event was counted already."""
        named = row.get("id", "")
        key = _key("id", named) if named else _key(*(row.get(column, "") for column in _SAID))
        self._here[key] += 1
        times = 1 if named else self._here[key]
        if times <= self._before.get(key, 0):
            return True
        self._before[key] = times
        return False


def _key(*parts: str) -> int:
    text = "\0".join(parts).encode("utf-8", errors="replace")
    return int.from_bytes(blake2b(text, digest_size=_DIGEST_BYTES).digest())
