"""Elements that run code or commands, or write files, on the machine that makes the load.

Code also hides in functions of any property, in JavaScript conditions, in the classpath of a plan, and in properties of
JMeter that name scripts. Each danger has a fingerprint of what it would do, by which a person can allow exactly that.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Final

from perfsuite_jmeter.core.jmx import Element, Located, Property, Record
from perfsuite_jmeter.core.plans.running import Plan
from perfsuite_jmeter.core.plans.scope import texts
from perfsuite_jmeter.core.properties import Call, calls

FORBIDDEN_BY_DEFAULT: Final = ("SystemSampler", "BeanShell*", "JSR223*", "BSF*")

# A function is as dangerous as the element that does the same.
_FUNCTIONS: Final = {
    "__groovy": "JSR223Function",
    "__javaScript": "JSR223Function",
    "__jexl": "JSR223Function",
    "__jexl2": "JSR223Function",
    "__jexl3": "JSR223Function",
    "__BeanShell": "BeanShellFunction",
    "__StringToFile": "StringToFileFunction",
}
# Properties by which JMeter runs scripts when it starts, takes other jars, or takes one class for another.
_LOADING: Final = (
    "*.init", "*.init.file", "beanshell.*", "groovy.utilities", "user.classpath", "search_paths",
    "plugin_dependency_paths", "saveservice_properties", "upgrade_properties", "user.properties", "system.properties",
    "classfinder.*",
)  # fmt: skip
_WRITING: Final = frozenset({"ResultSaver"})
_FOREIGN_CODE: Final = frozenset({"JavaSampler", "JUnitSampler", "BackendListener"})
_OWN_CODE: Final = "org.apache.jmeter."
_CLASSPATH: Final = "TestPlan.user_define_classpath"
_CONDITION: Final = "IfController.condition"
# Comparisons of texts, numbers and references: JavaScript in which nothing can be called.
_COMPARISON: Final = re.compile(
    r"(?:\s+|\"[^\"\\]*\"|'[^'\\]*'|\$\{[\w.-]+\}|[0-9.]+|true|false|null|[=!]==?|[<>]=?|&&|\|\||[!()+*%-])*"
)


@dataclass(frozen=True)
class Dangerous:
    kind: str
    located: Located
    fingerprint: str


def dangers(plan: Plan, scripts: Mapping[str, str]) -> Iterator[Dangerous]:
    """Everything that would run code. `scripts` has the hash of each script file, by the name the plan gives it."""
    for one in plan.compiled:
        # JMeter compiles the functions of fragments that nothing borrows, and listeners among them are started.
        yield from _functions(one)
    for one in plan.active:
        element = one.element
        foreign = element.kind in _FOREIGN_CODE and not _class(element).startswith(_OWN_CODE)
        if foreign or element.kind in _WRITING or _is_dangerous(element.kind):
            yield Dangerous(element.kind, one, fingerprint(element, scripts))
        elif element.kind == "TestPlan" and element.text(_CLASSPATH).strip():
            yield Dangerous("JSR223Classpath", one, _hashed([(_CLASSPATH, element.text(_CLASSPATH))]))
        elif _is_script(element):
            yield Dangerous("JSR223Condition", one, _hashed([(_CONDITION, element.text(_CONDITION))]))


def loading_properties(names: Iterable[str]) -> list[str]:
    """Those of the given properties that make JMeter run or load something."""
    return sorted(name for name in names if any(fnmatchcase(name, one) for one in _LOADING))


def property_fingerprint(name: str, value: str, content: str) -> str:
    """What such a property does: its value, and the hash of the file that it names."""
    return _hashed([("property", name), ("value", value), ("file", content)])


def script_files(plan: Plan) -> list[str]:
    """The files whose content dangerous elements run."""
    found = (one.element for one in plan.active if _is_dangerous(one.element.kind))
    names = {name for one in found for key, name in texts(one) if key.lower().endswith("filename") and name.strip()}
    return sorted(names)


def is_forbidden(kind: str, forbidden: tuple[str, ...]) -> bool:
    """Whether a class is named, by its full name or its last word."""
    short = kind.rpartition(".")[2]
    return any(fnmatchcase(kind, one) or fnmatchcase(short, one) for one in forbidden)


def fingerprint(element: Element, scripts: Mapping[str, str]) -> str:
    """What an element does, whatever it is called: its class, its properties, and the files that it runs."""
    lines = [("class", element.class_name)]
    lines += [(name, text) for key, value in sorted(element.properties.items()) for name, text in _named(key, value)]
    files = [text for name, text in lines if text and name.lower().endswith("filename")]
    lines += [("file", scripts.get(file, "missing")) for file in files]
    return _hashed(lines)


def _named(key: str, value: Property) -> Iterator[tuple[str, str]]:
    if not key.startswith("TestElement.") and key != "TestPlan.comments":
        yield from texts(value, key)


def _hashed(lines: list[tuple[str, str]]) -> str:
    parts = [part for line in lines for part in line]
    # Lengths keep what stands in two properties from looking like what stands in one.
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")).hexdigest()


def _is_dangerous(kind: str) -> bool:
    return is_forbidden(kind, FORBIDDEN_BY_DEFAULT)


def _class(element: Record) -> str:
    names = (element.properties.get(name) for name in ("classname", "junitSampler.classname"))
    return next((name for name in names if isinstance(name, str) and name), "")


def _is_script(element: Element) -> bool:
    if element.kind != "IfController" or element.flag("IfController.useExpression"):
        return False
    return not _COMPARISON.fullmatch(element.text(_CONDITION))


def _functions(located: Located) -> Iterator[Dangerous]:
    found: dict[str, Dangerous] = {}
    for _, text in texts(located.element):
        for call in calls(text):
            if kind := _FUNCTIONS.get(call.name):
                hashed = _hashed([(call.name, _written(call))])
                found.setdefault(hashed, Dangerous(kind, located, hashed))
    yield from found.values()


def _written(call: Call) -> str:
    return repr(call.arguments)
