"""The routes that metrics, hosts and access are read by."""

from typing import Final

from pydantic import BaseModel, FiniteFloat, ValidationError, model_validator

from perfsuite.errors import AccessDenied, BadAnswer
from perfsuite_datadog.client.api import Datadog
from perfsuite_datadog.models.timeseries import Question, Series, Timeseries, Unit

TIMESERIES: Final = "/api/v2/query/timeseries"
HOSTS: Final = "/api/v1/hosts"
VALIDATE: Final = "/api/v1/validate"
MOST_HOSTS: Final = 1000
QUERY_SCOPE: Final = "timeseries_query"


class _Found(BaseModel):
    group_tags: list[str] | None = None
    query_index: int = 0
    unit: list[Unit | None] | None = None


class _Attributes(BaseModel):
    series: list[_Found] = []
    times: list[int] = []
    values: list[list[FiniteFloat | None]] = []

    @model_validator(mode="after")
    def _fit_together(self) -> "_Attributes":
        if len(self.values) != len(self.series) or any(len(row) != len(self.times) for row in self.values):
            raise ValueError("series, times and values are not of the same length")
        if any(later <= earlier for earlier, later in zip(self.times, self.times[1:], strict=False)):
            raise ValueError("times are not in order")
        return self


class _Data(BaseModel):
    attributes: _Attributes


class _Answer(BaseModel):
    data: _Data


class _KnownHost(BaseModel):
    name: str = ""
    host_name: str = ""
    aliases: list[str] | None = None


class _Hosts(BaseModel):
    host_list: list[_KnownHost]
    total_matching: int = 0


async def timeseries(datadog: Datadog, question: Question) -> Timeseries:
    """The answer to several metric queries at once."""
    attributes = {
        "from": question.start_ms,
        "to": question.end_ms,
        # Beside the attributes it would be ignored.
        "interval": question.interval_ms,
        "queries": [{"data_source": "metrics", "name": one.name, "query": one.query} for one in question.queries],
        "formulas": [{"formula": formula} for formula in question.formulas],
    }
    body = {"data": {"type": "timeseries_request", "attributes": attributes}}
    return read_timeseries(await datadog.post(TIMESERIES, body, scope=QUERY_SCOPE), len(question.formulas))


def read_timeseries(answer: object, formulas: int) -> Timeseries:
    """The series of an answer, or an error about its shape."""
    try:
        found = _Answer.model_validate(answer).data.attributes
        if any(not 0 <= one.query_index < formulas for one in found.series):
            raise _unusable(TIMESERIES, "a series belongs to no query")
    except ValidationError as error:
        raise _unusable(TIMESERIES, _first(error)) from None
    series = (_series(one, tuple(row)) for one, row in zip(found.series, found.values, strict=True))
    return Timeseries(times_ms=tuple(found.times), series=tuple(series))


async def known_hosts(datadog: Datadog, seen_since_s: int) -> set[str]:
    """Up to a thousand names and aliases of hosts that Datadog has seen since then."""
    params = {"count": MOST_HOSTS, "start": 0, "from": seen_since_s}
    answer = await datadog.get(HOSTS, scope="hosts_read", params=params)
    return read_hosts(answer)


def read_hosts(answer: object) -> set[str]:
    """The names in an answer about hosts."""
    try:
        found = _Hosts.model_validate(answer)
    except ValidationError as error:
        raise _unusable(HOSTS, _first(error)) from None
    return {name for host in found.host_list for name in (host.name, host.host_name, *(host.aliases or ())) if name}


async def api_key_is_valid(datadog: Datadog) -> bool:
    """Whether the API key belongs to this site. The application key is not looked at."""
    try:
        return (await datadog.get(VALIDATE, scope="none")).get("valid") is True
    except AccessDenied:
        return False


def _series(found: _Found, values: tuple[float | None, ...]) -> Series:
    pair = [*(found.unit or ()), None, None]
    group = dict(_tag(text) for text in found.group_tags or ())
    return Series(found.query_index, group, pair[0], pair[1].name if pair[1] else None, values)


def _tag(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    return (name, value) if colon else ("", name)


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"at {'.'.join(map(str, problem['loc'])) or 'the top'}, {problem['msg']}"


def _unusable(path: str, problem: str) -> BadAnswer:
    return BadAnswer(
        f"Datadog answered {path} in a form that cannot be used: {problem[:200]}.",
        next_step="Check DD_SITE and DATADOG_BASE_URL; if they are right, ask for a shorter window.",
    )
