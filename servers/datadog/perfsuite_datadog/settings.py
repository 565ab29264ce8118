"""What the datadog server reads from the environment. The names are those of Datadog's own clients."""

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from perfsuite.settings import EnvSettings, from_env, is_this_machine

SITES: Final = (
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "uk1.datadoghq.com",
    "datadoghq.eu",
    "ddog-gov.com",
    "us2.ddog-gov.com",
)
# As the site menu and the documentation call them.
_BY_NAME: Final = {"us1": "datadoghq.com", "us": "datadoghq.com", "eu1": "datadoghq.eu", "eu": "datadoghq.eu"} | {
    site.partition(".")[0]: site for site in SITES if site.count(".") > 1 and site.endswith("datadoghq.com")
}
# A site that opens after this was written has the same form.
_SITE: Final = re.compile(r"(?:[a-z]{2}[0-9]\.)?(?:datadoghq\.com|datadoghq\.eu|ddog-gov\.com)")
_KEYS: Final = "Make one in Datadog under Organization Settings."


def normal_site(text: str) -> str:
    """The site, from whatever people copy: `https://app.datadoghq.eu/`, `api.us5.datadoghq.com`, `US3`."""
    address = text.strip().lower()
    host = (urlsplit(address).hostname or "") if "//" in address else address.partition("/")[0]
    bare = re.sub(r"^(?:app|api)\.", "", host)
    site = _BY_NAME.get(bare, bare)
    if not _SITE.fullmatch(site):
        raise ValueError(f"it should be one of {', '.join(SITES)}")
    return site


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname or "")):
        return text.rstrip("/")
    raise ValueError("it should begin with https://; http:// is taken for this machine alone")


class DatadogSettings(EnvSettings):
    """Which Datadog is asked, and in whose name."""

    api_key: SecretStr = from_env("DD_API_KEY", purpose="an API key of your Datadog organization", obtain=_KEYS)
    app_key: SecretStr = from_env(
        "DD_APP_KEY",
        purpose="an application key of your Datadog organization",
        obtain=f"{_KEYS} It needs the scopes timeseries_query, metrics_read, hosts_read, logs_read_data and apm_read.",
    )
    site: Annotated[str, AfterValidator(normal_site)] = from_env(
        "DD_SITE",
        default="datadoghq.com",
        purpose="the Datadog site of your organization, such as datadoghq.eu or us5.datadoghq.com",
        obtain="It is in the address of your browser in Datadog. The default is datadoghq.com.",
    )
    override: Annotated[str, AfterValidator(_base_url)] | None = from_env(
        "DATADOG_BASE_URL",
        default=None,
        purpose="the address to call in place of https://api.{DD_SITE}, for a proxy or a stand-in",
        obtain="Leave it out for Datadog itself.",
    )

    @property
    def base_url(self) -> str:
        """Where requests go."""
        return self.override or f"https://api.{self.site}"
