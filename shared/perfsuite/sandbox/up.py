"""Every stand-in of a web service at once, all telling of the same load: `perfsuite sandbox up`."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import yaml

from perfsuite.artifacts import RunStore, layout
from perfsuite.sandbox import blazemeter, confluence, datadog
from perfsuite.sandbox.blazemeter import BlazeMeterSpec, BlazeMeterStandIn, catalog
from perfsuite.sandbox.blazemeter.recording import results_in
from perfsuite.sandbox.blazemeter.results import write_results
from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.confluence import ConfluenceSpec, OpenConfluence
from perfsuite.sandbox.confluence.spec import RETAIL, Flavour
from perfsuite.sandbox.datadog import DatadogSpec
from perfsuite.sandbox.datadog.curves import Curve, Floats
from perfsuite.sandbox.datadog.world import curve_of_run
from perfsuite.sandbox.serving import serving
from perfsuite.sandbox.standins.application import Backstage
from perfsuite.sandbox.standins.control import control_app
from perfsuite.sandbox.standins.faults import read_fault
from perfsuite.workflow.importing import ImportRequest, import_results

ENVIRONMENT: Final = "sandbox"
_AGO_S: Final = 3600
_RUN: Final = "load"
PORTS: Final = 6


@dataclass(frozen=True)
class Wishes:
    """What somebody who starts them may choose."""

    results: tuple[Path, ...] = ()
    """None: results are made up."""
    engines: int = 2
    runs: int = 12
    boot_s: float = 20
    speed: float = 1
    port: int = 0
    """The first of six; 0 takes any that are free."""
    faults: tuple[str, ...] = ()
    keeps_times: bool = False
    """Whether the newest run has the times of the results, in place of having ended an hour ago."""
    clock_ahead_s: float = 0
    """How far the clocks of all of them are ahead of this machine's."""


@dataclass(frozen=True)
class Up:
    """What is there now."""

    environment: dict[str, str]
    control_url: str
    workspace: str
    test: str
    newest_run: int
    newest_load: tuple[str, str]
    runs: int
    space: str
    confluence_onprem: dict[str, str]
    """What takes the place of the same names, for Confluence on premises."""

    def exports(self) -> str:
        """The same for a shell, and for whoever reads it."""
        onprem = " ".join(f"{name}={shlex.quote(value)}" for name, value in self.confluence_onprem.items())
        lines = [
            "# Stand-ins of BlazeMeter, Datadog and Confluence, for trying and testing. Ctrl-C ends them.",
            *(f"export {name}={shlex.quote(value)}" for name, value in self.environment.items()),
            f"# BlazeMeter: workspace {self.workspace!r}, test {self.test!r}, newest run {self.newest_run}",
            f"# Its load: {' to '.join(self.newest_load)}. There are {self.runs} runs, each a day before the next.",
            f"# Datadog: environment {ENVIRONMENT!r}",
            f"# Confluence: space {self.space!r}; its pages can be looked at in a browser at the address above",
            f"# Confluence on premises, in place of the cloud: export {onprem}",
            f"# Faults, requests, routes: {self.control_url}/_faults, /_requests, /_routes",
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class LoadOfRuns:
    """The load of every run of BlazeMeter, also of those that are started later."""

    recorded: Curve
    standin: BlazeMeterStandIn

    def users(self, times: Floats) -> Floats:
        return self._together(self.recorded.users, times)

    def requests_per_s(self, times: Floats) -> Floats:
        return self._together(self.recorded.requests_per_s, times)

    def error_rate(self, times: Floats) -> Floats:
        return self._together(self.recorded.error_rate, times)

    def _together(self, of: Callable[[Floats], Floats], times: Floats) -> Floats:
        """The highest value of those runs that have load at a time."""
        found = np.zeros_like(times)
        for master in self.standin.masters:
            begins = master.created + master.timeline.boot_s
            has_load = (times >= begins) & (times < master.created + master.timeline.load_ends_s)
            if has_load.any():
                found[has_load] = np.maximum(found[has_load], of(times[has_load] - master.shift_us / 1e6))
        return found


@contextmanager
def opened(wishes: Wishes, folder: Path) -> Iterator[Up]:
    """Answer for as long as the block lasts; the folder is theirs."""
    backstage = Backstage(clock=Clock.real(wishes.clock_ahead_s))
    ended = backstage.clock.now() - _AGO_S
    run = _run_folder(wishes, folder, ended)
    spec = BlazeMeterSpec(
        (run,), engines=wishes.engines, runs=wishes.runs, boot_s=wishes.boot_s, speed=wishes.speed,
        newest_ends=None if wishes.keeps_times else ended,
    )  # fmt: skip
    ports = [wishes.port and wishes.port + number for number in range(PORTS)]
    with ExitStack() as stack:
        bm = stack.enter_context(
            blazemeter.opened(spec, folder / "blazemeter", backstage, port=ports[0], storage_port=ports[1])
        )
        load = LoadOfRuns(curve_of_run(run), bm.standin)
        dd = stack.enter_context(datadog.opened(DatadogSpec(), backstage, load, port=ports[2]))
        sites = _confluence(stack, backstage, ports[4:])
        control_url = stack.enter_context(serving(control_app(backstage), port=ports[3]))
        for text in wishes.faults:
            backstage.faults.switch_on(*read_fault(text))
        environment = {
            **bm.environment,
            **dd.environment,
            **sites["cloud"].environment,
            "PERFSUITE_CONFIG_DIR": str(_configuration(folder, dd.standin.spec)),
        }
        newest = next(iter(bm.standin.masters))
        window = (_stamp(newest.load_window[0]), _stamp(newest.load_window[1]))
        yield Up(
            environment,
            control_url,
            catalog.RETAIL.name,
            newest.test.name,
            newest.id,
            window,
            wishes.runs,
            RETAIL.key,
            sites["onprem"].environment,
        )


def _confluence(stack: ExitStack, backstage: Backstage, ports: list[int]) -> dict[Flavour, OpenConfluence]:
    """Both flavours. They know nothing of each other's pages."""
    flavours: tuple[Flavour, ...] = ("cloud", "onprem")
    return {
        flavour: stack.enter_context(confluence.opened(ConfluenceSpec(flavour), backstage, port=port))
        for flavour, port in zip(flavours, ports, strict=True)
    }


def _run_folder(wishes: Wishes, folder: Path, ended: float) -> Path:
    """The run whose samples are the load: one that is there, or one made of the results."""
    if len(wishes.results) == 1 and (wishes.results[0] / layout.SAMPLES.place).is_file():
        return wishes.results[0].absolute()
    files = wishes.results or (write_results(folder / "results.jtl", ended),)
    store = RunStore(folder / "artifacts")
    import_results(store, _RUN, ImportRequest(tuple(results_in(path) for path in files)))
    return store.open(_RUN).root


def _stamp(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _configuration(folder: Path, spec: DatadogSpec) -> Path:
    """A folder with an environments.yaml that names what the stand-in of Datadog tells of."""
    target = folder / "config"
    target.mkdir()
    environment = {
        "env_tag": spec.hosts[0].env,
        "namespace": spec.services[0].namespace,
        "hosts": [{"hostname": host.name} for host in spec.hosts],
        "kubernetes": {"services": [{"filter": service.name} for service in spec.services]},
    }
    text = yaml.safe_dump({"environments": {ENVIRONMENT: environment}}, sort_keys=False)
    (target / "environments.yaml").write_text(text, encoding="utf-8")
    return target
