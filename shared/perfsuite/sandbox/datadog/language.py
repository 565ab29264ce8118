"""Metric queries, as far as the stand-in speaks their language.

    expression := term (("+" | "-") term)*          term := factor (("*" | "/") factor)*
    factor     := "-" factor | number | "(" expression ")" | function "(" expression ")" | metric | name
    metric     := [aggregator ":"] metric "{" scope "}" ["by" "{" tags "}"] ("." method "(" arguments ")")*

A name stands for another query, in formulas alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from perfsuite.sandbox.datadog.scopes import QueryError, Test, read_scope

Fill = Literal["null", "zero", "last", "linear"]

FUNCTIONS: Final = frozenset({"default_zero", "abs"})
ROLLUPS: Final = frozenset({"avg", "sum", "min", "max", "count"})
AGGREGATORS: Final = frozenset({"avg", "sum", "min", "max", "count"})
_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
_METRIC: Final = re.compile(
    r"(?:(?P<aggregator>\w+(?:\.\d+)?):)?(?P<metric>[A-Za-z][\w.]*)\s*\{(?P<scope>[^{}]*)\}"
    r"(?:\s*by\s*\{(?P<by>[^{}]*)\})?"
)
_METHOD: Final = re.compile(r"\.(\w+)\(([^()]*)\)")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_LONGEST: Final = 20_000
_DEEPEST: Final = 100


@dataclass(frozen=True)
class MetricQuery:
    """One metric, aggregated over time and then over space."""

    text: str
    metric: str
    scope: str
    test: Test
    aggregator: str = "avg"
    by: tuple[str, ...] = ()
    rollup: str | None = None
    rollup_s: int | None = None
    fill: Fill | None = None
    fill_limit_s: int = 300
    counted_as: Literal["count", "rate"] | None = None

    @property
    def quantile(self) -> float | None:
        found = _PERCENTILE.fullmatch(self.aggregator)
        return float(found[1]) / 100 if found else None


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Function:
    name: str
    of: "Expression"


@dataclass(frozen=True)
class Operation:
    sign: str
    left: "Expression"
    right: "Expression"


Expression = MetricQuery | Number | Name | Function | Operation


def read_queries(text: str) -> list[Expression]:
    """The queries of a text in which commas part them."""
    reader = _Reader(text)
    found = [reader.expression()]
    while reader.takes(","):
        found.append(reader.expression())
    reader.end()
    return found


def read_formula(text: str, names: frozenset[str]) -> Expression:
    """A formula over named queries."""
    reader = _Reader(text, names)
    found = reader.expression()
    reader.end()
    return found


class _Reader:
    def __init__(self, text: str, names: frozenset[str] | None = None) -> None:
        if len(text) > _LONGEST:
            raise QueryError(f"a query has at most {_LONGEST} characters")
        self._text = text
        self._names = names
        self._place = 0
        self._depth = 0

    def expression(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError("it is nested too deeply")
        found = self._operations(self._term, "+-")
        self._depth -= 1
        return found

    def end(self) -> None:
        self._skip()
        if self._place < len(self._text):
            raise self._unmatched("end of query")

    def takes(self, signs: str) -> str:
        self._skip()
        sign = self._text[self._place : self._place + 1]
        if not sign or sign not in signs:
            return ""
        self._place += 1
        return sign

    def _operations(self, part: Callable[[], Expression], signs: str) -> Expression:
        left = part()
        while sign := self.takes(signs):
            left = Operation(sign, left, part())
        return left

    def _term(self) -> Expression:
        return self._operations(self._factor, "*/")

    def _factor(self) -> Expression:
        negative = False
        while self.takes("-"):
            negative = not negative
        found = self._part()
        return Operation("-", Number(0.0), found) if negative else found

    def _part(self) -> Expression:
        if self.takes("("):
            return self._until_closed()
        if number := self._match(_NUMBER):
            return Number(float(number[0]))
        if metric := self._match(_METRIC):
            return self._metric(metric)
        if name := self._match(_NAME):
            return self._named(name[0])
        raise self._unmatched("scope_expr")

    def _until_closed(self) -> Expression:
        found = self.expression()
        if not self.takes(")"):
            raise self._unmatched("')'")
        return found

    def _named(self, name: str) -> Expression:
        if self.takes("("):
            if name not in FUNCTIONS:
                raise QueryError(f"unknown function {name!r}")
            return Function(name, self._until_closed())
        if self._names is None or name not in self._names:
            raise self._unmatched("scope_expr") if self._names is None else QueryError(f"unknown query {name!r}")
        return Name(name)

    def _metric(self, found: re.Match[str]) -> MetricQuery:
        begin = found.start()
        aggregator = (found["aggregator"] or "avg").lower()
        if aggregator not in AGGREGATORS and not _PERCENTILE.fullmatch(aggregator):
            raise QueryError(f"unknown aggregator {aggregator!r}")
        by = tuple(tag.strip().lower() for tag in (found["by"] or "").split(",") if tag.strip())
        query = MetricQuery("", found["metric"], found["scope"].strip(), read_scope(found["scope"]), aggregator, by)
        while method := self._match(_METHOD):
            query = _with_method(query, method[1], [one.strip() for one in method[2].split(",") if one.strip()])
        return replace(query, text=self._text[begin : self._place].strip())

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self._skip()
        found = pattern.match(self._text, self._place)
        if found:
            self._place = found.end()
        return found

    def _skip(self) -> None:
        while self._place < len(self._text) and self._text[self._place].isspace():
            self._place += 1

    def _unmatched(self, rule: str) -> QueryError:
        rest = self._text[self._place : self._place + 40]
        where = f"(line 1, column {self._place + 1})"
        return QueryError(f"unable to parse {self._text[:200]}: Rule {rule!r} didn't match at {rest!r} {where}.")


def _with_method(query: MetricQuery, name: str, arguments: list[str]) -> MetricQuery:
    match name, arguments:
        case "rollup", [how, *width]:
            return _rolled_up(query, how, width)
        case "fill", [("null" | "zero" | "last" | "linear") as fill, *limit]:
            return replace(query, fill=fill, fill_limit_s=int(limit[0]) if limit and limit[0].isdigit() else 300)
        case "as_count", []:
            return replace(query, counted_as="count")
        case "as_rate", []:
            return replace(query, counted_as="rate")
    raise QueryError(f"unable to parse .{name}({', '.join(arguments)})"[:200])


def _rolled_up(query: MetricQuery, how: str, width: list[str]) -> MetricQuery:
    if how.isdigit():
        how, width = "avg", [how]
    if how not in ROLLUPS or len(width) > 1 or (width and not (width[0].isdigit() and int(width[0]) > 0)):
        raise QueryError(f"unable to parse .rollup({', '.join([how, *width])})"[:200])
    return replace(query, rollup=how, rollup_s=int(width[0]) if width else query.rollup_s)
