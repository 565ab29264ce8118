"""The variables of a plan: which ones are settled when it starts, and which ones change while it runs."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from perfsuite_jmeter.core.jmx import Element, Located, Property, Record
from perfsuite_jmeter.core.plans.running import Plan
from perfsuite_jmeter.core.properties import Resolved, Scope, Unresolved, argument, calls, is_valid, resolve

_SETS: Final = re.compile(
    r"(?i)ref_?name|reference_?name|variable|returnval|varname|^UserParameters\.names$|^CounterConfig\.name$"
)
_SEPARATORS: Final = re.compile(r"[,;\t]")
_CSV: Final = frozenset({"CSVDataSet", "com.blazemeter.jmeter.RandomCSVDataSetConfig"})
_DEFINING: Final = frozenset({"TestPlan", "Arguments"})
_USER_DEFINED: Final = "TestPlan.user_defined_variables"
_FIRST: Final = frozenset({"__machineIP", "__machineName", "__samplerName"})
_SECOND: Final = frozenset(
    {
        "__property", "__split", "__StringFromFile", "__counter", "__time", "__groovy", "__BeanShell", "__javaScript",
        "__jexl", "__jexl2", "__jexl3", "__RandomFromMultipleVars", "__escapeOroRegexpChars",
    }
)  # fmt: skip
_LATER: Final = {
    "__Random": 2, "__RandomString": 2, "__FileToString": 2, "__changeCase": 2, "__dateTimeConvert": 3,
    "__RandomDate": 4, "__timeShift": 4, "__digest": 4, "__regexFunction": 5,
}  # fmt: skip
_SETS_NOTHING: Final = frozenset(
    {
        "__P", "__V", "__eval", "__evalVar", "__isPropDefined", "__isVarDefined", "__setProperty", "__log", "__logn",
        "__UUID", "__threadNum", "__threadGroupName", "__TestPlanName", "__urlencode", "__urldecode", "__escapeHtml",
        "__unescapeHtml", "__escapeXml", "__unescape", "__char", "__CSVRead", "__XPath", "__StringToFile",
    }
)  # fmt: skip


def csv_files(plan: Plan) -> Iterator[Located]:
    """Data sets that act."""
    return (one for one in plan.active if one.element.kind in _CSV)


def settled(plan: Plan, properties: Mapping[str, str], withheld: Collection[str] = ()) -> Scope:
    """What references resolve to while the test starts. The values of `withheld` properties are nobody's business."""
    scope = _with_changing_properties(plan, Scope(properties=properties))
    scope = replace(scope, changing_properties=frozenset({*scope.changing_properties, *withheld}))
    for one in plan.compiled:
        if one.element.kind in _DEFINING:
            scope = replace(scope, variables={**scope.variables, **_defined(one.element, scope)})
    return scope


def plan_scope(plan: Plan, start: Scope, headers: Mapping[str, tuple[str, ...]]) -> Scope:
    """What references resolve to as long as the test runs. `headers` has the first line of each data file, by the name
    that the plan gives it."""
    changes = _Changes(start)
    for one in plan.active:
        changes.collect(one, headers)
    scope = replace(start, changing=frozenset(changes.names), any_variable_changes=changes.any)
    for one in csv_files(plan):
        if _names_itself(one.element) and isinstance(resolve(one.element.text("filename"), scope), Unresolved):
            return replace(scope, any_variable_changes=_by_file(one))
    return scope


def _names_itself(element: Element) -> bool:
    """Whether a data set takes the names of its variables from its file."""
    return element.kind in _CSV and not element.text("variableNames").strip()


def _by_file(located: Located) -> str:
    return (
        f"{located.where} takes the names of its variables from {located.element.text('filename')!r}, which cannot be "
        "read."
    )


def _defined(element: Element, scope: Scope) -> dict[str, Resolved]:
    """The variables that an element defines. They see those of earlier elements, and not one another."""
    if element.kind == "TestPlan":
        record = element.properties.get(_USER_DEFINED)
        given = list(_arguments(record)) if isinstance(record, Record) else []
    else:
        given = list(_arguments(element)) if element.kind == "Arguments" else []
    # One expression that JMeter cannot read, and it resolves none of the element.
    readable = all("${" not in text or is_valid(text) for _, text in given)
    first: dict[str, Resolved] = {}
    for name, text in given:
        known = resolve(name, scope) if readable else name
        if isinstance(known, str):
            first.setdefault(known, resolve(text, scope) if readable else text)
    return first


def _arguments(record: Record) -> Iterator[tuple[str, str]]:
    values = record.properties.get("Arguments.arguments")
    for one in values if isinstance(values, tuple) else ():
        if isinstance(one, Record):
            yield _text(one, "Argument.name"), _text(one, "Argument.value")


def _text(record: Record, name: str) -> str:
    value = record.properties.get(name, "")
    return value if isinstance(value, str) else ""


def texts(value: Property | Record, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a property or an element, with the name of the property that holds it."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, tuple):
        for one in value:
            yield from texts(one, name)
    else:
        if isinstance(value, Element):
            yield "TestElement.name", value.name
        for inner, one in value.properties.items():
            yield from texts(one, inner)


def _with_changing_properties(plan: Plan, scope: Scope) -> Scope:
    names = set[str]()
    for one in plan.compiled:
        for _, text in texts(one.element):
            for call in calls(text):
                name = argument(call, 0, scope) if call.name == "__setProperty" else None
                if isinstance(name, Unresolved):
                    return replace(scope, any_property_changes=True)
                names |= {name} if name is not None else set()
    return replace(scope, changing_properties=frozenset(names))


@dataclass
class _Changes:
    """The names of variables that are set while the test runs."""

    scope: Scope
    names: set[str] = field(default_factory=set)
    any: str = ""

    def collect(self, located: Located, headers: Mapping[str, tuple[str, ...]]) -> None:
        element = located.element
        if _names_itself(element):
            self._header(located, headers)
        settles = element.kind in _DEFINING
        for name, text in texts(element):
            self._functions(located, text)
            if not settles and _SETS.search(name):
                self._add(located, resolve(text, self.scope))

    def _header(self, located: Located, headers: Mapping[str, tuple[str, ...]]) -> None:
        file = located.element.text("filename")
        if file in headers:
            self.names.update(headers[file])
        else:
            self.any = _by_file(located)

    def _functions(self, located: Located, text: str) -> None:
        for call in calls(text):
            position = _position(call.name, len(call.arguments))
            if position is not None and (name := argument(call, position, self.scope)) is not None:
                self._add(located, name)

    def _add(self, located: Located, name: Resolved) -> None:
        if isinstance(name, Unresolved):
            self.any = f"{located.where} names the variable that it sets by another one."
        else:
            self.names.update(one.strip() for one in _SEPARATORS.split(name) if one.strip())


def _position(function: str, count: int) -> int | None:
    """Which argument names the variable that a function sets. Of an unknown function it may be the last."""
    if function in _SETS_NOTHING:
        return None
    if function in _FIRST:
        return 0
    if function in _SECOND:
        return 1
    return _LATER.get(function, count - 1 if count > 1 else None)
