"""A request as it will be sent, and how a redirect changes it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

import httpx
from pydantic import SecretStr

from perfsuite.errors import BadAnswer, BadInput, PerfsuiteError, Refused
from perfsuite.http.models import Options, Param, Scalar
from perfsuite.http.redaction import excerpt, shown_url
from perfsuite.http.service import Service, remember_header

LOCATION = "perfsuite.location"
_MOST_REDIRECTS = 5
_SEE_OTHER = 303
_SAME_METHOD = frozenset({307, 308})
# httpx lets more through, and looking up such a name raises a UnicodeError that it does not translate.
_HOST = re.compile(rb"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?|[0-9a-f]*:[0-9a-f:.]+")
_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_STEP_ASIDE = re.compile(r"(?:^|[/\\])\.{1,2}(?:[/\\]|$)")
_DOWNGRADE = "{} led from https to {}, where anybody could read or change the answer."
_SAFELY = "Ask the service's administrator for an https address."
_UNSURE = "The request may or may not have been carried out."


@dataclass(frozen=True)
class Call:
    """One request. Its headers hold secrets, which is why it does not show them."""

    service: Service
    method: str
    url: httpx.URL = field(repr=False)
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    content: bytes | None = field(repr=False, default=None)
    idempotent: bool = True
    risky: bool = False
    """Began as a request that is not idempotent; stays true when a redirect turned it into a GET."""
    left_home: bool = False
    """A redirect led elsewhere; if another one leads back, it was not we who chose the address."""

    def __str__(self) -> str:
        return f"{self.method} {shown_url(self.url)}"

    @property
    def stays_home(self) -> bool:
        """Whether it goes to the scheme, host and port that the credentials are for."""
        return not self.left_home and _origin(self.url) == _origin(httpx.URL(self.service.base_url))

    def sent_headers(self) -> dict[str, str]:
        """Everything that this request may carry: away from home, nothing that a caller or the settings gave us."""
        if not self.stays_home:
            return {}
        secrets = {name: value.get_secret_value() for name, value in self.service.secret_headers.items()}
        return {**self.service.headers, **secrets, **self.headers}

    def failed(
        self, kind: type[PerfsuiteError], message: str, *, next_step: str, untouched: bool = False
    ) -> PerfsuiteError:
        """The error of this call. That of a risky one says that nobody knows, unless certainly nothing was touched."""
        if not self.risky or (untouched and not self.idempotent):
            return kind(message, next_step=next_step)
        return kind(f"{message} {_UNSURE}", next_step=f"Look it up before sending it again. {next_step}")


def build_call(service: Service, method: str, path: str, options: Options) -> Call:
    """Make the request; a path is appended to the base address, a whole address is taken as it is."""
    url = _address(service, path)
    params = {name: _plain(value) for name, value in options.get("params", {}).items() if value is not None}
    content, kind = _content(options)
    headers = {name: _header(value) for name, value in options.get("headers", {}).items()}
    idempotent = options.get("idempotent", method not in ("POST", "PATCH"))
    return Call(
        service=service,
        method=method,
        url=url.copy_merge_params(params) if params else url,
        headers={"Content-Type": kind, **headers} if kind else headers,
        content=content,
        idempotent=idempotent,
        risky=not idempotent,
    )


def build_link(service: Service, link: str) -> httpx.URL:
    """Resolve a link that stood in an answer of this service, as a browser would."""
    try:
        url = _parse(str(httpx.URL(service.base_url).join(link)))
    except (ValueError, httpx.InvalidURL):
        raise BadInput(
            f"{excerpt(link)!r} is not an address that can be followed.",
            next_step=f"Use a link as {service.name} gave it.",
        ) from None
    if _is_downgrade(httpx.URL(service.base_url), url):
        raise Refused(_DOWNGRADE.format(service.name, shown_url(url)), next_step=_SAFELY)
    return url


class Route:
    """Where a request stands after the redirects so far."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self._hops = 0

    def leads_on(self, response: httpx.Response) -> bool:
        """Follow the redirect that this answer is, or say that it is none."""
        location = response.extensions.get(LOCATION)
        if location is None:
            return False
        self._hops += 1
        if self._hops > _MOST_REDIRECTS:
            raise self.call.failed(
                BadAnswer,
                f"{self.call.service.name} redirected {self.call} more than {_MOST_REDIRECTS} times.",
                next_step="Check the configured base address.",
            )
        self.call = self._next(response.status_code, self._target(location))
        return True

    def _target(self, location: str) -> httpx.URL:
        try:
            url = _parse(str(self.call.url.join(location)))
        except (ValueError, httpx.InvalidURL):
            raise self.call.failed(
                BadAnswer,
                f"{self.call.service.name} redirected {self.call} to {excerpt(location)!r}, which is no web address.",
                next_step="Check the configured base address.",
            ) from None
        if _is_downgrade(self.call.url, url):
            message = _DOWNGRADE.format(self.call.service.name, shown_url(url))
            raise self.call.failed(Refused, message, next_step=_SAFELY)
        return url

    def _next(self, status: int, url: httpx.URL) -> Call:
        call = self.call
        moved = replace(call, url=url, left_home=not call.stays_home)
        if call.method == "GET" or (status in _SAME_METHOD and _origin(url) == _origin(call.url)):
            return moved
        if status == _SEE_OTHER:
            return replace(moved, method="GET", content=None, headers=_without_body(call.headers), idempotent=True)
        raise call.failed(
            Refused,
            f"{call.service.name} answered {call} with a redirect ({status}) to {shown_url(url)}. "
            f"A {call.method} is not sent on: elsewhere its content may get lost, or into the wrong hands.",
            next_step="If the service has moved, set its base address to the new one.",
        )


def _is_downgrade(before: httpx.URL, after: httpx.URL) -> bool:
    return before.scheme == "https" and after.scheme == "http"


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _address(service: Service, path: str) -> httpx.URL:
    if _ABSOLUTE.match(path):
        return build_link(service, path)
    if _STEP_ASIDE.search(unquote(path.partition("?")[0])):
        raise BadInput(
            f"The path {excerpt(path)!r} for {service.name} leaves its place by '.' or '..'.",
            next_step="Give names and ids that hold no dots of that kind.",
        )
    base = service.base_url.rstrip("/")
    return build_link(service, f"{base}/{path.lstrip('/')}" if path else base)


def _parse(text: str) -> httpx.URL:
    url = httpx.URL(text)
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.raw_host):
        raise ValueError("not a web address")
    return url.copy_with(userinfo=b"", fragment=None)


def _plain(value: Param) -> Scalar | list[Scalar] | None:
    return value if value is None or isinstance(value, str | int | float | bool) else list(value)


def _header(value: str | SecretStr) -> str:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(value, SecretStr):
        remember_header(text)
    if not (text.isascii() and text.isprintable()):
        raise BadInput("A header holds characters that it cannot carry.", next_step="Use printable ASCII only.")
    return text


def _content(options: Options) -> tuple[bytes | None, str | None]:
    if "files" in options:
        form = httpx.Request("POST", "http://form", files=options["files"], data=options.get("fields", {}))
        return form.read(), form.headers["content-type"]
    if options.get("json") is None:
        return None, None
    try:
        return json.dumps(options["json"], ensure_ascii=False, allow_nan=False).encode(), "application/json"
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"The content cannot be written as JSON: {excerpt(str(error))}.",
            next_step="Leave out what is not a finite number, a text, a list or a mapping.",
        ) from None


def _without_body(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() != "content-type"}
