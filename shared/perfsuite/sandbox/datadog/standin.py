"""The stand-in of Datadog: its routes for keys, metrics and hosts. Those for logs and spans are in `event_routes`."""

from functools import partial
from typing import Any, ClassVar, Final

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from perfsuite.sandbox.datadog.curves import Curve
from perfsuite.sandbox.datadog.event_routes import EVENT_ROUTES
from perfsuite.sandbox.datadog.limits import RateLimits
from perfsuite.sandbox.datadog.metric_answers import answer_scalar, answer_timeseries, answer_v1
from perfsuite.sandbox.datadog.refusals import Refusal, guarded, refused_v1
from perfsuite.sandbox.datadog.spec import DatadogSpec
from perfsuite.sandbox.datadog.windows import RETENTION_S, Window
from perfsuite.sandbox.datadog.world import World
from perfsuite.sandbox.standins.application import Backstage, StandIn
from perfsuite.sandbox.standins.faults import Fault
from perfsuite.sandbox.standins.journal import Credentials
from perfsuite.sandbox.standins.routes import RouteTable
from perfsuite.sandbox.standins.visits import Visit

_RETENTION: Final = "Queries ending outside the retention date are invalid"
_HEARD_OF_S: Final = 3 * 3600
_MOST_HOSTS: Final = 1000
_UNAUTHORIZED: Final = 401

METRIC_ROUTES: Final[RouteTable["DatadogStandIn"]] = RouteTable("datadog")


class DatadogStandIn(StandIn):
    """One organization: its hosts, services, logs and spans."""

    tables: ClassVar[tuple[RouteTable[Any], ...]] = (METRIC_ROUTES,)

    def __init__(
        self, spec: DatadogSpec | None = None, backstage: Backstage | None = None, curve: Curve | None = None
    ) -> None:
        """The load is what the spec says, unless a curve of it is given."""
        super().__init__(backstage)
        self.spec = spec or DatadogSpec()
        self.world = World(self.spec, curve)
        self.limits = RateLimits(self.spec)

    def credentials(self, request: Request) -> Credentials:
        sent = request.headers.get("dd-api-key"), request.headers.get("dd-application-key")
        if sent == (None, None):
            return "none"
        return "right" if sent == (self.spec.api_key, self.spec.application_key) else "wrong"

    def failure(self, status: int, message: str, *, http_status: int | None = None) -> Response:
        if status == _UNAUTHORIZED:
            return refused_v1()
        if http_status is not None:
            return JSONResponse({"status": "error", "error": message}, http_status)
        return JSONResponse({"errors": [message]}, status)

    def too_many(self, fault: Fault) -> Response:
        return self.limits.refused("global_org", self.clock.now(), fault.seconds)


METRIC_ROUTES.handlers.update(EVENT_ROUTES.handlers)


@METRIC_ROUTES.route("GET", "/api/v1/validate", name="validate", evidence="recorded", is_open=True)
async def validate(standin: DatadogStandIn, visit: Visit) -> Response:
    """Asks for the API key alone."""
    if visit.request.headers.get("dd-api-key") != standin.spec.api_key:
        return JSONResponse({"errors": ["API key required"]}, 403)
    return JSONResponse({"valid": True})


@METRIC_ROUTES.route("GET", "/api/v1/query", name="query", evidence="recorded")
@guarded("query", "timeseries_query")
async def query(standin: DatadogStandIn, visit: Visit) -> Response:
    begin, end, asked = visit.number("from"), visit.number("to"), visit.value("query")
    if begin is None or end is None or not asked:
        raise Refusal("The parameters 'from', 'to' and 'query' are required")
    window = _window(standin, begin, end)
    return JSONResponse(await to_thread.run_sync(answer_v1, standin.world, asked, window))


@METRIC_ROUTES.route(
    "POST", "/api/v2/query/timeseries", name="query_timeseries", evidence="specified",
    note="Recorded were one series without group and unit, an empty answer and a wrong type. Groups, several formulas, "
    "nulls, units other than percent and microsecond, refused queries and the rate limit were not.",
)  # fmt: skip
@guarded("global_org", "timeseries_query")
async def query_timeseries(standin: DatadogStandIn, visit: Visit) -> Response:
    attributes = _attributes(visit, "timeseries_request")
    window = _window(standin, _milliseconds(attributes, "from"), _milliseconds(attributes, "to"))
    interval = attributes.get("interval")
    if interval is not None and not (isinstance(interval, int) and interval > 0):
        raise Refusal("API input validation failed: interval is a positive number of milliseconds.")
    queries, formulas = _queries(attributes)
    texts = {name: str(one["query"]) for name, one in queries.items()}
    seconds = interval / 1000 if interval else None
    work = partial(answer_timeseries, standin.world, window, seconds, texts, formulas)
    return JSONResponse(await to_thread.run_sync(work), media_type="application/vnd.api+json")


