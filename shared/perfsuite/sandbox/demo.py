"""What `perfsuite demo` drives: a shop, a plan that drives it, the stand-ins, and the files that people write.

The load stays below what the shop takes, and from the middle of the test on the shop fails some requests. So what the
analyses should find is known.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from perfsuite.sandbox import blazemeter, confluence, datadog
from perfsuite.sandbox.blazemeter import BlazeMeterSpec, catalog
from perfsuite.sandbox.blazemeter.masters import FIRST_ID
from perfsuite.sandbox.confluence.spec import RETAIL
from perfsuite.sandbox.datadog import DatadogSpec
from perfsuite.sandbox.plan import PlanDefaults, shop_plan
from perfsuite.sandbox.running import started
from perfsuite.sandbox.shop.spec import ShopSpec

ENVIRONMENT: Final = "demo"
SPACE: Final = RETAIL.key
PARENT: Final = RETAIL.titles[0]
WORKSPACE: Final = catalog.RETAIL.name
MASTER_ID: Final = FIRST_ID
SHOP: Final = ShopSpec(workers=4, service_ms=50)
THINK_MS: Final = 200
_MACHINE: Final = "load-generator"
_LIMIT_MS: Final = 150
_RAMPED: Final = 0.2
_SHARE_OF_CAPACITY: Final = 0.8
_FAILING: Final = 0.08
_FAILS_FROM: Final = 0.5
_LOOK_EVERY_S: Final = 0.5
_ACCOUNTS: Final = ("BLAZEMETER_", "API_KEY_", "CONFLUENCE_", "DATADOG_", "DD_")


@dataclass
class Trouble:
    """Switches the errors on in the middle of the test, and knows since when."""

    control_url: str
    after_s: float
    begins: str | None = None
    """In UTC; None before it is known when the test began."""

    @property
    def truth(self) -> str:
        """What the analyses should find."""
        since = f"from {self.begins} on, {self.after_s:g} s after the first request" if self.begins else "never"
        return f"{_FAILING:.0%} of the requests fail {since}."

    @contextmanager
    def brewing(self) -> Iterator[None]:
        """Wait for the first request for as long as the block lasts."""
        over = threading.Event()
        thread = threading.Thread(target=self._wait, args=(over,), name="trouble", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _wait(self, over: threading.Event) -> None:
        with httpx.Client(base_url=self.control_url, trust_env=False) as shop:
            while not over.wait(_LOOK_EVERY_S):
                found = shop.get("/_metrics").json()["buckets"]
                if any(one["requests"] for one in found):
                    fault = {"fault": "errors", "rate": _FAILING, "after_s": self.after_s}
                    self.begins = str(shop.post("/_faults", json=fault).raise_for_status().json()["begins"])
                    return


@dataclass(frozen=True)
class Demo:
    """What is there now."""

    plan: Path
    properties: Mapping[str, str]
    environ: Mapping[str, str]
    """Of the servers: that of this process without any account, and with the stand-ins."""
    confluence_url: str
    full_at_users: float
    trouble: Trouble


def usual_users() -> int:
    """Somewhat fewer than the shop takes."""
    return round(_SHARE_OF_CAPACITY * SHOP.knee(THINK_MS))


@contextmanager
def opened(folder: Path, artifacts: Path, *, users: int, seconds: int) -> Iterator[Demo]:
    """Open all of it for as long as the block lasts. The folder gets the plan and the files."""
    config = folder / "config"
    config.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        shop = stack.enter_context(
            started("shop", "--workers", str(SHOP.workers), "--service-ms", str(SHOP.service_ms))
        )
        spec = DatadogSpec(hosts=(), services=(), shop_control_url=shop.control_url, machine=_MACHINE)
        metrics = stack.enter_context(datadog.opened(spec))
        wiki = stack.enter_context(confluence.opened())
        trouble = Trouble(shop.control_url, round(_FAILS_FROM * seconds))
        stack.enter_context(trouble.brewing())
        _write(config / "environments.yaml", _environments())
        _write(config / "slas.yaml", _slas())
        own = {"PERFSUITE_ARTIFACTS_DIR": str(artifacts), "PERFSUITE_CONFIG_DIR": str(config)}
        yield Demo(
            plan=_plan(folder, shop.url),
            properties={"users": str(users), "ramp": str(round(_RAMPED * seconds)), "duration": str(seconds)},
            environ={**_without_accounts(), **metrics.environment, **wiki.environment, **own},
            confluence_url=wiki.base_url,
            full_at_users=SHOP.knee(THINK_MS),
            trouble=trouble,
        )


@contextmanager
def at_blazemeter(run_folder: Path, folder: Path) -> Iterator[dict[str, str]]:
    """The results of a run as those of one that two engines of BlazeMeter carried out, and the way to ask for them."""
    spec = BlazeMeterSpec((run_folder,), engines=2, runs=1)
    with blazemeter.opened(spec, folder) as service:
        yield service.environment


def _without_accounts() -> dict[str, str]:
    """Nothing that is tried here may reach an account of somebody, or be forbidden as if it did."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_ACCOUNTS)}
    return {**kept, "PERFSUITE_READ_ONLY": "0"}


def _plan(folder: Path, shop_url: str) -> Path:
    plan = folder / "shop.jmx"
    plan.write_bytes(shop_plan(PlanDefaults(port=int(shop_url.rpartition(":")[2]), think_ms=THINK_MS)))
    return plan


def _environments() -> dict[str, Any]:
    hosts = [{"hostname": name, "description": "modelled by the shop"} for name in SHOP.host_names]
    own = {"hostname": _MACHINE, "description": "this machine, as it is measured"}
    return {"environments": {ENVIRONMENT: {"env_tag": "perf", "hosts": [*hosts, own]}}}


def _slas() -> dict[str, Any]:
    limits = {"response_time_sla_ms": _LIMIT_MS, "percentile": "P90", "error_rate_threshold": 1}
    whole = {"pattern": "Shopping", "response_time_sla_ms": 4 * _LIMIT_MS, "reason": "It is four requests."}
    profile = {"id": "shop", "description": "The shop of the demo", "default_sla": limits, "api_overrides": [whole]}
    return {"version": 1, "slas": [profile]}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
