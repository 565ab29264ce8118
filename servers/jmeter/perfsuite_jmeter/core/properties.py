"""What `${...}` in a test plan becomes, as far as that is settled before the test runs.

The grammar and its escapes are JMeter's own, found by running it: a text is only touched where it holds a reference;
then a backslash before `$`, `,` or another backslash disappears, once for each level of nesting.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_ESCAPABLE: Final = "$,\\"
_DEEPEST: Final = 40
_LONGEST: Final = 10_000
# `__P` looks into Java's system properties as well. Some of these hold host names and URLs of strangers.
_SYSTEM: Final = re.compile(
    r"(java|javax|jdk|sun|com\.sun|os|user|file|path|line|native|stdout|stderr|stdin|http|https|ftp|socksProxy\w*|awt"
    r"|log4j2?|jmeter|jmeterengine|java_home|basedir|gopherProxySet|START|TESTSTART)(\..*)?",
)
_DEFAULT_OF_P: Final = "1"


@dataclass(frozen=True)
class Unresolved:
    """A value that only the running test has, and why."""

    reason: str


@dataclass(frozen=True)
class Variable:
    name: str


@dataclass(frozen=True)
class Call:
    name: str
    arguments: "tuple[Parts, ...]"


Part = str | Variable | Call
Parts = tuple[Part, ...]
Resolved = str | Unresolved


class InvalidExpression(ValueError):
    """JMeter would refuse the whole element. It never leaves this module."""


@dataclass(frozen=True)
class Scope:
    """The values that are known before the test runs."""

    properties: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Resolved] = field(default_factory=dict)
    changing: Collection[str] = ()
    any_variable_changes: str = ""
    changing_properties: Collection[str] = ()
    any_property_changes: bool = False

    def variable(self, name: str) -> Resolved:
        """The value of a variable, if nothing sets it while the test runs."""
        if self.any_variable_changes:
            return Unresolved(f"${{{name}}} may be set while the test runs: {self.any_variable_changes}")
        if any(name == one or name.startswith(f"{one}_") for one in self.changing):
            return Unresolved(f"${{{name}}} is set while the test runs")
        return self.variables.get(name, Unresolved(f"nothing defines ${{{name}}} before the test runs"))

    def property_value(self, name: str, default: str) -> Resolved:
        """The value of a property, or the default where it has none."""
        if self.any_property_changes or name in self.changing_properties:
            return Unresolved(f"the property {name!r} is set while the test runs")
        if name in self.properties:
            return self.properties[name].strip()
        if _SYSTEM.fullmatch(name):
            return Unresolved(f"{name!r} may be a property of the Java process")
        return default.strip()


class _Reader:
    """Characters one by one; after the last one, a backslash stands for itself, as in JMeter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def __iter__(self) -> Iterator[str]:
        while self._at < len(self._text):
            yield self.take()

    def take(self) -> str:
        if self._at >= len(self._text):
            return "\\"
        self._at += 1
        return self._text[self._at - 1]

    def skip_spaces(self) -> str:
        while self._at < len(self._text):
            if not (character := self.take()).isspace():
                return character
        return ""


def compiled(text: str, depth: int = 0) -> Parts:
    """The parts of a text. A text without references is one part, which is what JMeter leaves untouched."""
    if depth > _DEEPEST:
        raise InvalidExpression("references are nested too deeply")
    reader, parts, buffer, previous = _Reader(text), list[Part](), "", ""
    for character in reader:
        if character == "\\":
            following = reader.take()
            buffer += following if following in _ESCAPABLE else "\\" + following
            previous = ""
        elif character == "{" and previous == "$":
            parts += [buffer[:-1]] if buffer[:-1] else []
            buffer, previous = "", ""
            parts.append(_reference(reader, depth))
        else:
            buffer += character
            previous = character
    parts += [buffer] if buffer else []
    return tuple(parts) or ("",)


def _reference(reader: _Reader, depth: int) -> Part:
    name, previous = "", " "
    for character in reader:
        if character == "\\":
            name += reader.take()
            previous = " "
        elif character == "(" and previous != " " and name.strip().startswith("__"):
            arguments = tuple(compiled(one, depth + 1) for one in _arguments(reader))
            if reader.skip_spaces() != "}":
                raise InvalidExpression(f"the call of {name.strip()!r} is not closed by a brace")
            return Call(name.strip(), arguments)
        elif character == "}":
            return Call(name, ()) if name.startswith("__") else Variable(name)
        else:
            name += character
            previous = character
    # JMeter takes what follows an open brace as it is.
    return name


