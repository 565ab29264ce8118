"""How stand-ins of Confluence are opened: one flavour, or each of both at an address of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from perfsuite.sandbox.confluence.spec import ConfluenceSpec
from perfsuite.sandbox.confluence.standin import GATEWAY, CloudStandIn, ConfluenceStandIn, OnPremStandIn
from perfsuite.sandbox.serving import serving
from perfsuite.sandbox.standins.application import Backstage


@dataclass(frozen=True)
class OpenConfluence:
    """One that answers."""

    standin: ConfluenceStandIn
    url: str
    """Of this machine, without a path."""

    @property
    def base_url(self) -> str:
        """The address that its users know, where its pages can be looked at."""
        spec = self.standin.spec
        return f"{self.url}/wiki" if spec.is_cloud else f"{self.url}{spec.context_path}"

    @property
    def environment(self) -> dict[str, str]:
        """What the server needs to ask this one in place of the real one."""
        spec = self.standin.spec
        if spec.is_cloud:
            login = {"CONFLUENCE_EMAIL": spec.email, "CONFLUENCE_API_TOKEN": spec.api_token}
        else:
            login = {"CONFLUENCE_PAT": spec.pat}
        return {"CONFLUENCE_URL": self.base_url, **login}

    @property
    def gateway_url(self) -> str:
        """Where tokens with scopes are taken. There is none on premises."""
        return f"{self.url}{GATEWAY}/{self.standin.spec.cloud_id}"


@contextmanager
def opened(
    spec: ConfluenceSpec | None = None, backstage: Backstage | None = None, *, port: int = 0
) -> Iterator[OpenConfluence]:
    """Answer from a thread of this process for as long as the block lasts."""
    made = CloudStandIn if spec is None or spec.is_cloud else OnPremStandIn
    standin: ConfluenceStandIn = made(spec, backstage)
    with serving(standin.app(), port=port) as url:
        yield OpenConfluence(standin, url)
