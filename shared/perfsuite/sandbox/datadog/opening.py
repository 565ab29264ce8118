"""How a stand-in of Datadog is opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from perfsuite.sandbox.datadog.curves import Curve
from perfsuite.sandbox.datadog.spec import DatadogSpec
from perfsuite.sandbox.datadog.standin import DatadogStandIn
from perfsuite.sandbox.serving import serving
from perfsuite.sandbox.standins.application import Backstage


@dataclass(frozen=True)
class OpenDatadog:
    """One that answers."""

    standin: DatadogStandIn
    base_url: str

    @property
    def environment(self) -> dict[str, str]:
        """What the server needs to ask this one in place of the real one."""
        spec = self.standin.spec
        return {"DATADOG_BASE_URL": self.base_url, "DD_API_KEY": spec.api_key, "DD_APP_KEY": spec.application_key}


@contextmanager
def opened(
    spec: DatadogSpec | None = None, backstage: Backstage | None = None, curve: Curve | None = None, *, port: int = 0
) -> Iterator[OpenDatadog]:
    """Answer from a thread of this process for as long as the block lasts."""
    standin = DatadogStandIn(spec, backstage, curve)
    with standin.world.watching(), serving(standin.app(), port=port) as url:
        yield OpenDatadog(standin, url)
