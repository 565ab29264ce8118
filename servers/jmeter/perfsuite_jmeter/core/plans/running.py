"""Which elements of a plan act, in which thread group, and what surrounds each."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from perfsuite.errors import LimitExceeded
from perfsuite_jmeter.core.jmx import Element, Located, Tree
from perfsuite_jmeter.core.plans.expansion import FRAGMENT
from perfsuite_jmeter.models.plan import Phase

_MOST_SURROUNDINGS: Final = 2_000_000
# Elements that send nothing, by the last word of their class. Whatever else there is may send something.
_NOT_SAMPLERS: Final = (
    "Arguments", "Assertion", "AssertionTestElement", "Collector", "Config", "ConfigElement", "ConfigTestElement",
    "ConnectionElement", "Control", "Controller", "DataSet", "DataSourceElement", "Extractor", "Listener", "Logger",
    "Manager", "Model", "Modifier", "PostProcessor", "PreProcessor", "Processor", "Report", "ResultAction", "RunTime",
    "SampleTimeout", "Saver", "SourceElement", "Summariser", "TestPlan", "ThreadGroup", "Timer", "UserParameters",
    "Visualizer", "WorkBench", "Writer", "controller.ParallelSampler",
)  # fmt: skip
_PHASES: Final[dict[str, Phase]] = {"SetupThreadGroup": "setUp", "PostThreadGroup": "tearDown"}


def is_thread_group(element: Element) -> bool:
    """Whether it runs samplers. A class of unknown purpose that holds samplers might, so it counts as one."""
    if element.kind.endswith("ThreadGroup"):
        return element.kind != "ReflectionThreadGroup"
    return "." in element.kind and is_sampler(element) and any(map(_holds_samplers, element.children))


def _holds_samplers(element: Element) -> bool:
    return is_sampler(element) or element.kind.endswith("Controller")


def is_sampler(element: Element) -> bool:
    """Whether it sends requests, for all that is known: a class of unknown purpose counts as a sampler."""
    return not element.kind.endswith(_NOT_SAMPLERS)


@dataclass(frozen=True)
class Running:
    """A sampler in the thread group that runs it. One that stands beside the groups runs in each of them.

    `around` is what is in force for it, in the order in which JMeter applies it: the nearest first.
    """

    located: Located
    group: Located
    around: tuple[Element, ...]


@dataclass(frozen=True)
class Plan:
    """An expanded tree."""

    tree: Tree

    @cached_property
    def active(self) -> tuple[Located, ...]:
        """The elements that act: enabled, and not in a fragment that nothing borrows."""
        return tuple(one for one in self.compiled if not _dormant(one))

    @cached_property
    def compiled(self) -> tuple[Located, ...]:
        """The elements whose references JMeter resolves at the start, which includes those of fragments."""
        return tuple(one for one in self.tree if one.active)

    @cached_property
    def groups(self) -> tuple[Located, ...]:
        return tuple(one for one in self.active if is_thread_group(one.element))

    @cached_property
    def samplers(self) -> tuple[Running, ...]:
        found, size = list[Running](), 0
        for one in self._samplers():
            found.append(one)
            size += 1 + len(one.around)
            if size > _MOST_SURROUNDINGS:
                raise LimitExceeded(
                    f"The plan has more than {_MOST_SURROUNDINGS} pairs of a sampler and an element that acts on it.",
                    next_step="Put timers, assertions and managers into the samplers or controllers that need them.",
                )
        return tuple(found)

    @cached_property
    def samplers_by_group(self) -> dict[int, list[Running]]:
        """The samplers by the identity of the group that runs them."""
        found: dict[int, list[Running]] = {}
        for one in self.samplers:
            found.setdefault(id(one.group.element), []).append(one)
        return found

    def _samplers(self) -> Iterator[Running]:
        for one in self.active:
            if is_sampler(one.element):
                beside = len(one.above) == 1 and one.above[0] is self.tree.plan
                for group in self.groups if beside else _groups_above(one):
                    inside = () if beside else (*one.above[len(group.above) :], one.element)
                    chain = inside or (group.element,)
                    yield Running(one, group, tuple(self._around((self.tree.plan, *chain))))

    def _around(self, chain: tuple[Element, ...]) -> Iterator[Element]:
        for one in reversed(chain):
            if id(one) not in self._acting:
                self._acting[id(one)] = tuple(child for child in one.children if child.enabled and _acts(child))
            yield from self._acting[id(one)]

    @cached_property
    def _acting(self) -> dict[int, tuple[Element, ...]]:
        return {}


def _acts(element: Element) -> bool:
    """Whether it changes what samplers around it do. A Flow Control Action does, for it may be a pause."""
    return element.kind == "TestAction" or not (is_sampler(element) or element.kind.endswith("Controller"))


def _groups_above(one: Located) -> Iterator[Located]:
    return (Located(each, one.above[:at]) for at, each in enumerate(one.above) if is_thread_group(each))


def phase_of(element: Element) -> Phase:
    return _PHASES.get(element.kind, "main")


def _dormant(one: Located) -> bool:
    """Inside a fragment, with no thread group above it to run it."""
    chain = (*one.above, one.element)
    return any(each.kind == FRAGMENT for each in chain) and not any(map(is_thread_group, chain))
