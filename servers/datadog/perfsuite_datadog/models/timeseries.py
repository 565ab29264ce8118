"""Metric queries as they are asked, and their answers."""

from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, FiniteFloat


class Unit(BaseModel):
    """A unit as Datadog gives it: `scale_factor` leads to the base unit of its family."""

    model_config = ConfigDict(frozen=True)

    name: str
    family: str = ""
    scale_factor: FiniteFloat = 1.0


@dataclass(frozen=True)
class MetricQuery:
    """A query and the name under which formulas use it."""

    name: str
    query: str


@dataclass(frozen=True)
class Question:
    """What is asked in one request."""

    queries: tuple[MetricQuery, ...]
    formulas: tuple[str, ...]
    start_ms: int
    end_ms: int
    interval_ms: int


@dataclass(frozen=True)
class Series:
    """The answer to one formula for one group. None means that there is no data, never zero."""

    formula: int
    group: dict[str, str]
    unit: Unit | None
    per: str | None
    values: tuple[float | None, ...]

    @property
    def unit_text(self) -> str | None:
        """The unit as files show it, such as `byte/second`."""
        if self.unit is None:
            return None
        return f"{self.unit.name}/{self.per}" if self.per else self.unit.name


@dataclass(frozen=True)
class Timeseries:
    """The answer to a question. All series share the times, which leave out buckets that nobody has data for."""

    times_ms: tuple[int, ...] = ()
    series: tuple[Series, ...] = ()


def only(answer: Timeseries, formula: int) -> Timeseries:
    """The part about one formula, at the times at which it has data."""
    series = [one for one in answer.series if one.formula == formula]
    places = [place for place in range(len(answer.times_ms)) if any(one.values[place] is not None for one in series)]
    return Timeseries(
        tuple(answer.times_ms[place] for place in places),
        tuple(replace(one, formula=0, values=tuple(one.values[place] for place in places)) for one in series),
    )
