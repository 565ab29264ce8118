"""What the confluence server reads from the environment. The names are those that other tools for Confluence use."""

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from perfsuite.errors import BadSettings
from perfsuite.http import Service, basic_auth
from perfsuite.settings import EnvSettings, from_env, is_this_machine

GATEWAY: Final = "https://api.atlassian.com"
_OF_GATEWAY: Final = re.compile(r"/ex/confluence/[^/]+")
_OF_CLOUD: Final = re.compile(r"/wiki(?:/.*)?$")
_BELOW: Final = re.compile(r"/(?:rest|display|spaces|pages)(?:/.*)?$")
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_OBTAIN: Final = "Make one at id.atlassian.com under Security, API tokens."
_PAT: Final = "Make one in Confluence under your profile, Personal Access Tokens. It goes with `mode` onprem."
_SET: Final = "Set it in the environment of the client that starts perfsuite, then start it again."


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(parts.hostname or "")):
        raise ValueError("it should begin with https://; http:// is taken for this machine alone")
    return value.rstrip("/")


class ConfluenceSettings(EnvSettings):
    """Which Confluence is asked, and as whom."""

    url: Annotated[str, AfterValidator(_address)] = from_env(
        "CONFLUENCE_URL",
        purpose="the address of Confluence, such as https://example.atlassian.net/wiki or https://wiki.example.com",
        obtain="It is what stands before /spaces or /display when you look at a page.",
    )
    email: str | None = from_env(
        "CONFLUENCE_EMAIL",
        default=None,
        purpose="the e-mail address of the Atlassian account (Cloud)",
        obtain="It goes together with CONFLUENCE_API_TOKEN.",
    )
    api_token: SecretStr | None = from_env(
        "CONFLUENCE_API_TOKEN", default=None, purpose="an API token of that account (Cloud)", obtain=_OBTAIN
    )
    cloud_id: str | None = from_env(
        "CONFLUENCE_CLOUD_ID",
        default=None,
        purpose="the id of the Cloud site, for API tokens with scopes alone",
        obtain="It stands in what https://YOUR-SITE.atlassian.net/_edge/tenant_info answers.",
    )
    pat: SecretStr | None = from_env(
        "CONFLUENCE_PAT", default=None, purpose="a personal access token (on premises)", obtain=_PAT
    )
    user: str | None = from_env(
        "CONFLUENCE_USER",
        default=None,
        purpose="the name of a user (on premises), where there is no token",
        obtain="It goes together with CONFLUENCE_PASSWORD.",
    )
    password: SecretStr | None = from_env(
        "CONFLUENCE_PASSWORD",
        default=None,
        purpose="the password of that user (on premises)",
        obtain="Better make a token: see CONFLUENCE_PAT.",
    )

    @property
    def cloud(self) -> Service:
        """The site in the cloud, or the gateway before it, which alone takes tokens with scopes."""
        headers = {"Authorization": self._cloud_authorization}
        return Service("Confluence", f"{self._cloud_root}/wiki", headers, access_hint=_hint("CONFLUENCE_API_TOKEN"))

    @property
    def onprem(self) -> Service:
        """The server on premises, with the path it may have."""
        headers = {"Authorization": self._onprem_authorization}
        return Service("Confluence", _BELOW.sub("", self.url), headers, access_hint=_hint("CONFLUENCE_PAT"))

    @property
    def site_url(self) -> str | None:
        """Where people see the pages of the cloud site; None where only the gateway is known."""
        return None if self._is_gateway else f"{_OF_CLOUD.sub('', self.url)}/wiki"

    @property
    def _is_gateway(self) -> bool:
        return bool(_OF_GATEWAY.search(self.url))

    @property
    def _cloud_root(self) -> str:
        if self.cloud_id and not self._is_gateway:
            if not _ID.fullmatch(self.cloud_id):
                raise BadSettings("CONFLUENCE_CLOUD_ID is no id: letters, digits and dashes.", next_step=_SET)
            return f"{GATEWAY}/ex/confluence/{self.cloud_id}"
        return _OF_CLOUD.sub("", self.url)

    @property
    def _cloud_authorization(self) -> SecretStr:
        if self.api_token is None:
            raise _missing("CONFLUENCE_API_TOKEN", f"`mode` cloud needs it. {_OBTAIN}")
        if self.email:
            return basic_auth(self.email, self.api_token)
        if self._is_gateway or self.cloud_id:
            # Accounts of services have no address, and only the gateway takes their tokens.
            return SecretStr(f"Bearer {self.api_token.get_secret_value()}")
        raise _missing("CONFLUENCE_EMAIL", "`mode` cloud needs it beside CONFLUENCE_API_TOKEN.")

    @property
    def _onprem_authorization(self) -> SecretStr:
        if self.pat is not None:
            return SecretStr(f"Bearer {self.pat.get_secret_value()}")
        if self.user and self.password is not None:
            return basic_auth(self.user, self.password)
        if self.user or self.password is not None:
            raise _missing("CONFLUENCE_PASSWORD" if self.user else "CONFLUENCE_USER", "Its other half is set.")
        raise _missing("CONFLUENCE_PAT", f"`mode` onprem needs it, or CONFLUENCE_USER and CONFLUENCE_PASSWORD. {_PAT}")


def _missing(name: str, why: str) -> BadSettings:
    return BadSettings(f"{name} is not set. {why}", next_step=_SET)


def _hint(name: str) -> str:
    return (
        f"Check {name} and what stands beside it, that `mode` fits the site, and what the account may see and edit. "
        "A token with scopes needs those to read and write pages, attachments, properties and labels."
    )
