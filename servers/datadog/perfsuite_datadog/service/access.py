"""What `check_datadog_access` does: one cheap question for each permission."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from perfsuite.errors import AccessDenied, PerfsuiteError
from perfsuite_datadog.client.api import Datadog
from perfsuite_datadog.client.metrics import api_key_is_valid, known_hosts, timeseries
from perfsuite_datadog.core.windows import Span, utc_text
from perfsuite_datadog.models.metrics import AccessCheck
from perfsuite_datadog.models.timeseries import MetricQuery, Question
from perfsuite_datadog.service.desk import Desk
from perfsuite_datadog.settings import SITES, DatadogSettings

_LOOK_BACK: Final = timedelta(minutes=5)
_LOGS: Final = "/api/v2/logs/events/search"
_SPANS: Final = "/api/v2/spans/events/search"
_SCOPES: Final = {
    "metrics": "timeseries_query",
    "hosts": "hosts_read",
    "logs": "logs_read_data",
    "spans": "apm_read",
}


async def check_datadog_access(desk: Desk) -> AccessCheck:
    """Try the API key, which is looked at by itself, and then the application key for each kind of data."""
    problems: list[str] = []
    valid = await _key_is_valid(desk.datadog, problems)
    probes = _probes(desk) if valid else {}
    allowed = {name: await _allowed(probe, _SCOPES[name], problems) for name, probe in probes.items()}
    settings = desk.datadog.settings
    return AccessCheck(
        url=settings.base_url,
        allowed={"api_key": valid, **{name: allowed.get(name) for name in _SCOPES}},
        problems=[*problems, *desk.skew()],
        next_step=_next_step(settings, valid, allowed),
    )


async def _key_is_valid(datadog: Datadog, problems: list[str]) -> bool | None:
    try:
        valid = await api_key_is_valid(datadog)
    except PerfsuiteError as error:
        problems.append(str(error))
        return None
    if not valid:
        problems.append(f"DD_API_KEY is refused by {datadog.settings.base_url}.")
    return valid


def _probes(desk: Desk) -> dict[str, Callable[[], Awaitable[object]]]:
    now = desk.now()
    span = Span(now - _LOOK_BACK, now)
    asked = Question((MetricQuery("q", "avg:system.cpu.idle{*}"),), ("q",), span.start_ms, span.end_ms, 60_000)
    recent = {"filter": {"from": utc_text(span.start), "to": utc_text(span.end), "query": "*"}, "page": {"limit": 1}}
    spans = {"data": {"type": "search_request", "attributes": recent}}
    datadog = desk.datadog
    return {
        "metrics": lambda: timeseries(datadog, asked),
        "hosts": lambda: known_hosts(datadog, span.start_ms // 1000),
        "logs": lambda: datadog.post(_LOGS, recent, scope=_SCOPES["logs"]),
        "spans": lambda: datadog.post(_SPANS, spans, scope=_SCOPES["spans"]),
    }


async def _allowed(probe: Callable[[], Awaitable[object]], scope: str, problems: list[str]) -> bool | None:
    try:
        await probe()
    except AccessDenied:
        problems.append(f"The application key is refused where the scope {scope} is needed.")
        return False
    except PerfsuiteError as error:
        problems.append(f"Whether the scope {scope} is there could not be tried: {error.message}")
        return None
    return True


def _next_step(settings: DatadogSettings, valid: bool | None, allowed: dict[str, bool | None]) -> str:
    if valid is None:
        return "Correct the address or the network, then call `check_datadog_access` again."
    if not valid and settings.override:
        return "Check that DATADOG_BASE_URL is the address that is meant, and that DD_API_KEY is a key for it."
    if not valid:
        others = ", ".join(one for one in SITES if one != settings.site)
        return f"Set DD_SITE to your organization's site ({others}), or make a new DD_API_KEY there."
    if allowed and not any(allowed.values()):
        return "The site is right. Make a new DD_APP_KEY with the scopes that are named, in the same organization."
    missing = [_SCOPES[name] for name, found in allowed.items() if found is False]
    if missing:
        return f"The site and the keys are right. Add to the application key: {', '.join(missing)}."
    return "All is there. Call `load_environment` next."
