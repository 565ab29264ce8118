"""Queries that search logs and spans.

    service:web* -status:info @http.status_code:[500 TO 599] (timeout OR "connection refused") @duration:>=1000000

Terms beside each other must all hold. `@` begins the path of an attribute, anything else is a tag or a reserved name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from perfsuite.sandbox.datadog.scopes import QueryError

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<bracket>[()])|(?P<term>-?(?:@?[\w.*/-]+:)?(?:"[^"]*"|\[[^\]]*\]|[^\s()"\[\]]+|(?=\())))"""
)
_RANGE: Final = re.compile(r"\[\s*(\S+)\s+TO\s+(\S+)\s*\]")
_COMPARED: Final = re.compile(r"(>=|<=|>|<)(-?\d+(?:\.\d+)?)")
_DEEPEST: Final = 50
_LONGEST: Final = 10_000


@dataclass(frozen=True)
class Event:
    """A log line or a span, as far as searching goes."""

    at_ms: int
    number: int
    """What orders those of the same time."""
    reserved: Mapping[str, str]
    tags: tuple[str, ...]
    attributes: Mapping[str, Any]
    text: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, int]:
        return self.at_ms, self.number

    def values(self, facet: str) -> list[Any]:
        """What it has under a name; nothing where it has none."""
        if facet.startswith("@"):
            return _attribute(self.attributes, facet[1:])
        if facet in self.reserved:
            return [self.reserved[facet]]
        return [tag.partition(":")[2] for tag in self.tags if tag.startswith(f"{facet}:")]


Test = Callable[[Event], bool]


def read_search(text: str) -> Test:
    """The test that an event must pass."""
    if len(text) > _LONGEST:
        raise QueryError(f"a query has at most {_LONGEST} characters")
    tokens, place = [], 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None or found.end() == place:
            raise QueryError(f"invalid query near {text[place : place + 40]!r}")
        tokens.append(found[0].strip())
        place = found.end()
    if not tokens:
        return lambda _: True
    reader = _Reader(tokens)
    test = reader.any_of()
    if reader.place < len(tokens):
        raise QueryError(f"invalid query near {tokens[reader.place][:40]!r}")
    return test


@dataclass
class _Reader:
    tokens: list[str]
    place: int = 0
    depth: int = 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def any_of(self, facet: str = "") -> Test:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise QueryError("the query is nested too deeply")
        tests = [self._all_of(facet)]
        while self.peek() == "OR":
            self.place += 1
            tests.append(self._all_of(facet))
        self.depth -= 1
        return lambda event: any(test(event) for test in tests)

    def _all_of(self, facet: str) -> Test:
        tests = []
        while self.peek() not in ("", ")", "OR"):
            if self.peek() == "AND":
                self.place += 1
                continue
            tests.append(self._one(facet))
        if not tests:
            raise QueryError("invalid query: something is missing")
        return lambda event: all(test(event) for test in tests)

    def _one(self, facet: str) -> Test:
        word = self.peek()
        self.place += 1
        if word in ("NOT", "-"):
            return _not(self._one(facet))
        if word == "(":
            return self._closed(facet)
        if word.startswith("-") and len(word) > 1 and not facet:
            return _not(self._term(word[1:], facet))
        return self._term(word, facet)

    def _term(self, token: str, facet: str) -> Test:
        if token.endswith(":") and self.peek() == "(":
            self.place += 1
            return self._closed(token[:-1])
        return _term(facet, token) if facet else _with_facet(token)

    def _closed(self, facet: str) -> Test:
        test = self.any_of(facet)
        if self.peek() != ")":
            raise QueryError("invalid query: ')' is missing")
        self.place += 1
        return test


def _not(test: Test) -> Test:
    return lambda event: not test(event)


def _with_facet(token: str) -> Test:
    name, colon, value = token.partition(":")
    if token.startswith('"') or not colon:
        return _in_text(token.strip('"'))
    return _term(name, value)


def _in_text(words: str) -> Test:
    if words == "*":
        return lambda _: True
    pattern = f"*{words.lower().replace('[', '[[]')}*"
    return lambda event: fnmatchcase(event.text.lower(), pattern)


def _term(facet: str, value: str) -> Test:
    if found := _RANGE.fullmatch(value):
        return _between(facet, _bound(found[1], -1), _bound(found[2], 1))
    if found := _COMPARED.fullmatch(value):
        return _compared(facet, found[1], float(found[2]))
    pattern = value.strip('"').replace("[", "[[]")
    if facet == "message":
        return _in_text(value.strip('"'))
    return lambda event: any(fnmatchcase(_text(one), pattern) for one in event.values(facet))


def _bound(text: str, sign: int) -> float:
    try:
        return sign * float("inf") if text == "*" else float(text)
    except ValueError:
        raise QueryError(f"invalid range bound {text[:40]!r}") from None


def _between(facet: str, low: float, high: float) -> Test:
    return lambda event: any(low <= one <= high for one in _numbers(event, facet))


def _compared(facet: str, sign: str, limit: float) -> Test:
    compare: Callable[[float], bool] = {
        ">": lambda one: one > limit,
        "<": lambda one: one < limit,
        ">=": lambda one: one >= limit,
        "<=": lambda one: one <= limit,
    }[sign]
    return lambda event: any(compare(one) for one in _numbers(event, facet))


def _numbers(event: Event, facet: str) -> list[float]:
    found = []
    for value in event.values(facet):
        try:
            found.append(float(value))
        except (TypeError, ValueError):
            continue
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _attribute(attributes: Mapping[str, Any], path: str) -> list[Any]:
    found: Any = attributes
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return []
        found = found[part]
    return found if isinstance(found, list) else [found]
