"""The stand-in of Datadog at a time that stands still, and somebody with the right keys who asks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.datadog.curves import Corner
from perfsuite.sandbox.datadog.spec import API_KEY, APPLICATION_KEY, DatadogSpec
from perfsuite.sandbox.datadog.standin import DatadogStandIn
from perfsuite.sandbox.serving import serving
from perfsuite.sandbox.standins.application import Backstage

START: Final = 1_780_000_200
"""A multiple of 300 seconds."""
END: Final = START + 3600
KEYS: Final = {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APPLICATION_KEY}
LOAD: Final = (Corner(at=START, users=10), Corner(at=START + 1800, users=100), Corner(at=END, users=100))


async def _no_sleep(_: float) -> None:
    return


@dataclass
class Desk:
    standin: DatadogStandIn
    http: httpx.Client

    def query(self, query: str, begin: int = START, end: int = END) -> dict[str, Any]:
        answer = self.http.get("/api/v1/query", params={"from": begin, "to": end, "query": query})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def values(self, query: str, begin: int = START, end: int = END) -> list[float | None]:
        """The values of the only series."""
        [series] = self.query(query, begin, end)["series"]
        return [value for _, value in series["pointlist"]]

    def timeseries(self, *queries: str, formulas: tuple[str, ...] = (), **attributes: Any) -> httpx.Response:
        named = [{"data_source": "metrics", "name": chr(97 + place), "query": one} for place, one in enumerate(queries)]
        asked = {"from": START * 1000, "to": END * 1000, "queries": named}
        asked |= {"formulas": [{"formula": one} for one in formulas]} if formulas else {}
        body = {"data": {"type": "timeseries_request", "attributes": {**asked, **attributes}}}
        return self.http.post("/api/v2/query/timeseries", json=body)

    def logs(self, query: str = "*", **changes: Any) -> httpx.Response:
        body = {"filter": window(query), "sort": "timestamp", "page": {"limit": 1000}, **changes}
        return self.http.post("/api/v2/logs/events/search", json=body)

    def spans(self, query: str = "*", **changes: Any) -> httpx.Response:
        attributes = {"filter": window(query), "sort": "timestamp", "page": {"limit": 1000}, **changes}
        body = {"data": {"type": "search_request", "attributes": attributes}}
        return self.http.post("/api/v2/spans/events/search", json=body)

    def count_logs(self, query: str = "*", *facets: str, **changes: Any) -> list[dict[str, Any]]:
        groups = [{"facet": facet, "limit": 100} for facet in facets]
        body = {"compute": [{"aggregation": "count"}], "filter": window(query), "group_by": groups, **changes}
        answer = self.http.post("/api/v2/logs/analytics/aggregate", json=body)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["buckets"]
        return found


def window(query: str) -> dict[str, str]:
    return {"from": str(START * 1000), "to": str(END * 1000), "query": query}


@contextmanager
def desk_of(now: float = END + 60, **values: Any) -> Iterator[Desk]:
    """A stand-in of this spec, in a thread of this process."""
    spec = DatadogSpec.of({"corners": LOAD, **values})
    standin = DatadogStandIn(spec, Backstage(clock=Clock(lambda: now, _no_sleep)))
    with serving(standin.app()) as url, httpx.Client(base_url=url, headers=KEYS, trust_env=False, timeout=60) as http:
        yield Desk(standin, http)
