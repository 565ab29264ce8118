"""How a stand-in of BlazeMeter is opened: its API on one address, its storage on another, under another name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from perfsuite.sandbox.blazemeter.spec import BlazeMeterSpec
from perfsuite.sandbox.blazemeter.standin import BlazeMeterStandIn
from perfsuite.sandbox.blazemeter.tables import PREFIX
from perfsuite.sandbox.serving import serving
from perfsuite.sandbox.standins.application import Backstage


@dataclass(frozen=True)
class OpenBlazeMeter:
    """One that answers."""

    standin: BlazeMeterStandIn
    base_url: str
    storage_url: str

    @property
    def environment(self) -> dict[str, str]:
        """What the server needs to ask this one in place of the real one."""
        spec = self.standin.spec
        return {"BLAZEMETER_BASE_URL": self.base_url, "API_KEY_ID": spec.key_id, "API_KEY_SECRET": spec.key_secret}


@contextmanager
def opened(
    spec: BlazeMeterSpec, folder: Path, backstage: Backstage | None = None, *, port: int = 0, storage_port: int = 0
) -> Iterator[OpenBlazeMeter]:
    """Answer from threads of this process for as long as the block lasts."""
    standin = BlazeMeterStandIn(spec, folder, backstage)
    storage = serving(standin.app(1), host="localhost", port=storage_port)
    with serving(standin.app(), port=port) as url, storage as storage_url:
        standin.storage_url = storage_url
        yield OpenBlazeMeter(standin, f"{url}{PREFIX}", storage_url)
