"""Everything that the stand-in tells of, put together from a spec."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

import numpy as np

from perfsuite.artifacts import RunStore
from perfsuite.sandbox.datadog.catalog import Metric
from perfsuite.sandbox.datadog.curves import Curve, MeasuredCurve, PlannedCurve
from perfsuite.sandbox.datadog.hosts import Host, Hosts
from perfsuite.sandbox.datadog.kubernetes import Service, Services
from perfsuite.sandbox.datadog.machine_origin import MachineOrigin
from perfsuite.sandbox.datadog.shop_origin import ShopOrigin
from perfsuite.sandbox.datadog.sources import Measured, Origin, Source
from perfsuite.sandbox.datadog.spec import DatadogSpec

_MOST_BUCKETS: Final = 4_000
_NARROWEST_S: Final = 10.0


class World:
    """Hosts, services and measured rows under one load."""

    def __init__(self, spec: DatadogSpec, curve: Curve | None = None) -> None:
        self.spec = spec
        self.curve = curve or _curve(spec)
        leaks_from = spec.corners[0].at if spec.corners else 0.0
        if isinstance(self.curve, MeasuredCurve):
            leaks_from = self.curve.start
        self.hosts = tuple(Host(one, self.curve, spec.seed, leaks_from) for one in spec.hosts)
        self.services = tuple(Service(one, self.curve, spec.seed, leaks_from) for one in spec.services)
        self._measured = Measured(spec.rows)
        self._origins: list[Origin] = [Hosts(self.hosts, spec.memory_unit), Services(self.services)]
        if spec.shop_control_url:
            self._origins.append(ShopOrigin(spec.shop_control_url))
        self._machine = MachineOrigin(spec.machine) if spec.machine else None
        if self._machine is not None:
            self._origins.append(self._machine)

    def watching(self) -> AbstractContextManager[None]:
        """Measure what is measured here for as long as the block lasts."""
        return self._machine.watching() if self._machine is not None else nullcontext()

    def metrics(self) -> dict[str, Metric]:
        found: dict[str, Metric] = {}
        for origin in (*self._origins, self._measured):
            found |= origin.metrics()
        return dict(sorted(found.items()))

    def sources(self, metric: str) -> list[Source]:
        """Every series of a metric; measured rows take the place of the model's."""
        if measured := self._measured.sources(metric):
            return measured
        return [source for origin in self._origins for source in origin.sources(metric)]


def _curve(spec: DatadogSpec) -> Curve:
    if spec.run_folder:
        return curve_of_run(Path(spec.run_folder))
    return PlannedCurve(spec.corners, spec.requests_per_user_s, spec.capacity_per_s)


def curve_of_run(folder: Path) -> MeasuredCurve:
    """The load that the samples of a run show, in at most some thousand buckets."""
    from perfsuite import samples
    from perfsuite.samples.definitions import Choice, Selection

    found = samples.open(RunStore(folder.parent).open(folder.name))
    begin, end = found.window(Selection())
    width = max(_NARROWEST_S, float(np.ceil((end - begin) / 1e6 / _MOST_BUCKETS)))
    buckets = found.over_time(width, Choice(), Selection())
    completed = np.array([one.completed for one in buckets], dtype=np.float64)
    errors = np.array([one.errors for one in buckets], dtype=np.float64)
    return MeasuredCurve(
        start=begin / 1e6,
        width_s=width,
        user_counts=np.array([one.users or 0 for one in buckets], dtype=np.float64),
        request_rates=completed / width,
        error_rates=errors / np.maximum(completed, 1),
    )
