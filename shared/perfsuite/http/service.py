"""Who is called: a name, a base address, and the headers that prove who we are."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from pydantic import SecretStr

from perfsuite.errors import BadSettings
from perfsuite.settings import remember_secret

_BASE_URL = re.compile(
    r"https?://(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[\w.~%/-]*)?", re.ASCII
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Service:
    """A service on the network. Both kinds of headers go to its own scheme, host and port, and nowhere else."""

    name: str
    base_url: str
    secret_headers: Mapping[str, SecretStr] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    access_hint: str = "Check the credentials, and what their owner is allowed to do."

    def __post_init__(self) -> None:
        if not _BASE_URL.fullmatch(self.base_url):
            raise BadSettings(
                f"The base address of {self.name}, {_presentable(self.base_url)!r}, cannot be used.",
                next_step="Give it as https://host or https://host/path, without a user, a query or a fragment.",
            )
        for name, value in self.secret_headers.items():
            _check_header(self.name, name, value.get_secret_value())
            remember_header(value.get_secret_value())
        for name, text in self.headers.items():
            _check_header(self.name, name, text)


def basic_auth(user: str, password: SecretStr) -> SecretStr:
    """The value of an Authorization header for HTTP Basic."""
    pair = f"{user}:{password.get_secret_value()}".encode()
    return SecretStr(f"Basic {base64.b64encode(pair).decode()}")


def remember_header(value: str) -> None:
    """Have every form in which a service may repeat this header back taken out of errors and logs."""
    credential = value.rpartition(" ")[2]
    for form in (value, credential, quote(credential, safe=""), credential.replace("/", "\\/")):
        remember_secret(form)


def _check_header(service: str, name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()) or value != value.strip():
        raise BadSettings(
            f"The header {name!r} for {service} holds characters that a header cannot carry.",
            next_step="Copy the credential again, without line breaks, surrounding spaces or quotes.",
        )


def _presentable(url: str) -> str:
    return re.sub(r"//[^/]*@", "//", url.partition("?")[0])
