"""What stands between the braces of a metric query: which series are meant.

    {*}   {a:b,c:d}   {service:web* AND NOT env:dev}   {host IN (a,b) OR host NOT IN (c)}   {!host:a}

A comma means AND, and binds as AND does. Wildcards stand for any characters.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

Tags = frozenset[str]
Test = Callable[[Tags], bool]

_TOKEN: Final = re.compile(r"\s*([(),!]|[^\s(),!{}][^\s(),{}]*)")
_WORDS: Final = frozenset({"AND", "OR", "NOT", "IN"})
_DEEPEST: Final = 50


class QueryError(Exception):
    """A query that cannot be understood, and where."""


@dataclass
class _Reader:
    tokens: list[str]
    place: int = 0
    depth: int = 0

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.place + ahead] if self.place + ahead < len(self.tokens) else ""

    def take(self) -> str:
        found = self.peek()
        self.place += 1
        return found

    def takes(self, *words: str) -> bool:
        if self.peek().upper() not in words:
            return False
        self.place += 1
        return True

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise QueryError(f"Rule 'scope_expr' didn't match: {token!r} expected")


def read_scope(text: str) -> Test:
    """The test that a series' tags must pass."""
    reader = _Reader(_TOKEN.findall(text))
    if not reader.tokens or _TOKEN.sub("", text).strip():
        raise QueryError(f"Rule 'scope_expr' didn't match at {text[:40]!r}")
    test = _any_of(reader)
    if reader.peek():
        raise QueryError(f"Rule 'scope_expr' didn't match at {reader.peek()[:40]!r}")
    return test


def _any_of(reader: _Reader) -> Test:
    reader.depth += 1
    if reader.depth > _DEEPEST:
        raise QueryError("Rule 'scope_expr' is nested too deeply")
    tests = [_all_of(reader)]
    while reader.takes("OR"):
        tests.append(_all_of(reader))
    reader.depth -= 1
    return tests[0] if len(tests) == 1 else lambda tags: any(test(tags) for test in tests)


def _all_of(reader: _Reader) -> Test:
    tests = [_one(reader)]
    while reader.takes("AND", ","):
        tests.append(_one(reader))
    return tests[0] if len(tests) == 1 else lambda tags: all(test(tags) for test in tests)


def _one(reader: _Reader) -> Test:
    negated = False
    while reader.takes("NOT", "!"):
        negated = not negated
    if reader.takes("("):
        test = _any_of(reader)
        reader.expect(")")
    else:
        test = _tag(reader)
    return (lambda tags: not test(tags)) if negated else test


def _tag(reader: _Reader) -> Test:
    name = reader.take()
    if not name or name.upper() in _WORDS or name in "(),!":
        raise QueryError(f"Rule 'scope_expr' didn't match at {name!r}")
    if name == "*":
        return lambda _: True
    negated = reader.peek().upper() == "NOT" and reader.peek(1).upper() == "IN"
    if negated:
        reader.take()
    if reader.takes("IN"):
        return _in(name, _listed(reader), negated=negated)
    pattern = name.lower()
    if "*" not in pattern:
        return lambda tags: pattern in tags
    return lambda tags: any(fnmatchcase(tag, pattern.replace("[", "[[]")) for tag in tags)


def _in(key: str, values: list[str], *, negated: bool) -> Test:
    tests = [_tag(_Reader([f"{key}:{value}"])) for value in values]
    return lambda tags: any(test(tags) for test in tests) != negated


def _listed(reader: _Reader) -> list[str]:
    reader.expect("(")
    values = [reader.take()]
    while reader.takes(","):
        values.append(reader.take())
    reader.expect(")")
    return values
