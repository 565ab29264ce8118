"""What is told to `requests`, on which atlassian-python-api stands."""

import io
import logging
import ssl
from typing import Any, Final

import httpx
import requests
from requests.adapters import HTTPAdapter

from perfsuite.http import HttpSettings

# They log whole bodies and addresses.
_LOGGERS: Final = ("atlassian", "atlassian.rest_client", "atlassian.confluence", "urllib3.connectionpool", "requests")
_CHUNK: Final = 64 * 1024
LONGER: Final = "perfsuite-longer"
"""The header that marks an answer which was longer than the limit, and was cut."""


class BoundedAdapter(HTTPAdapter):
    """Trusts what the settings trust, and reads no more of an answer than they allow."""

    def __init__(self, http: HttpSettings) -> None:
        self._http = http
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._tls())

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=self._tls())

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        response = super().send(request, *args, **{**options, "stream": True})
        content = bytearray()
        with response:
            for chunk in response.iter_content(_CHUNK):
                content += chunk
                if len(content) > self._http.max_answer_bytes:
                    response.headers[LONGER] = "1"
                    break
        again = _copy(response)
        again.raw = io.BytesIO(bytes(content))
        return again

    def _tls(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context()
        if self._http.ca_bundle is not None:
            context.load_verify_locations(cafile=self._http.ca_bundle)
        return context


def session(http: HttpSettings) -> requests.Session:
    """A session that follows no redirect: elsewhere the token would be in the wrong hands."""
    made = requests.Session()
    made.max_redirects = 0
    for scheme in ("https://", "http://"):
        made.mount(scheme, BoundedAdapter(http))
    return made


def mute() -> None:
    """Drop what these libraries log."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(lambda _: False)


def _copy(response: requests.Response) -> requests.Response:
    """The answer without its body, which can be read only once."""
    again = requests.Response()
    for name in ("status_code", "headers", "url", "reason", "request", "encoding", "history"):
        setattr(again, name, getattr(response, name))
    return again