def _arguments(reader: _Reader) -> list[str]:
    arguments, buffer, previous, braces, parentheses = list[str](), "", " ", 0, 0
    for character in reader:
        if character == "\\":
            buffer += character + reader.take()
            previous = " "
            continue
        if braces == 0 and character == ",":
            arguments.append(buffer)
            buffer = ""
            continue
        if braces == 0 and parentheses == 0 and character == ")":
            return [*arguments, buffer] if arguments or buffer else []
        braces += (character == "{" and previous == "$") - (character == "}" and braces > 0)
        if braces == 0:
            parentheses += (character == "(") - (character == ")" and parentheses > 0)
        buffer += character
        previous = character
    raise InvalidExpression("a list of arguments is not closed")


def resolve(text: str, scope: Scope, depth: int = 0) -> Resolved:
    """What JMeter makes of a text when the test begins."""
    if "${" not in text:
        return text
    if depth > _DEEPEST:
        return Unresolved("references lead to one another without end")
    try:
        parts = compiled(text, depth)
    except InvalidExpression as error:
        return Unresolved(f"{_shown(text)} is not a valid expression: {error}")
    if not _is_dynamic(parts):
        return text
    return _joined(parts, scope, depth)


def calls(text: str) -> Iterator[Call]:
    """Every function that a text calls, the nested ones included. Of a text that is no expression, none."""
    if "${" not in text:
        return
    try:
        yield from _calls(compiled(text))
    except InvalidExpression:
        return


def is_valid(text: str) -> bool:
    """Whether JMeter can read the references of a text. If not, it replaces none in the whole element."""
    try:
        return all(one.name not in _NEEDS_ARGUMENTS or _fits(one) for one in _calls(compiled(text)))
    except InvalidExpression:
        return False


def argument(call: Call, position: int, scope: Scope) -> Resolved | None:
    """One argument of a call."""
    return _joined(call.arguments[position], scope, 1) if position < len(call.arguments) else None


def _is_dynamic(parts: Parts) -> bool:
    return len(parts) > 1 or not isinstance(parts[0], str)


def _calls(parts: Parts) -> Iterator[Call]:
    for part in parts:
        if isinstance(part, Call):
            yield part
            for one in part.arguments:
                yield from _calls(one)


def _joined(parts: Parts, scope: Scope, depth: int) -> Resolved:
    text = ""
    for part in parts:
        value = part if isinstance(part, str) else _value(part, scope, depth)
        if isinstance(value, Unresolved):
            return value
        text += value
        if len(text) > _LONGEST:
            return Unresolved("the value is longer than any host or number")
    return text


def _value(part: Variable | Call, scope: Scope, depth: int) -> Resolved:
    if isinstance(part, Variable):
        return scope.variable(part.name)
    if part.name not in _NEEDS_ARGUMENTS:
        return Unresolved(f"{part.name!r} is worked out while the test runs")
    if not _fits(part):
        return Unresolved(f"{part.name!r} is called with {len(part.arguments)} arguments")
    values = list[str]()
    for one in part.arguments:
        value = _joined(one, scope, depth)
        if isinstance(value, Unresolved):
            return value
        values.append(value)
    return _called(part.name, values, scope, depth)


# The least and the most arguments of the functions that can be worked out beforehand.
_NEEDS_ARGUMENTS: Final = {"__P": (1, 2), "__property": (1, 3), "__V": (1, 2), "__eval": (1, 1), "__evalVar": (1, 1)}


def _fits(call: Call) -> bool:
    least, most = _NEEDS_ARGUMENTS[call.name]
    return least <= len(call.arguments) <= most


def _called(name: str, values: list[str], scope: Scope, depth: int) -> Resolved:
    match name:
        case "__P":
            return scope.property_value(values[0], values[1] if len(values) > 1 else _DEFAULT_OF_P)
        case "__property":
            return scope.property_value(values[0], values[2] if len(values) > 2 else values[0])
        case "__V":
            return scope.variable(values[0].strip())
        case "__evalVar":
            value = scope.variable(values[0])
            return value if isinstance(value, Unresolved) else resolve(value, scope, depth + 1)
        case _:
            return resolve(values[0], scope, depth + 1)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:79]}…")
