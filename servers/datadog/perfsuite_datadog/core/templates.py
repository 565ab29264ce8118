"""Queries with placeholders: filled from the environment, and refused when they would look elsewhere."""

import re
from collections.abc import Mapping
from typing import Final

from perfsuite.errors import BadInput, Refused

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}]{0,60}?)\s*\}\}")
# `env:prod`, `env:"prod"`, `env IN (prod, dev)`; not `my-env:prod`, which is another tag.
_ENV_VALUE: Final = re.compile(r"(?<![\w.@])(?<!\w-)@?env\s*:\s*(\([^()]*\)|\"[^\"]*\"|[^\s,(){}]+)", re.IGNORECASE)
_ENV_IN: Final = re.compile(r"(?<![\w.@])(?<!\w-)@?env\s+(?:NOT\s+)?IN\s*\(([^()]*)\)", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"\s+OR\s+|[\s,()\"]+", re.IGNORECASE)


def filled(query: str, values: Mapping[str, str | None]) -> str:
    """The query with every placeholder replaced."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1])
        if found is not None:
            return found
        known = ", ".join(f"{{{{{name}}}}}" for name, text in values.items() if text is not None)
        why = "has no value here" if match[1] in values else "is not known"
        raise BadInput(f"The placeholder {match[0]!r} {why}.", next_step=f"Here, queries may use {known}.")

    return _PLACEHOLDER.sub(value, query)


def placeholders(query: str) -> frozenset[str]:
    """The names of the placeholders in a query."""
    return frozenset(match[1] for match in _PLACEHOLDER.finditer(query))


def told(name: str) -> str:
    """How an error speaks of a query."""
    return f"Query {name!r}" if name else "The `query`"


def whereabouts(name: str) -> str:
    """Where to correct a query."""
    return "the query in custom_queries.yaml" if name else "`query`"


def refuse_other_environment(query: str, env_tag: str, name: str) -> None:
    """Refuse a query that names another environment, even to exclude it: its numbers would not be this one's.

    It has a name where it stands in custom_queries.yaml, and none where it was given for one call.
    """
    found = [value for text in _mentions(query) for value in _BETWEEN.split(text) if value]
    other = next((value for value in found if value.lower() != env_tag.lower()), None)
    if other is not None:
        raise Refused(
            f"{told(name)} names the environment {other[:80]!r}, and {env_tag!r} is the one that was asked for. "
            "Nothing was sent.",
            next_step=f"Correct {whereabouts(name)}, or name the environment that it is for.",
        )


def _mentions(query: str) -> list[str]:
    return [match[1] for pattern in (_ENV_VALUE, _ENV_IN) for match in pattern.finditer(query)]