@METRIC_ROUTES.route(
    "POST", "/api/v2/query/scalar", name="query_scalar", evidence="specified",
    note="Recorded were one number without group, empty answers and a window before retention; groups were not.",
)  # fmt: skip
@guarded("global_org", "timeseries_query")
async def query_scalar(standin: DatadogStandIn, visit: Visit) -> Response:
    attributes = _attributes(visit, "scalar_request")
    window = _window(standin, _milliseconds(attributes, "from"), _milliseconds(attributes, "to"))
    queries, formulas = _queries(attributes)
    texts = {name: str(one["query"]) for name, one in queries.items()}
    how = {name: str(one.get("aggregator", "avg")) for name, one in queries.items()}
    work = partial(answer_scalar, standin.world, window, how, texts, formulas)
    return JSONResponse(await to_thread.run_sync(work), media_type="application/vnd.api+json")


@METRIC_ROUTES.route("GET", "/api/v1/hosts", name="hosts", evidence="recorded")
@guarded(None, "hosts_read")
async def hosts(standin: DatadogStandIn, visit: Visit) -> Response:
    count, start = _bounded(visit, "count", 100), _bounded(visit, "start", 0)
    now = standin.clock.now()
    since = visit.number("from") or now - _HEARD_OF_S
    found = [
        host.told(min(now, host.spec.silent_from or now), with_metadata=visit.value("include_hosts_metadata") == "true")
        for host in standin.world.hosts
        if min(now, host.spec.silent_from or now) >= since and _is_meant(host.tags, visit.value("filter") or "")
    ]
    shown = found[start : start + count]
    total = {"total_matching": len(found), "total_returned": len(shown), "exact_total_matching": True}
    return JSONResponse({"host_list": shown, **total})


@METRIC_ROUTES.route("GET", "/api/v1/hosts/totals", name="host_totals", evidence="recorded")
@guarded(None, "hosts_read")
async def host_totals(standin: DatadogStandIn, _: Visit) -> Response:
    now = standin.clock.now()
    up = sum(host.spec.silent_from is None or host.spec.silent_from > now for host in standin.world.hosts)
    return JSONResponse({"total_up": up, "total_active": up})


@METRIC_ROUTES.route("GET", "/api/v1/metrics", name="metrics", evidence="specified", note="No answer was recorded.")
@guarded("metrics", "metrics_read")
async def metrics(standin: DatadogStandIn, visit: Visit) -> Response:
    begin, host = visit.number("from"), visit.value("host")
    if begin is None:
        raise Refusal("The parameter 'from' is required")
    names = [
        name
        for name in standin.world.metrics()
        if any(host is None or f"host:{host}" in source.tags for source in standin.world.sources(name))
    ]
    return JSONResponse({"from": str(begin), "metrics": names})


@METRIC_ROUTES.route(
    "GET", "/api/v1/metrics/{name}", name="metric", evidence="specified", note="No answer was recorded."
)
@guarded("metrics", "metrics_read")
async def metric(standin: DatadogStandIn, visit: Visit) -> Response:
    found = standin.world.metrics().get(visit.part("name"))
    if found is None:
        raise Refusal("metric_name not found", 404)
    per = found.per or ("second" if found.kind == "rate" else None)
    shown = {"type": found.kind, "unit": found.unit, "per_unit": per, "statsd_interval": None}
    return JSONResponse({**shown, "description": None, "short_name": None, "integration": found.integration})


def _window(standin: DatadogStandIn, begin: float, end: float) -> Window:
    now = standin.clock.now()
    if begin > end:
        raise Refusal("The window ends before it begins")
    window = Window(max(begin, now - RETENTION_S), end, now)
    if window.is_forgotten:
        raise Refusal(_RETENTION)
    return window


def _attributes(visit: Visit, kind: str) -> dict[str, Any]:
    data = visit.json().get("data")
    if not isinstance(data, dict) or data.get("type") != kind:
        raise Refusal(f'API input validation failed: Invalid type. Expected "{kind}".')
    attributes = data.get("attributes")
    if not isinstance(attributes, dict):
        raise Refusal("API input validation failed: attributes are required.")
    return attributes


def _milliseconds(attributes: dict[str, Any], name: str) -> float:
    value = attributes.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1e15:
        raise Refusal(f"API input validation failed: {name} is a number of milliseconds.")
    return value / 1000


def _queries(attributes: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    queries, formulas = attributes.get("queries"), attributes.get("formulas") or []
    if not isinstance(queries, list) or not queries or not all(isinstance(one, dict) for one in queries):
        raise Refusal("API input validation failed: queries are required.")
    if any(one.get("data_source") != "metrics" or not isinstance(one.get("query"), str) for one in queries):
        raise Refusal("API input validation failed: this stand-in answers the data source metrics alone.")
    named = {str(one.get("name") or f"query{place + 1}"): one for place, one in enumerate(queries)}
    if len(named) < len(queries) or not isinstance(formulas, list):
        raise Refusal("API input validation failed: names of queries must be unique.")
    return named, [str(one.get("formula") if isinstance(one, dict) else one) for one in formulas]


def _bounded(visit: Visit, name: str, default: int) -> int:
    text = visit.value(name)
    if text is None:
        return default
    if not text.isdigit() or (name == "count" and int(text) > _MOST_HOSTS):
        raise Refusal(f"The value provided for parameter '{name}' is invalid")
    return int(text)


def _is_meant(tags: frozenset[str], asked: str) -> bool:
    """Every word is a tag, or a part of the host's name."""
    names = [tag for tag in tags if tag.startswith("host:")]
    return all(word in tags or any(word in name for name in names) for word in asked.split())
