"""The simple forms of CQL: comparisons joined by AND and OR, with parentheses, and an order."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.wiki import Page, Wiki

Test = Callable[[Page], bool]

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<mark>!=|!~|>=|<=|[=~<>(),])|(?P<word>[^\s"'=~!<>(),]+))"""
)
_ESCAPED: Final = re.compile(r"\\(.)")
_ORDER: Final = re.compile(r"\s+order\s+by\s+(?P<field>\w+)(?:\s+(?P<way>asc|desc))?\s*$", re.IGNORECASE)
_WORD: Final = re.compile(r"[\w*]+")
_LONGEST: Final = 4000
_DEEPEST: Final = 30


@dataclass(frozen=True)
class Token:
    kind: str
    text: str

    @property
    def word(self) -> str:
        """What it means as a word of the language; a quoted text means none."""
        return self.text.lower() if self.kind != "text" else ""


def search(wiki: Wiki, query: str) -> list[Page]:
    """The current pages that a query describes, in its order."""
    if not query.strip() or len(query) > _LONGEST:
        raise Refusal(400, "Could not parse cql : a query is needed")
    order = _ORDER.search(query)
    tokens = _tokens(query[: order.start()] if order else query)
    test = _Reader(wiki, tokens).whole() if tokens else lambda _: True
    found = [page for page in wiki.found() if test(page)]
    return _ordered(found, order["field"].lower(), (order["way"] or "asc").lower()) if order else found


class _Reader:
    """Reads a query from left to right."""

    def __init__(self, wiki: Wiki, tokens: list[Token]) -> None:
        self._wiki = wiki
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def whole(self) -> Test:
        found = self._any_of()
        if self._place < len(self._tokens):
            raise _unreadable(self._tokens[self._place].text)
        return found

    def _any_of(self) -> Test:
        tests = [self._all_of()]
        while self._take("or"):
            tests.append(self._all_of())
        return lambda page: any(test(page) for test in tests)

    def _all_of(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return lambda page: all(test(page) for test in tests)

    def _one(self) -> Test:
        if self._take("not"):
            refused = self._one()
            return lambda page: not refused(page)
        if self._take("("):
            return self._grouped()
        name = self._next().word
        is_not = self._take("not")
        sign = self._next().word
        values = self._values(sign)
        return _comparison(self._wiki, name, f"not {sign}" if is_not else sign, values)

    def _grouped(self) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _unreadable("(")
        found = self._any_of()
        self._depth -= 1
        self._must(")")
        return found

    def _values(self, sign: str) -> list[str]:
        if sign != "in":
            return [self._next().text]
        self._must("(")
        values = [self._next().text]
        while self._take(","):
            values.append(self._next().text)
        self._must(")")
        return values

    def _next(self) -> Token:
        if self._place >= len(self._tokens):
            raise _unreadable("<EOF>")
        self._place += 1
        return self._tokens[self._place - 1]

    def _take(self, word: str) -> bool:
        found = self._place < len(self._tokens) and self._tokens[self._place].word == word
        self._place += found
        return found

    def _must(self, word: str) -> None:
        if not self._take(word):
            raise _unreadable(self._next().text)


def _comparison(wiki: Wiki, name: str, sign: str, values: list[str]) -> Test:
    read = _FIELDS.get(name)
    if read is None:
        raise Refusal(400, f"Could not parse cql : {name[:80]!r} is no field that this stand-in knows")
    wanted = {value.casefold() for value in values}

    def matches(page: Page) -> bool:
        return any(value.casefold() in wanted for value in read(wiki, page))

    def contains(page: Page) -> bool:
        return any(_has_words(value, values[0]) for value in read(wiki, page))

    if sign in ("=", "in"):
        return matches
    if sign in ("!=", "not in"):
        return lambda page: not matches(page)
    if sign in ("~", "!~") and name in _TEXTS:
        return contains if sign == "~" else lambda page: not contains(page)
    raise Refusal(400, f"Could not parse cql : {sign[:80]!r} is no operator that this stand-in knows for {name!r}")


_FIELDS: Final[dict[str, Callable[[Wiki, Page], list[str]]]] = {
    "type": lambda _, __: ["page"],
    "space": lambda _, page: [page.space.key],
    "space.key": lambda _, page: [page.space.key],
    "title": lambda _, page: [page.title],
    "text": lambda _, page: [page.title, page.latest.body],
    "sitesearch": lambda _, page: [page.title, page.latest.body],
    "label": lambda _, page: page.labels,
    "id": lambda _, page: [str(page.id)],
    "content": lambda _, page: [str(page.id)],
    "parent": lambda _, page: [str(page.parent_id)],
    "ancestor": lambda wiki, page: [str(one.id) for one in wiki.ancestors(page)],
}
_TEXTS: Final = ("title", "text", "sitesearch")


def _has_words(text: str, wanted: str) -> bool:
    """Whether every word is there; a star stands for any end of it."""
    words = {word.casefold() for word in _WORD.findall(text)}
    for one in _WORD.findall(wanted):
        stem = one.casefold()
        found = any(word.startswith(stem.rstrip("*")) for word in words) if stem.endswith("*") else stem in words
        if not found:
            return False
    return True


def _ordered(found: list[Page], name: str, way: str) -> list[Page]:
    keys: dict[str, Callable[[Page], float | str]] = {
        "title": lambda page: page.title.casefold(),
        "created": lambda page: page.versions[0].at,
        "lastmodified": lambda page: page.latest.at,
        "id": lambda page: page.id,
    }
    if name not in keys:
        raise Refusal(400, f"Could not parse cql : {name[:80]!r} is no order")
    return sorted(found, key=keys[name], reverse=way == "desc")


def _tokens(query: str) -> list[Token]:
    place, found, query = 0, [], query.rstrip()
    while place < len(query):
        match = _TOKEN.match(query, place)
        if match is None:
            raise _unreadable(query[place : place + 20])
        kind = str(match.lastgroup)
        text = match[kind]
        found.append(Token(kind, _ESCAPED.sub(r"\1", text[1:-1]) if kind == "text" else text))
        place = match.end()
    return found


def _unreadable(text: str) -> Refusal:
    return Refusal(400, f"Could not parse cql : unexpected {text[:80]!r}")
