"""The plan as it runs: included plans and the targets of Module Controllers put where they are used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from perfsuite.errors import LimitExceeded
from perfsuite_jmeter.core.jmx import MOST_ELEMENTS, Element, Located, Tree

FRAGMENT: Final = "TestFragmentController"
INCLUDE: Final = "IncludeController"
MODULE: Final = "ModuleController"
BORROWING: Final = frozenset({INCLUDE, MODULE})

_DEEPEST: Final = 20
_MOST_NESTED: Final = 300
_PATH: Final = "IncludeController.includepath"
_PREFIX: Final = "includecontroller.prefix"


@dataclass(frozen=True)
class Broken:
    """A controller whose content is not to be had."""

    located: Located
    message: str


def include_path(element: Element, properties: Mapping[str, str]) -> str:
    """The path as JMeter takes it: references in it are not resolved, for it is read before anything is."""
    return properties.get(_PREFIX, "") + element.text(_PATH)


def included_paths(tree: Tree, properties: Mapping[str, str]) -> list[str]:
    """The plans that a plan includes. Those that stand below a disabled element may be reached by a module."""
    found = (one.element for one in tree if one.element.kind == INCLUDE and one.element.enabled)
    return list(dict.fromkeys(include_path(one, properties) for one in found))


def expanded(tree: Tree, included: Mapping[str, Tree], properties: Mapping[str, str]) -> tuple[Tree, list[Broken]]:
    """The plan with everything in its place, and what is broken."""
    work = _Expansion(tree, included, properties)
    roots = tuple(work.expand(root, (), 0) for root in tree.roots)
    return replace(tree, roots=roots), work.broken


class _Expansion:
    def __init__(self, tree: Tree, included: Mapping[str, Tree], properties: Mapping[str, str]) -> None:
        self.broken: list[Broken] = []
        self._included = included
        self._properties = properties
        self._count = 0
        self._by_names: dict[tuple[str, ...], list[Element]] = {}
        for one in tree:
            self._by_names.setdefault(one.names, []).append(one.element)

    def expand(self, element: Element, above: tuple[Element, ...], depth: int) -> Element:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(above) > _MOST_NESTED:
            raise LimitExceeded(
                f"With what its modules and includes repeat, the plan has more than {MOST_ELEMENTS} elements or is "
                f"nested more than {_MOST_NESTED} deep.",
                next_step="Split the plan, or let fewer Module Controllers point to one another.",
            )
        if not element.enabled:
            return element
        children: Iterator[Element] = iter(element.children)
        if element.kind in BORROWING:
            depth += 1
            children = self._borrowed(Located(element, above), depth)
        inner = (*above, element)
        return replace(element, children=tuple(self.expand(child, inner, depth) for child in children))

    def _borrowed(self, located: Located, depth: int) -> Iterator[Element]:
        if depth > _DEEPEST:
            self.broken.append(Broken(located, "leads back to itself"))
        elif located.element.kind == INCLUDE:
            yield from self._from_file(located)
        else:
            yield from self._from_plan(located)

    def _from_file(self, located: Located) -> Iterator[Element]:
        path = include_path(located.element, self._properties)
        tree = self._included.get(path)
        if tree is None:
            self.broken.append(Broken(located, f"includes {path!r}, which cannot be read"))
            return
        # JMeter takes the first fragment, enabled or not, and nothing else.
        fragment = next((one for one in tree.plan.children if one.kind == FRAGMENT), None)
        if fragment is None:
            self.broken.append(Broken(located, f"includes {path!r}, which has no Test Fragment"))
            return
        yield from fragment.children

    def _from_plan(self, located: Located) -> Iterator[Element]:
        value = located.element.properties.get("ModuleController.node_path", ())
        names = tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()
        targets = self._by_names.get(names[1:], [])
        if not targets:
            self.broken.append(Broken(located, f"points to {' > '.join(names[1:])!r}, which the plan does not have"))
        yield from targets
