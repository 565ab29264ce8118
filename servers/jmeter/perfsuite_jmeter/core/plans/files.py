"""The files that a plan reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from perfsuite_jmeter.core.jmx import Located, Record
from perfsuite_jmeter.core.plans.running import Plan
from perfsuite_jmeter.core.plans.scope import csv_files, texts
from perfsuite_jmeter.core.properties import Call, Scope, Unresolved, argument, calls, resolve

_READING: Final = frozenset({"__CSVRead", "__StringFromFile", "__FileToString", "__XPath"})


@dataclass(frozen=True)
class Needed:
    """A file, or the expression that names it where it cannot be resolved."""

    path: str | None
    given_as: str
    located: Located


def needed_files(plan: Plan, scope: Scope) -> list[Needed]:
    """Every file once."""
    found: dict[tuple[str | None, str], Needed] = {}
    for one, text in _named(plan):
        path = resolve(text, scope)
        needed = Needed(None if isinstance(path, Unresolved) else path, text, one)
        found.setdefault((needed.path, "" if needed.path else text), needed)
    for one, call in _calls(plan):
        name = argument(call, 0, scope)
        # An alias of a file that another call opened begins with an asterisk.
        if isinstance(name, str) and not name.startswith("*"):
            found.setdefault((name, ""), Needed(name, name, one))
    return list(found.values())


def _named(plan: Plan) -> Iterator[tuple[Located, str]]:
    for one in csv_files(plan):
        yield one, one.element.text("filename")
    for one in plan.active:
        for record in _records(one.element.properties.get("HTTPsampler.Files")):
            path = record.properties.get("File.path")
            if isinstance(path, str) and path.strip():
                yield one, path


def _records(value: object) -> Iterator[Record]:
    inner = value.properties.get("HTTPFileArgs.files") if isinstance(value, Record) else ()
    yield from (one for one in inner if isinstance(one, Record)) if isinstance(inner, tuple) else ()


def _calls(plan: Plan) -> Iterator[tuple[Located, Call]]:
    for one in plan.active:
        for _, text in texts(one.element):
            for call in calls(text):
                if call.name in _READING:
                    yield one, call
