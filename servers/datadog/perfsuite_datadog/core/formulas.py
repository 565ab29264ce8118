"""Formulas over named queries: which names they use, and how several are asked for in one request."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from perfsuite.errors import BadInput
from perfsuite_datadog.core.catalog import Wanted
from perfsuite_datadog.models.timeseries import MetricQuery

# A name, but neither a function, nor a part of a number such as 1e9, nor a quoted argument.
_NAME: Final = re.compile(r"'[^']*'|\"[^\"]*\"|(?<![\w.])([A-Za-z_]\w*)(?!\w)(?!\s*\()")
_ROLLUP: Final = re.compile(r"\.rollup\(\s*(?:\w+\s*,\s*)?(\d{1,6})\s*\)")


def names_in(formula: str) -> set[str]:
    """The queries that a formula uses."""
    return {match[1] for match in _NAME.finditer(formula) if match[1]}


def refuse_unknown_names(key: str, formula: str, queries: Collection[str]) -> None:
    """Refuse a formula over a query that is not there, before anything is sent."""
    if unknown := sorted(names_in(formula) - set(queries)):
        raise BadInput(
            f"The formula {formula[:80]!r} of {key!r} uses {unknown[0]!r}, which is no query of it.",
            next_step=f"Use {', '.join(queries)}, or add the query in custom_queries.yaml.",
        )


def combined(wanted: Iterable[Wanted]) -> tuple[tuple[MetricQuery, ...], tuple[str, ...]]:
    """Every query once, under names that do not clash, and the formulas in terms of these."""
    names: dict[str, str] = {}
    formulas = []
    for one in wanted:
        own = {name: names.setdefault(query, f"q{len(names)}") for name, query in one.queries.items()}
        formulas.append(_renamed(one.formula, own))
    return tuple(MetricQuery(name, query) for query, name in names.items()), tuple(formulas)


def written_width_s(queries: Iterable[str]) -> int:
    """The widest rollup that the queries themselves ask for; 0 where none does."""
    return max((int(width) for query in queries for width in _ROLLUP.findall(query)), default=0)


def _renamed(formula: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: names.get(match[1] or "", match[0]), formula)
