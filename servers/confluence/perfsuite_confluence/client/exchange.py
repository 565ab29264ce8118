"""How a request of atlassian-python-api is sent: in a thread, with the limits, retries and errors of the whole suite.

Its own retries are off: they wait for hours, and send again what may have been carried out.
"""

import threading
import time
from collections.abc import Callable, Collection
from typing import Any, Final
from urllib.parse import quote

import anyio.to_thread
import httpx
import requests
from atlassian.confluence import ConfluenceServer
from urllib3.exceptions import NewConnectionError

from perfsuite.errors import BadSettings
from perfsuite.http import Answer, HttpSettings, Service, Timing
from perfsuite.http.answers import read_answer
from perfsuite.http.calls import Call
from perfsuite.http.failures import late_failure, transport_failure
from perfsuite.http.redaction import excerpt
from perfsuite.http.retry import Budget, Failure
from perfsuite_confluence.client.session import LONGER, mute, session

Ask = Callable[[Any], Any]
"""Calls one method of the library, which returns the answer of `requests`."""

_PACKED: Final = frozenset({"content-encoding", "transfer-encoding", "content-length"})


class Exchange:
    """One server on premises. The library is used by one thread at a time, as `requests` wants it."""

    def __init__(self, service: Service, http: HttpSettings, timing: Timing | None = None) -> None:
        mute()
        self.service = service
        self._http = http
        self._timing = timing or Timing()
        self._lock = threading.Lock()
        # Bound to nothing but our header: the library would log in by name as well.
        self._session = _authorized(service, http)
        self._server: Any = ConfluenceServer(  # type: ignore[no-untyped-call]
            service.base_url,
            session=self._session,
            timeout=max(1, round(http.timeout_s)),
            backoff_and_retry=False,
            retry_with_header=False,
            advanced_mode=True,
        )

    def close(self) -> None:
        self._session.close()

    async def send(
        self, method: str, path: str, ask: Ask, *, idempotent: bool | None = None, expected: Collection[int] = ()
    ) -> Answer:
        """The answer to what `ask` asks; `method` and `path` are for errors and retries."""
        safe = method not in ("POST", "PATCH") if idempotent is None else idempotent
        url = httpx.URL(f"{self.service.base_url}/rest/api/{quote(path)}")
        call = Call(self.service, method, url, idempotent=safe, risky=not safe)

        async def attempt() -> Answer | Failure:
            try:
                answered = await anyio.to_thread.run_sync(self._asked, ask, abandon_on_cancel=True)
            except requests.RequestException as error:
                return transport_failure(call, _as_httpx(error))
            return await self._read(call, answered, expected)

        budget = Budget(self._timing, self._http.deadline_s)
        return await budget.run(attempt, lambda: late_failure(call))

    def _asked(self, ask: Ask) -> httpx.Response:
        with self._lock:
            try:
                found = ask(self._server)
            except requests.TooManyRedirects as error:
                # The first is one too many: what it says is an answer like any other.
                found = error.response
        headers = {name: value for name, value in found.headers.items() if name.lower() not in _PACKED}
        return httpx.Response(found.status_code, headers=headers, content=found.content)

    async def _read(self, call: Call, answered: httpx.Response, expected: Collection[int]) -> Answer | Failure:
        if 300 <= answered.status_code < 400:
            target = excerpt(answered.headers.get("location", "elsewhere"))
            raise BadSettings(
                f"Confluence answered {call} with a redirect to {target!r}.",
                next_step="Set CONFLUENCE_URL to the address that Confluence itself has, with its path.",
            )
        limit = self._http.max_answer_bytes
        limit = min(limit, len(answered.content) - 1) if LONGER in answered.headers else limit
        return await read_answer(call, answered, limit=limit, expected=expected, wall_clock_s=time.time())


def _authorized(service: Service, http: HttpSettings) -> requests.Session:
    made = session(http)
    secrets = {name: value.get_secret_value() for name, value in service.secret_headers.items()}
    made.headers.update({"User-Agent": "perfsuite", **secrets})
    # Without this, requests would take credentials for the host out of a .netrc file in place of ours.
    made.auth = lambda request: request
    return made


def _as_httpx(error: requests.RequestException) -> httpx.TransportError:
    """The same failure as the HTTP client of the suite knows it."""
    kind = next((kind for ours, kind in _KINDS if isinstance(error, ours)), httpx.ReadError)
    if kind is httpx.ReadError and _is_unconnected(error):
        kind = httpx.ConnectError
    made = kind(str(error.args[0]) if error.args else type(error).__name__)
    made.__cause__ = error
    return made


def _is_unconnected(error: BaseException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


_KINDS: Final[tuple[tuple[type[requests.RequestException], type[httpx.TransportError]], ...]] = (
    (requests.exceptions.ProxyError, httpx.ProxyError),
    (requests.exceptions.SSLError, httpx.ConnectError),
    (requests.exceptions.ConnectTimeout, httpx.ConnectTimeout),
    (requests.exceptions.ReadTimeout, httpx.ReadTimeout),
)
