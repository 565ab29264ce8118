"""What the stand-in refuses, in the shapes in which the real service was seen to refuse."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from perfsuite.errors import PerfsuiteError
from perfsuite.sandbox.datadog.scopes import QueryError
from perfsuite.sandbox.datadog.spec import Scope
from perfsuite.sandbox.standins.visits import Visit

if TYPE_CHECKING:
    from perfsuite.sandbox.datadog.standin import DatadogStandIn

    Handler = Callable[[DatadogStandIn, Visit], Awaitable[Response]]

_DETAILED: Final = 422
_UNAVAILABLE: Final = 503


class Refusal(Exception):
    """A request that is not answered."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status

    def response(self) -> Response:
        if self.status == _DETAILED:
            body = {"errors": [{"title": "Generic Error", "detail": self.message}]}
            return JSONResponse(body, self.status, media_type="application/vnd.api+json")
        return JSONResponse({"errors": [self.message]}, self.status)


def refused_v1() -> Response:
    """What the first version of the API says to a wrong key."""
    return JSONResponse({"status": "error", "code": 403, "errors": ["Forbidden"], "statuspage": "", "email": ""}, 403)


def _without_scope() -> Response:
    """JSON that says of itself that it is text, as was recorded."""
    return Response('{"errors":[{"title":"Forbidden"}]}\n', 403, media_type="text/plain")


def guarded(limit: str | None, scope: Scope) -> Callable[["Handler"], "Handler"]:
    """Have a handler need a scope of the application key, and count against a rate limit."""

    def decorated(handler: "Handler") -> "Handler":
        @wraps(handler)
        async def handled(standin: "DatadogStandIn", visit: Visit) -> Response:
            now = standin.clock.now()
            headers = standin.limits.take(limit, now) if limit else {}
            if limit and headers is None:
                return standin.limits.refused(limit, now)
            response = await _answered(handler, standin, visit, scope)
            response.headers.update(headers or {})
            return response

        return handled

    return decorated


async def _answered(handler: "Handler", standin: "DatadogStandIn", visit: Visit, scope: Scope) -> Response:
    if scope in standin.spec.missing_scopes:
        return _without_scope()
    try:
        return await handler(standin, visit)
    except Refusal as refusal:
        return refusal.response()
    except QueryError as error:
        return Refusal(f"Error parsing query: {error}").response()
    except PerfsuiteError as error:
        return Refusal(str(error), _UNAVAILABLE).response()
