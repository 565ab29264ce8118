"""custom_queries.yaml: queries of one's own, with placeholders that the environment fills."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from perfsuite.configuration import Configuration

QueryText = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]
QueryName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,59}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]{0,79}$")]


class EventQuery(Configuration):
    """A search over logs or spans."""

    description: str = ""
    query: QueryText


class NamedQuery(Configuration):
    """A metric query, and the name under which formulas use it."""

    name: QueryName
    query: QueryText


class Formula(Configuration):
    formula: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class KpiQuery(Configuration):
    """Metric queries and what is computed from them. Without formulas, each query is a series of its own."""

    description: str = ""
    scope: Literal["host", "k8s"]
    interval_ms: Annotated[int, Field(ge=1000, le=86_400_000)] | None = None
    queries: Annotated[tuple[NamedQuery, ...], Field(min_length=1, max_length=20)]
    formulas: Annotated[tuple[Formula, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        _refuse_twice("query name", (one.name for one in self.queries))
        _refuse_twice("formula", (one.formula for one in self.formulas))
        return self


class CustomQueries(Configuration):
    """The whole file."""

    log_queries: dict[Key, EventQuery] = Field(default_factory=dict)
    apm_queries: dict[Key, EventQuery] = Field(default_factory=dict)
    kpi_queries: dict[Key, KpiQuery] = Field(default_factory=dict)


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"each {what} should stand there once, and {twice[0]!r} stands there twice")
