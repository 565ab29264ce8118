"""Datadog's API: how every call is made, paced and read, whatever it asks for."""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from perfsuite.errors import AccessDenied, BadAnswer, RemoteError
from perfsuite.http import ApiClient, HttpSettings, Json, Service, ServiceClock, Timing
from perfsuite.http.models import Param
from perfsuite_datadog.client.pacing import Pace
from perfsuite_datadog.settings import DatadogSettings

if TYPE_CHECKING:
    import httpx

# Rate limits that begin anew within a minute are waited for; hosts join long calls by calling again.
DEADLINE_S: Final = 120.0
Object = dict[str, Json]


class Datadog:
    """One organization. `requests` counts what was sent; `clock` is what is known of the clock there."""

    def __init__(
        self,
        settings: DatadogSettings,
        http: HttpSettings | None = None,
        *,
        transport: "httpx.AsyncBaseTransport | None" = None,
        timing: Timing | None = None,
    ) -> None:
        self.settings = settings
        self.requests = 0
        timing = timing or Timing()
        self.clock = ServiceClock(timing.wall_clock)
        self._api = ApiClient(_service(settings), http, transport=transport, timing=timing)
        self._pace = Pace(timing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._api.aclose()

    async def get(self, path: str, *, scope: str, params: Mapping[str, Param] | None = None) -> Object:
        """What lies at a path. `scope` is the permission that the application key needs for it."""
        return await self._call("GET", path, scope, params=params or {})

    async def post(self, path: str, body: object, *, scope: str) -> Object:
        """The answer to a question that is asked by POST. None of them changes anything, so all may be repeated."""
        return await self._call("POST", path, scope, body=body)

    def allowance(self, path: str) -> str | None:
        """What Datadog said is left for a path, or None where it said nothing."""
        return self._pace.told(path)

    async def _call(
        self, method: str, path: str, scope: str, *, params: Mapping[str, Param] | None = None, body: object = None
    ) -> Object:
        await self._pace.turn(path)
        self.requests += 1
        sent_at = self.clock.here()
        try:
            answer = await self._api.request(
                method, path, params=params or {}, json=body, idempotent=True, deadline_s=DEADLINE_S
            )
        except AccessDenied as error:
            raise AccessDenied(error.message, next_step=three_causes(self.settings, scope)) from None
        finally:
            self._pace.ended(path)
        self._pace.learn(path, answer.headers)
        self.clock.learn(answer.headers, sent_at)
        return _successful(f"{method} {path}", answer.body)


def three_causes(settings: DatadogSettings, scope: str) -> str:
    """What a 403 can mean. Datadog says the same for all three, and never redirects to the right site."""
    place = f"DATADOG_BASE_URL is {settings.override}" if settings.override else f"DD_SITE is {settings.site}"
    return (
        "This has one of three causes: the wrong site "
        f"({place}; keys of one site are refused by every other), an application key (DD_APP_KEY) without the scope "
        f"{scope}, or a wrong or revoked key (DD_API_KEY, DD_APP_KEY). `check_datadog_access` tells which."
    )


def _service(settings: DatadogSettings) -> Service:
    return Service(
        name="Datadog",
        base_url=settings.base_url,
        secret_headers={"DD-API-KEY": settings.api_key, "DD-APPLICATION-KEY": settings.app_key},
        access_hint=three_causes(settings, "of this route"),
    )


def _successful(call: str, body: Json) -> Object:
    """The body, unless it is an error that came with status 200."""
    from perfsuite.http.redaction import excerpt

    if not isinstance(body, dict):
        raise BadAnswer(
            f"Datadog answered {call} with a {type(body).__name__} where an object was expected.",
            next_step="Check DD_SITE and DATADOG_BASE_URL, and that no proxy stands in between.",
        )
    said = body.get("errors") or body.get("error")
    if said or body.get("status") == "error":
        words = excerpt(said if isinstance(said, str) else str(said or body.get("message") or "no reason"))
        raise RemoteError(
            f"Datadog answered {call} with 200 and the error {words!r}.",
            next_step="Call again; if it says the same, correct what it speaks of: a query of your own, or the window.",
        )
    return body
