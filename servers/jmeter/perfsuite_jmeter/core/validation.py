"""Everything that can be said about a plan without running it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from perfsuite_jmeter.core.guardrails import Work
from perfsuite_jmeter.core.jmx import Element, Property, Record, Tree
from perfsuite_jmeter.core.plans.advice import advice
from perfsuite_jmeter.core.plans.classes import missing_classes, plugin_of
from perfsuite_jmeter.core.plans.dangers import Dangerous, dangers, script_files
from perfsuite_jmeter.core.plans.expansion import Broken, expanded
from perfsuite_jmeter.core.plans.files import Needed, needed_files
from perfsuite_jmeter.core.plans.groups import read_group
from perfsuite_jmeter.core.plans.rates import with_rate
from perfsuite_jmeter.core.plans.running import Plan
from perfsuite_jmeter.core.plans.scope import csv_files, plan_scope, settled
from perfsuite_jmeter.core.plans.targets import grouped, reached
from perfsuite_jmeter.core.properties import is_valid, resolve
from perfsuite_jmeter.models.plan import Finding, MissingClass, Target, ThreadGroup

_SHOWN: Final = 80
_MOST_WRONG: Final = 5


@dataclass(frozen=True)
class Surroundings:
    """What a plan finds beside itself."""

    properties: Mapping[str, str]
    withheld: frozenset[str] = frozenset()
    included: Mapping[str, Tree] = field(default_factory=dict)
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    classes: frozenset[str] | None = None


@dataclass(frozen=True)
class Facts:
    """What a plan is and does."""

    tree: Tree
    groups: list[ThreadGroup]
    serialized: bool
    targets: list[Target]
    files: list[Needed]
    missing: list[MissingClass]
    dangers: list[Dangerous]
    broken: list[Broken]
    findings: list[Finding]
    elements: dict[str, int]
    disabled: int

    def work(self, generators: int) -> Work:
        return Work(self.groups, self.serialized, generators)


@dataclass(frozen=True)
class Wanted:
    """The files that must be looked into before a plan can be judged."""

    headers: Mapping[str, str]
    scripts: tuple[str, ...]


def wanted_files(tree: Tree, around: Surroundings) -> Wanted:
    """Data files by the name that the plan gives them, and script files."""
    plan = Plan(expanded(tree, around.included, around.properties)[0])
    scope = settled(plan, around.properties, around.withheld)
    given = {one.element.text("filename") for one in csv_files(plan)}
    paths = {name: resolve(name, scope) for name in sorted(given)}
    headers = {name: path for name, path in paths.items() if isinstance(path, str)}
    return Wanted(headers, tuple(script_files(plan)))


def examine(tree: Tree, around: Surroundings) -> Facts:
    """Work out everything."""
    whole, broken = expanded(tree, around.included, around.properties)
    plan = Plan(whole)
    scope = plan_scope(plan, settled(plan, around.properties, around.withheld), around.headers)
    groups = [with_rate(read_group(one, scope), one, plan, scope) for one in plan.groups]
    return Facts(
        tree=whole,
        groups=groups,
        serialized=whole.plan.flag("TestPlan.serialize_threadgroups"),
        targets=grouped(reached(plan, scope)),
        files=needed_files(plan, scope),
        missing=_missing([tree, *around.included.values()], around.classes),
        dangers=list(dangers(plan, around.scripts)),
        broken=broken,
        findings=[*_broken(broken), *_unreadable(plan), *advice(plan, scope, groups)],
        elements=_inventory(plan),
        disabled=sum(not one.active for one in whole),
    )


def _inventory(plan: Plan) -> dict[str, int]:
    counts = Counter(one.element.kind for one in plan.active)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _missing(trees: Iterable[Tree], classes: frozenset[str] | None) -> list[MissingClass]:
    # JMeter makes disabled elements too, and gives up at the first one that it cannot make.
    wanted = {name for tree in trees for one in tree for name in _classes(one.element)}
    return [MissingClass(class_name=name, plugin=plugin_of(name)) for name in missing_classes(wanted, classes)]


def _classes(element: Element) -> Iterator[str]:
    yield element.class_name
    for value in element.properties.values():
        yield from _inner_classes(value)


def _inner_classes(value: Property) -> Iterator[str]:
    if isinstance(value, Record):
        if value.class_name:
            yield value.class_name
        for inner in value.properties.values():
            yield from _inner_classes(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _inner_classes(inner)


def _broken(broken: list[Broken]) -> Iterator[Finding]:
    for one in broken:
        message = f"The {one.located.element.kind} {one.message}."
        yield Finding(severity="error", code="broken_reference", message=message, where=one.located.where)


def _unreadable(plan: Plan) -> Iterator[Finding]:
    """Expressions that JMeter cannot read, upon which it resolves none of their element."""
    found = 0
    for one in plan.active:
        wrong = next(
            (text for text in one.element.properties.values() if isinstance(text, str) and _is_wrong(text)), None
        )
        if wrong is not None and found < _MOST_WRONG:
            found += 1
            message = f"{_cut(wrong)} is not a valid expression, and so JMeter resolves none of this element."
            yield Finding(severity="warning", code="invalid_expression", message=message, where=one.where)


def _is_wrong(text: str) -> bool:
    return "${" in text and not is_valid(text)


def _cut(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")
